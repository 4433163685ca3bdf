"""What a page says, checked; and what it is told, as text. docs/protocol.md."""

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
    """A page asks what time it is; `sent_ms` is its own."""

    sent_ms: float

    def __post_init__(self) -> None:
        """Raise ValueError where that is no number."""
        sent_ms: object = self.sent_ms
        if isinstance(sent_ms, bool) or not isinstance(sent_ms, int | float) or not math.isfinite(sent_ms):
            raise ValueError("a ping says when it was sent: sent_ms")


Said = Steer | Receive | Ping


def read_message(text: str, port: str) -> Said:
    """Return what a page says; notes come on `port`.

    Raises:
        ValueError: Nothing that is understood; the text says why.
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
    raise ValueError("unknown message; use turn, act, choose, lock, route, receive or ping")


def event_to_text(event: Event) -> str | None:
    """Return an event as a page is told it, channels 1-16; None for the steps, of which it is not told."""
    if isinstance(event, Stepped):
        return None
    values = value_to_json(event)
    if "channel" in values:
        values["channel"] += 1
    return to_text(values)


def to_text(values: dict[str, Any]) -> str:
    """Return plain values as text."""
    return json.dumps(values, ensure_ascii=False)
