"""Reads what the beat tracker hears in terms of the engine's beat, which counts quarter notes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from improviser.listening.beat_tracker import BeatView

# Below the expected tempo by more than this factor, twice the tempo is nearer to it. Above it the tracker has counted
# more beats than it expected, which it does only for a reason: there half the tempo has to be much nearer.
SLOWER, FASTER = math.sqrt(2.0), 1.9
# A tempo within this logarithm of ours is ours, at this level or another.
SAME_TEMPO: Final = 0.2
# Both readings fit the notes equally well if most notes are no further apart than this share of a beat.
SPLIT_BEATS: Final = 0.75


@dataclass(frozen=True, slots=True)
class BeatReading:
    """What is heard, against the engine's beat.

    Attributes:
        tempo_bpm: Quarter notes per minute.
        late_beats: How many quarter notes our beat is behind the player's; negative: ahead of it.
        unit: Quarter notes in a beat of the tracker.
    """

    tempo_bpm: float
    late_beats: float
    unit: float


def read_beat(view: BeatView, in_bars: float, expected_bpm: tuple[float, ...], gap_s: float | None) -> BeatReading:
    """Return the reading of a tracker's view that is nearest to our beat.

    Plain quarters can be read as a beat or as half of one. If the notes do not say which, the reading that is nearer
    to the expected tempo is taken.

    Args:
        view: What the tracker hears now.
        in_bars: Our beat now, counted from a bar line.
        expected_bpm: The tempos that are expected, in quarter notes per minute: ours and the first one.
        gap_s: The median distance of the player's onsets; None if it is not known.
    """
    unit = period = view.meter.felt_beats
    if unit == 1.0:
        unit = _quarters(view.tempo_bpm, expected_bpm, gap_s)
        period = min(unit, 1.0)  # of a beat of two quarters, both are beats
    late = view.beat * unit - in_bars
    return BeatReading(view.tempo_bpm * unit, late - period * round(late / period), unit)


def _quarters(heard_bpm: float, expected_bpm: tuple[float, ...], gap_s: float | None) -> float:
    """Return how many quarter notes a heard beat is: 1, or 2 or 0.5 if that is as likely and nearer to the expected."""
    for quarters in (1.0, 2.0, 0.5):  # the beat that is followed stays, whatever level of it the tracker hears
        if abs(math.log(heard_bpm * quarters / expected_bpm[0])) < SAME_TEMPO:
            return quarters
    if heard_bpm > max(expected_bpm) * FASTER:
        return 0.5
    is_split = gap_s is not None and gap_s <= SPLIT_BEATS * S_PER_MINUTE / heard_bpm
    return 2.0 if is_split and heard_bpm < max(expected_bpm) / SLOWER else 1.0
