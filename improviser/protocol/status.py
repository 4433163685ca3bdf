"""The events about the performer's status: it rests, a port has changed, a request was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from improviser.protocol.value import Event


@dataclass(frozen=True, slots=True)
class Rested(Event):
    """The player has been silent for the preset's number of bars; improviser rests until the next note.

    Attributes:
        at_s: The moment since which it rests.
        beat: Position of the last step. Without an external clock, the next note begins the bar after that step's.
    """

    event: ClassVar[str] = "rested"
    at_s: float
    beat: float


@dataclass(frozen=True, slots=True)
class PortChanged(Event):
    """A port appeared or disappeared.

    Attributes:
        name: Name of the port.
        is_output: Whether it is the output; else it is an input.
        is_there: Whether it is open.
        may_return: Whether a port that disappeared is opened again when it is back.
    """

    event: ClassVar[str] = "port"
    name: str
    is_output: bool
    is_there: bool
    may_return: bool = True


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A request was refused.

    Attributes:
        what: The control that sent the request: "preset", "key", "tempo", "ports", "count_in", or the name of an
            Action.
        text: The reason, and what to do instead.
    """

    event: ClassVar[str] = "refused"
    what: str
    text: str
