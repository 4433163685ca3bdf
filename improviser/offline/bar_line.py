"""The positions of a song's bars; each time signature counts from its own position on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from improviser.errors import UsageError
from improviser.midi.song import MeterChange, Song
from improviser.music.meter import COMMON, Meter, counted_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A pickup is a whole number of these parts of a beat: thirty-second notes.
_PICKUP_PARTS: Final = 8
# Two computations of the same beat differ by less than this, in floating point.
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class BarLine:
    """The beginning of a bar: its beat, in quarter notes from the start of the song, and its meter."""

    beat: float
    meter: Meter


def with_bars(song: Song, otherwise: Meter, meter: Meter | None, pickup: float | None) -> Song:
    """Return `song` with the time signatures that the user asks for.

    Args:
        song: What the file holds.
        otherwise: The meter of a song that names none.
        meter: The meter of the whole song; None keeps the file's.
        pickup: Quarter notes before the first downbeat; None or 0 keeps the file's time signatures.

    Raises:
        UsageError: The pickup is as long as a bar, or not a whole number of thirty-second notes.
    """
    if meter is not None:
        song = replace(song, meter_map=(MeterChange(0, meter.numerator, meter.denominator),))
    if not pickup:
        return song
    stretches = meter_stretches(song, otherwise)
    first = [line.meter for line in stretches if line.beat <= pickup][-1]
    tick = round(pickup * song.ticks_per_beat)
    changes = (
        _pickup_bar(pickup, first),
        MeterChange(tick, first.numerator, first.denominator),
        *(change for change in song.meter_map if change.tick > tick),
    )
    return replace(song, meter_map=changes)


def _pickup_bar(beats: float, meter: Meter) -> MeterChange:
    """Return the time signature of a pickup to a bar of `meter`."""
    parts = beats * _PICKUP_PARTS
    if beats >= meter.bar_beats:
        raise UsageError(
            f"a pickup of {beats:g} quarter notes fills a bar of {meter.name}; give less than {meter.bar_beats:g}"
        )
    if parts != round(parts):
        raise UsageError(f"a pickup of {beats:g} quarter notes cannot be written; round it to eighths of one")
    shared = math.gcd(round(parts), _PICKUP_PARTS)
    return MeterChange(0, round(parts) // shared, 4 * _PICKUP_PARTS // shared)


def meter_stretches(song: Song, otherwise: Meter) -> list[BarLine]:
    """Return the first bar line of each stretch in one meter.

    Before its first time signature a song is in 4/4. A song without time signatures is in `otherwise`.
    """
    lines = [
        BarLine(change.tick / song.ticks_per_beat, Meter(change.numerator, change.denominator))
        for change in song.meter_map
    ]
    if not lines or lines[0].beat > 0:
        lines.insert(0, BarLine(0.0, COMMON if lines else otherwise))
    return lines


def after_pickup(stretches: Sequence[BarLine]) -> Sequence[BarLine]:
    """Return the stretches from the first downbeat on: a short first bar is left out."""
    if len(stretches) > 1:
        first, second = stretches[:2]
        length = second.beat - first.beat
        if length <= first.meter.bar_beats and length < second.meter.bar_beats:
            return stretches[1:]
    return stretches


def bar_end(stretches: Sequence[BarLine], beat: float) -> tuple[float, Meter]:
    """Return the first bar line at or after `beat`, except the very first one, and the meter before it."""
    begun = [line for line in stretches if line.beat < beat - _ROUNDING] or stretches[:1]
    line, later = begun[-1], stretches[len(begun) :]
    bars = max(1, math.ceil((beat - line.beat) / line.meter.bar_beats - _ROUNDING))
    return min([line.beat + bars * line.meter.bar_beats, *(other.beat for other in later)]), line.meter


def counted_lines(stretches: Sequence[BarLine], steps_per_beat: int, until: float) -> Iterator[BarLine]:
    """Return the bar lines that the engine must get, in meters that it can count.

    From the first bar of a stretch on, the engine counts by itself. But if a bar is not a whole number of steps, or if
    its meter is counted as another one, the engine must get every bar line up to the beat `until`. If bars are shorter
    than a step, it gets only bar lines that are at least a step apart.
    """
    step = 1 / steps_per_beat - _ROUNDING
    ends = (*(line.beat for line in stretches[1:]), until)
    long_enough = [line for line, end in zip(stretches, ends, strict=True) if end - line.beat >= step]
    for line, after in pairwise((*long_enough, BarLine(until, COMMON))):
        counted = counted_as(line.meter)
        yield BarLine(line.beat, counted)
        if counted != line.meter or (line.meter.bar_beats * steps_per_beat) % 1:
            end, told = min(after.beat, until), line.beat
            for bar in range(1, math.ceil((end - line.beat) / line.meter.bar_beats - _ROUNDING)):
                beat = line.beat + bar * line.meter.bar_beats
                if min(beat - told, end - beat) >= step:
                    yield BarLine(beat, counted)
                    told = beat
