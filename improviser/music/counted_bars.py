"""Bars of one meter, and the beats by which a bar is counted: those that a conductor shows and a metronome clicks.

A counted beat is a quarter in 3/4 and a dotted quarter in 6/8. A bar of 7/8 is counted as 2 + 2 + 3 eighths.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

from improviser.music.meter import COMMON, GROUPS, SIX, SIXTEENTHS_PER_BEAT, SLACK_BARS, Meter

# Sixteenths between two counted beats. In 6/8 the beat is a dotted quarter.
_QUARTER, _DOTTED_QUARTER = 4, 6


def _counted_beats(meter: Meter) -> tuple[float, ...]:
    """Return the positions of a bar's counted beats, in quarter notes from its downbeat."""
    positions: list[float] = []
    start = 0
    for plain, length in GROUPS[meter]:
        stride = _DOTTED_QUARTER if plain == SIX else _QUARTER
        positions += [(start + at) / SIXTEENTHS_PER_BEAT for at in range(0, length, stride)]
        start += length
    return tuple(positions)


@dataclass(frozen=True, slots=True)
class CountedBars:
    """Bars of one meter in a row.

    Attributes:
        meter: One of METERS.
        first_beat: A beat, in quarter notes, on which one of the bars begins.
        first_bar: The number of that bar.
    """

    meter: Meter = COMMON
    first_beat: float = 0.0
    first_bar: int = 1

    def bar_at(self, beat: float) -> int:
        """Return the number of the bar that contains `beat`."""
        return self.first_bar + math.floor((beat - self.first_beat) / self.meter.bar_beats + SLACK_BARS)

    def bar_from(self, beat: float) -> int:
        """Return the number of the first bar that begins at or after `beat`."""
        return self.first_bar + math.ceil((beat - self.first_beat) / self.meter.bar_beats - SLACK_BARS)

    def line(self, bar: int) -> float:
        """Return the beat on which bar number `bar` begins."""
        return self.first_beat + (bar - self.first_bar) * self.meter.bar_beats

    def line_after(self, beat: float) -> float:
        """Return the beat on which the bar after that of `beat` begins."""
        return self.line(self.bar_at(beat) + 1)

    def in_bar(self, beat: float) -> float:
        """Return how many quarter notes after its bar's downbeat `beat` is."""
        return beat - self.line(self.bar_at(beat))

    def followed_by(self, meter: Meter, beat: float) -> CountedBars:
        """Return bars of `meter` from `beat` on, numbered after these; a bar that is cut short counts as one."""
        return CountedBars(meter, beat, self.bar_from(beat))

    @property
    def beats(self) -> tuple[float, ...]:
        """The positions of a bar's counted beats, in quarter notes from its downbeat."""
        return _COUNTED[self.meter]

    def place(self, beat: float) -> int:
        """Return which counted beat of its bar sounds at `beat`: 0 is the downbeat."""
        _, in_bar = self._split(beat)
        return bisect_right(self.beats, in_bar) - 1

    def next_beat(self, beat: float) -> float:
        """Return the first counted beat at or after `beat`."""
        bar_start, in_bar = self._split(beat)
        place = bisect_left(self.beats, in_bar - 2 * SLACK_BARS * self.meter.bar_beats)
        return bar_start + (self.beats[place] if place < len(self.beats) else self.meter.bar_beats)

    def _split(self, beat: float) -> tuple[float, float]:
        """Return the beat on which the bar of `beat` begins, and the position in it, with a small tolerance."""
        bar_beats = self.meter.bar_beats
        bars = math.floor((beat - self.first_beat) / bar_beats + SLACK_BARS)
        start = self.first_beat + bars * bar_beats
        return start, beat - start + SLACK_BARS * bar_beats


_COUNTED: Final = {meter: _counted_beats(meter) for meter in GROUPS}
