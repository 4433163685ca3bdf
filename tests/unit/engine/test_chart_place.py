"""The place in a chart, and the chords that come."""

from __future__ import annotations

import pytest

from improviser.engine.chart_place import ChartPlace, chart_place
from improviser.music.chord import NO_CHORD, Chord

C, F, G7 = (Chord(root, quality).index for root, quality in ((0, 0), (5, 0), (7, 4)))
# Three bars of 4/4: C, then F and G7 for two beats each, then nothing.
CHART = [C] * 8 + [F] * 4 + [G7] * 4 + [NO_CHORD] * 8
FOUR = 4, 4


@pytest.mark.parametrize(
    ("beat", "place"),
    [
        (0.0, ChartPlace(1, 3, ("F", "G7"))),
        (3.9, ChartPlace(1, 3, ("F", "G7"))),
        (4.0 - 1e-9, ChartPlace(2, 3, ("G7", "C"))),
        (6.0, ChartPlace(2, 3, ("C", "F"))),
        (8.0, ChartPlace(3, 3, ("C", "F"))),
        (12.0, ChartPlace(1, 3, ("F", "G7"))),
    ],
)
def test_the_place_goes_round(beat: float, place: ChartPlace) -> None:
    """Bars count from 1 in each round; the next two changes are named, past the end too, without what is no chord."""
    assert place == chart_place(CHART, FOUR, beat)


def test_other_meters_have_other_bars() -> None:
    """A bar of 3/4 has six eighths."""
    assert ChartPlace(2, 2, ("C", "F")) == chart_place([C] * 6 + [F] * 6, (3, 4), 3.0)


def test_one_chord_has_no_next() -> None:
    """A chart of one chord names none that comes."""
    assert ChartPlace(1, 1, ()) == chart_place([C] * 8, FOUR, 1.0)


def test_there_may_be_no_place() -> None:
    """Without a chart, and before its first bar, there is none."""
    assert None is chart_place([], FOUR, 1.0)
    assert None is chart_place(CHART, FOUR, -0.5)
