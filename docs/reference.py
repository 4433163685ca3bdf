"""Writes the tables of the documentation that come from the program: `python docs/reference.py`.

A table stands in its page between `<!-- NAME -->` and `<!-- end -->`. A test compares the pages with what this
writes.
"""  # noqa: INP001 - a script that stands beside the pages, no package

from __future__ import annotations

import sys
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

from improviser.config.user_settings import Settings
from improviser.protocol.value import KINDS, Command, Event, Steer, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic.fields import FieldInfo

DOCS: Final = Path(__file__).resolve().parent


def kinds(group: type[Value], *, without: type[Value] | None = None) -> str:
    """Return a table of a group of the protocol's values: name, fields, meaning."""
    rows = [
        (f"`{name}`", ", ".join(f"`{field.name}`" for field in fields(kind) if field.init), _first_line(kind))
        for name, kind in KINDS.items()
        if issubclass(kind, group) and (without is None or not issubclass(kind, without))
    ]
    return _table(("name", "fields", "meaning"), rows)


def settings() -> str:
    """Return the table of the keys of settings.toml."""
    rows = [
        (f"`{field.alias or name}`", _values(field), _toml(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return _table(("key", "values", "default", "meaning"), rows)


TABLES: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "protocol.md": {
        "steering": lambda: kinds(Steer),
        "commands": lambda: kinds(Command, without=Steer),
        "events": lambda: kinds(Event),
    },
    "settings.md": {"settings": settings},
}


def filled(page: str, text: str) -> str:
    """Return the text of a page with its tables as the program has them."""
    for name, table in TABLES[page].items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not start or not end:
            raise SystemExit(f"docs/{page} has no place for the table {name}: <!-- {name} -->, <!-- end -->")
        text = before + start + table() + end + after
    return text


def main() -> int:
    """Write all tables; return the exit code."""
    for page in TABLES:
        path = DOCS / page
        path.write_text(filled(page, path.read_text("utf-8")), "utf-8")
    return 0


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _first_line(kind: type[Value]) -> str:
    """Return the first paragraph of a kind's docstring on one line."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def _values(field: FieldInfo) -> str:
    """Return what a key takes, in words."""
    words, limits = _type_words(field.annotation), _limits(field.metadata)
    return f"{words}, {limits}" if limits else words


def _type_words(kind: Any) -> str:  # noqa: ANN401 - a type of any kind
    """Return a type in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return " or ".join(_type_words(part) for part in arguments if part is not NoneType)
    if origin is Literal:
        return " or ".join(_toml(part) for part in arguments)
    if origin is tuple:
        return f"list of {_type_words(arguments[0])}"
    if hasattr(kind, "__metadata__"):  # Annotated
        return _limits(kind.__metadata__) or _type_words(kind.__origin__)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(_toml(member.value) for member in kind)
    return {str: "text", float: "number", int: "whole number", bool: "true or false"}[kind]


def _limits(metadata: Iterable[Any]) -> str:
    """Return the range that a type's metadata sets, such as "1 to 16"; nothing where it sets none."""
    parts = [part for item in metadata for part in (item, *getattr(item, "metadata", ()))]
    low = next((part.ge for part in parts if hasattr(part, "ge")), None)
    high = next((part.le for part in parts if hasattr(part, "le")), None)
    return f"{low} to {high}" if low is not None and high is not None else ""


def _toml(value: object) -> str:
    """Return a value as settings.toml has it; nothing where there is none."""
    match value:
        case None | ():
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f'`"{value}"`'
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    sys.exit(main())
