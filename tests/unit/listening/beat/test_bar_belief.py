"""The belief about the bar."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.beat.bar_belief import BarBelief
from improviser.listening.beat.bar_network import BAR_SHAPES, BarEvidence, BarNetwork
from improviser.listening.beat.beat_grid import PLACES
from improviser.listening.beat.beat_summary import SUMMARY
from improviser.music.meter import Meter


def seen(size: int, place: int, *, thirds: bool = False) -> BarEvidence:
    """Return evidence for a place in a bar of some beats."""
    chances = np.full(len(PLACES), 0.05)
    chances[PLACES.index((size, place))] = 0.6
    logs = np.log(chances / chances.sum()).astype(np.float32)
    return BarEvidence(logs, np.log(np.array([0.1, 0.9] if thirds else [0.9, 0.1], dtype=np.float32)))


def counted(size: int, beats: int, *, thirds: bool = False, meter: Meter | None = None) -> BarBelief:
    """Return a belief that has seen some beats of bars of one size."""
    bars = BarBelief(meter)
    for beat in range(beats):
        bars.weigh(seen(size, beat % size, thirds=thirds))
        bars.advance()
    return bars


@pytest.mark.parametrize(
    ("size", "thirds", "name"),
    [(2, False, "2/4"), (3, False, "3/4"), (4, False, "4/4"), (2, True, "6/8"), (3, True, "9/8"), (4, True, "12/8")],
)
def test_the_meter_is_found(size: int, thirds: bool, name: str) -> None:  # noqa: FBT001 - a parameter of the test
    """Evidence of each beat adds up to the meter and to the place in the bar."""
    bars = counted(size, 5 * size + 1, thirds=thirds)
    assert (name, 1 % size) == (bars.meter.name, bars.beat_in_bar)


def test_a_given_meter_stays() -> None:
    """If the meter is given, only the place in the bar is found."""
    bars = counted(3, 12, meter=Meter(4, 4))
    assert Meter(4, 4) == bars.meter
    assert 0 <= bars.beat_in_bar < 4


def test_a_meter_that_cannot_be_followed_is_found_like_any() -> None:
    """A given meter of five beats is not one of those that are told apart."""
    assert Meter(3, 4) == counted(3, 12, meter=Meter(5, 4)).meter


def test_the_bar_network_judges_after_each_beat() -> None:
    """The judgement is a distribution, and depends on the beats before."""
    rng = np.random.default_rng(0)
    network = BarNetwork({name: rng.normal(size=shape) for name, shape in BAR_SHAPES.items()})
    row = np.ones(SUMMARY, dtype=np.float32)
    first, second = network.add_beat(row), network.add_beat(row)
    assert pytest.approx(1, abs=1e-4) == np.exp(second.place).sum()
    assert pytest.approx(1, abs=1e-4) == np.exp(second.thirds).sum()
    assert not np.allclose(first.place, second.place)
