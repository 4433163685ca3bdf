"""The counted beats of a bar."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.music.accent import BEAT_LEVEL, LEVELS
from improviser.music.counted_bars import CountedBars
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT, Meter


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_counted_beats_are_the_accents_of_a_bar(meter: Meter) -> None:
    """The counted beats are the positions whose accent is that of a beat or stronger."""
    levels = LEVELS[METERS.index(meter), : meter.bar_sixteenths]
    accents = np.flatnonzero(levels >= BEAT_LEVEL) / SIXTEENTHS_PER_BEAT
    assert accents.tolist() == list(CountedBars(meter).beats)


@pytest.mark.parametrize(
    ("meter", "beat", "place", "following"),
    [
        (Meter(4, 4), 0.0, 0, 0.0),
        (Meter(4, 4), 0.9999999, 1, 1.0),  # a beat rounded to microseconds
        (Meter(4, 4), 1.0000001, 1, 1.0),
        (Meter(4, 4), 3.5, 3, 4.0),
        (Meter(4, 4), -0.5, 3, 0.0),
        (Meter(4, 4), -4.0, 0, -4.0),
        (Meter(6, 8), 1.0, 0, 1.5),
        (Meter(6, 8), 4.6, 1, 6.0),
        (Meter(7, 8), 2.5, 2, 3.5),
        (Meter(7, 8), 3.5, 0, 3.5),
    ],
)
def test_a_beat_has_a_place_in_its_bar(meter: Meter, beat: float, place: int, following: float) -> None:
    """Each beat belongs to the counted beat before it, and the next counted beat follows, also in a count-in."""
    bars = CountedBars(meter)
    assert place == bars.place(beat)
    assert following == pytest.approx(bars.next_beat(beat))


def test_bars_may_begin_on_any_beat() -> None:
    """After a change of meter, bars are counted from the beat of the change."""
    bars = CountedBars(Meter(3, 4), first_beat=4.0)
    assert [0, 1, 2, 0] == [bars.place(beat) for beat in (4.0, 5.0, 6.0, 7.0)]
    assert 7.0 == bars.next_beat(6.25)


def test_bars_are_numbered_on() -> None:
    """Bars after a change are numbered on, and a bar that is cut short counts as one."""
    bars = CountedBars(Meter(4, 4))
    assert [0, 1, 1, 2] == [bars.bar_at(beat) for beat in (-1.0, 0.0, 3.9, 4.0)]
    assert 8.0 == bars.line_after(4.5)
    after = bars.followed_by(Meter(3, 4), 6.0)
    assert CountedBars(Meter(3, 4), 6.0, 3) == after
    assert [2, 3, 4] == [after.bar_at(beat) for beat in (5.0, 6.0, 9.0)]
    assert 9.0 == after.line_after(6.0)


def test_bars_are_found_by_their_number() -> None:
    """A bar's line, the place of a beat in its bar, and the first bar from a beat on."""
    bars = CountedBars(Meter(3, 4), 6.0, 3)
    assert [0.0, 6.0, 9.0] == [bars.line(bar) for bar in (1, 3, 4)]
    assert [2.5, 0.0, 1.0] == [bars.in_bar(beat) for beat in (5.5, 6.0, 10.0)]
    assert [3, 3, 4] == [bars.bar_from(beat) for beat in (3.5, 6.0, 6.5)]
