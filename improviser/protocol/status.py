"""What the performer tells of how it stands: that it rests, which ports it has, what it does not do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from improviser.protocol.value import Event


@dataclass(frozen=True, slots=True)
class Rested(Event):
    """The player has been silent for the preset's number of bars; improviser rests until the next note.

    Attributes:
        at_s: Since when.
        beat: Place of the last step. Without an outer clock, the next note begins the bar after that step's.
    """

    event: ClassVar[str] = "rested"
    at_s: float
    beat: float


@dataclass(frozen=True, slots=True)
class PortChanged(Event):
    """A port appeared or disappeared.

    Attributes:
        name: Its name.
        is_output: Whether it is the one that is played on; else it is listened to.
        is_there: Whether it is open.
        may_return: Whether one that has gone is opened again when it is back.
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
        what: Which control asked: "preset", "key", "tempo", "ports", or the name of an Action.
        text: Why, and what can be done instead.
    """

    event: ClassVar[str] = "refused"
    what: str
    text: str
