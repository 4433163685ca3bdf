"""Converts values to lines of JSON, and back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final

from improviser.protocol.startup import PresetEntry
from improviser.protocol.value import KINDS, Value

# Microseconds; rewards need no more digits. Inputs of the engine are rounded too, before it gets them.
DIGITS: Final = 6
# Names of fields in the journals of earlier versions, and what they are called now.
_FORMER_NAMES: Final = {"exchange": "mailbox"}


def value_to_json(value: Value) -> dict[str, Any]:
    """Return a value as plain JSON values; the first entry, `event`, is its kind."""
    fields = [item.name for item in dataclasses.fields(value) if item.init]  # type: ignore[arg-type] # each kind is a dataclass
    return {"event": value.event} | {name: _rounded(getattr(value, name)) for name in fields}


def value_to_line(value: Value) -> str:
    """Return a value as one line of JSON, with its end of line."""
    return json.dumps(value_to_json(value), ensure_ascii=False) + "\n"


def line_to_value(line: str) -> Value:
    """Return the value that `line` holds.

    Raises:
        ValueError: The line does not hold a value.
    """
    try:
        return json_to_value(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no value: {line.strip()[:80]!r}") from error


def json_to_value(values: Any) -> Value:  # noqa: ANN401 - any JSON value
    """Return the value that `value_to_json` returned as plain JSON values.

    Raises:
        ValueError: They are not a value.
    """
    try:
        kind = KINDS[values["event"]]
        return kind(
            **{_FORMER_NAMES.get(name, name): _frozen(value) for name, value in values.items() if name != "event"}
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"no value: {str(values)[:80]}") from error


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value with all floats rounded, at every level; negative zeros become positive."""
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, PresetEntry):
        return _rounded(dataclasses.asdict(value))
    return value


def _frozen(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with lists replaced by tuples, at every level."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
