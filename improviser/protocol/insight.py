"""What is made of what was heard, and what is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from improviser.protocol.value import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Understood(Event):
    """Key and chord as improviser hears them, once per step if there is time.

    Attributes:
        at_s: Now.
        machine_s: The same by the machine's own monotonic clock, which other processes know.
        beat: Where the beat stands now.
        key: Name of the key.
        key_confidence: Its probability, 0-1; 1 where it is locked.
        chord: Name of the implied chord, None where none is.
        chord_confidence: Its probability, 0-1.
    """

    event: ClassVar[str] = "understood"
    at_s: float
    machine_s: float
    beat: float
    key: str
    key_confidence: float
    chord: str | None
    chord_confidence: float


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """The notes it will play next if the player goes on as now; sent by the supervisor on every beat.

    Attributes:
        at_s: The moment of that beat.
        beat: From which beat on it is planned.
        notes: Each as `daemon.forecast.play_ahead` has it.
    """

    event: ClassVar[str] = "planned"
    at_s: float
    beat: float
    notes: Sequence[Mapping[str, Any]]
