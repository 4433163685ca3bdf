"""The events that tell what improviser has inferred and what it plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from improviser.protocol.value import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Understood(Event):
    """Key and chord as improviser hears them, and the place in the chart, once per step if there is time.

    Attributes:
        at_s: The current time.
        machine_s: The current time by the machine's own monotonic clock, which other processes can read.
        beat: The current beat.
        key: Name of the key.
        key_confidence: Probability of the key, 0-1; 1 if it is locked.
        chord: Name of the implied chord, None if there is none.
        chord_confidence: Probability of the chord, 0-1.
        expected: The likeliest things that the player was expected to do in the last step, at most three, each as in
            `engine.anticipation.Expected`; empty if it was known.
        coming: Names of the next chords of the chart; empty without a chart.
        chart_bar: The bar of the chart, from 1, and how many it has; None without a chart.
        turn: Whether it is improviser's turn, the bar of the turn, from 1, and how many it has; None without turns.
    """

    event: ClassVar[str] = "understood"
    at_s: float
    machine_s: float
    beat: float
    key: str
    key_confidence: float
    chord: str | None
    chord_confidence: float
    expected: tuple[Mapping[str, Any], ...] = ()
    coming: tuple[str, ...] = ()
    chart_bar: tuple[int, int] | None = None
    turn: tuple[bool, int, int] | None = None


@dataclass(frozen=True, slots=True)
class BeatFound(Event):
    """The player's beat as improviser hears it, once per beat while it follows the player.

    Attributes:
        at_s: The moment of the report.
        beat: The beat of the jam at that moment.
        tempo_bpm: Quarter notes per minute.
        confidence: How sure improviser is of the beat, 0-1. Below a limit it keeps its tempo.
        is_followed: Whether it is sure enough to follow.
        is_waiting: Whether it waits at a fermata.
    """

    event: ClassVar[str] = "beat"
    at_s: float
    beat: float
    tempo_bpm: float
    confidence: float
    is_followed: bool = True
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """The notes it will play next if the player goes on as now; sent by the supervisor on every beat.

    Attributes:
        at_s: The moment of that beat.
        beat: The beat from which the plan begins.
        notes: The planned notes, each as in `session.forecast.play_ahead`.
    """

    event: ClassVar[str] = "planned"
    at_s: float
    beat: float
    notes: Sequence[Mapping[str, Any]]
