"""Where a jam is in its chart: the bar of the round, and the chords that come."""

from __future__ import annotations

import math
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.music.chord import chord_from_index
from improviser.music.meter import EIGHTHS_PER_BEAT, Meter

if TYPE_CHECKING:
    from collections.abc import Sequence

# So many of the chords that come are named.
COMING: Final = 2
# A beat that is a rounding error before a bar line counts as on it.
_ROUNDING: Final = 1e-6


class ChartPlace(NamedTuple):
    """A place in a chart.

    Attributes:
        bar: Number of the bar in the round, from 1.
        bars: Bars of the chart.
        coming: Names of the next chords, at most COMING.
    """

    bar: int
    bars: int
    coming: tuple[str, ...]


def chart_place(chart: Sequence[int], meter: tuple[int, int], beat: float) -> ChartPlace | None:
    """Return the place at a beat, counted from the chart's first bar; None without a chart, or before it.

    Args:
        chart: The chord of each eighth, as in EngineSettings.chart.
        meter: Numerator and denominator.
        beat: In quarter notes.
    """
    if not chart or beat < -_ROUNDING:
        return None
    bar_eighths = round(Meter(*meter).bar_beats * EIGHTHS_PER_BEAT)
    at = math.floor((beat + _ROUNDING) * EIGHTHS_PER_BEAT) % len(chart)
    # One after the other, so that a long chart costs no more than the way to the next chords.
    ahead = (chart[(at + eighths) % len(chart)] for eighths in range(len(chart) + 1))
    changes = (now for before, now in pairwise(ahead) if now != before)
    names = (chord.name for chord in map(chord_from_index, changes) if chord is not None)
    return ChartPlace(at // bar_eighths + 1, len(chart) // bar_eighths, tuple(islice(names, COMING)))
