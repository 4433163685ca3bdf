"""Reads TOML files into checked values, and reports all faults of a file at once."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from improviser.errors import ConfigError
from improviser.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails
    from tomlkit import TOMLDocument

MAX_SHOWN_CHARACTERS = 40
# The longest files that people write are devices with some hundred controls, about 20 kB.
MAX_FILE_BYTES = 1_000_000
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Document(BaseModel):
    """A table of a file: unknown keys are faults, values are not converted, and the result is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


DocumentT = TypeVar("DocumentT", bound=Document)


def load_document(path: Path, model: type[DocumentT]) -> DocumentT:
    """Return the file at `path` as a `model`.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or does not fit the model. The text has one line per fault,
            with file, key, value and what is expected.
    """
    return check_document(_parse(path, _read(path)), model, str(path))


def check_document(data: Mapping[str, Any], model: type[DocumentT], source: str) -> DocumentT:
    """Return `data` from `source` (a file's name) as a `model`; raises as `load_document` does."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_fault(fault, model) for fault in error.errors(include_url=False)]
        raise ConfigError("\n".join(f"{source}: {line}" for line in lines)) from error


def write_document(path: Path, document: TOMLDocument, model: type[Document]) -> None:
    """Write a TOML document if it is a valid `model`, whole or not at all; its folder is created.

    Raises:
        ConfigError: The document is invalid (one line per fault), or the file cannot be written.
    """
    text = document.as_string()
    check_document(_parse(path, text), model, str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; free some space") from error


def nearest(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean '...'?` with the most similar of `words`, or nothing."""
    close = get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _read(path: Path) -> str:
    """Return the text of the file at `path`, or raise ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path}: longer than {MAX_FILE_BYTES} bytes; expected a short TOML file")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: not UTF-8 text") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    """Return the TOML `text` of the file at `path` as a dictionary, or raise ConfigError with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {_syntax_fault(str(error))}") from error
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{path}: not valid TOML: nested too deeply, or a number too long") from error


def _syntax_fault(message: str) -> str:
    """Return tomllib's message with its line and column first."""
    match = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if match is None:
        return f"not valid TOML: {message}"
    return f"line {match[2]}, column {match[3]}: not valid TOML: {match[1]}"


def _fault(fault: ErrorDetails, model: type[Document]) -> str:
    """Return the line for one fault that pydantic found in a `model`."""
    place = fault["loc"]
    key = _dotted(place)
    if fault["type"] == "extra_forbidden":
        words = _keys(model, place[:-1])
        hint = nearest(str(place[-1]), words) or f"; expected one of {', '.join(words)}"
        return f"{key} = {_shown(fault['input'])}: unknown key{hint}"
    if fault["type"] == "missing":
        return f"{key}: missing but required"
    return f"{key} = {_shown(fault['input'])}: {_expected(fault)}" if key else _expected(fault)


def _expected(fault: ErrorDetails) -> str:
    """Return what was expected where a fault is, with the nearest word if there is one."""
    text = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if fault["type"] in {"enum", "literal_error"} and isinstance(fault["input"], str):
        words = re.findall(r"'([^']*)'", fault.get("ctx", {}).get("expected", ""))
        return text + nearest(fault["input"], words)
    return text


def _dotted(place: tuple[int | str, ...]) -> str:
    """Return the place of a fault in a file's notation: `control[2].number`, counted from 1."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{_key(part)}" for part in place)
    return "".join(parts).removeprefix(".")


def _key(key: str) -> str:
    """Return a key in a file's notation: bare, or in quotes."""
    return key if _BARE_KEY.fullmatch(key) else _shown(key)


def _shown(value: object) -> str:
    """Return `value` as one short line."""
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"


def _keys(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Return the keys, as written in a file, that the table at `place` of a `model` may have."""
    for part in place:
        if isinstance(part, str):
            model = _table(model, part)
    return [field.alias or name for name, field in model.model_fields.items()]


def _table(model: type[BaseModel], key: str) -> type[BaseModel]:
    """Return the model of the table or tables that `key` of a `model` holds."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    annotation = fields[key].annotation
    candidates = (annotation, *get_args(annotation))
    return next(kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel))
