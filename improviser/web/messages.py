"""Parses and checks messages from a page, and converts events to text for it. See docs/protocol.md."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from improviser.protocol import (
    Receive,
    Steer,
    Stepped,
    json_to_value,
    value_to_json,
)

if TYPE_CHECKING:
    from improviser.protocol import Event

MESSAGE_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Ping:
    """A page's request for the time; `sent_ms` is the page's own clock in milliseconds."""

    sent_ms: float

    def __post_init__(self) -> None:
        """Raise ValueError if `sent_ms` is not a finite number."""
        sent_ms: object = self.sent_ms
        if isinstance(sent_ms, bool) or not isinstance(sent_ms, int | float) or not math.isfinite(sent_ms):
            raise ValueError("a ping says when it was sent: sent_ms")


Said = Steer | Receive | Ping


def read_message(text: str, port: str) -> Said:
    """Return the parsed message of a page; its notes come from `port`.

    Raises:
        ValueError: The message is not valid; the text says why.
    """
    try:
        values = json.loads(text)
        name = values["event"]
        if name == "ping":
            return Ping(values["sent_ms"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError(f"no message: {text[:80]!r}") from error
    said = json_to_value(values | {"port": port} if name == Receive.event else values)
    if isinstance(said, Steer | Receive):
        return said
    raise ValueError(
        "unknown message; use turn, act, choose, lock, set_timing, set_mode, set_offset, count_in, route, receive "
        "or ping"
    )


def event_to_text(event: Event) -> str | None:
    """Return an event as text for a page, with channels 1-16; None for Stepped, which pages do not receive."""
    if isinstance(event, Stepped):
        return None
    values = value_to_json(event)
    if "channel" in values:
        values["channel"] += 1
    return to_text(values)


def to_text(values: dict[str, Any]) -> str:
    """Return plain values as JSON text."""
    return json.dumps(values, ensure_ascii=False)
