"""Two clocks on one port, on ticks whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.clock_pair import TRAIN_TICKS, clock_pair

WINDOW = 64


def train(bpm: float, count: int = 400, since_s: float = 100.0, jitter_s: float = 0.0005) -> list[float]:
    """Return the times of a clock's ticks, each off by up to `jitter_s`."""
    rng = np.random.default_rng(round(bpm))
    return [since_s + place * 2.5 / bpm + rng.uniform(-jitter_s, jitter_s) for place in range(count)]


def merged(*trains: list[float]) -> list[float]:
    """Return the last ticks of several clocks on one port, while all of them ticked."""
    end_s = min(one[-1] for one in trains)
    return sorted(at_s for one in trains for at_s in one if at_s <= end_s)[-WINDOW:]


@pytest.mark.parametrize(("first", "second"), [(120, 100), (90, 133), (60, 200), (120, 60)])
def test_two_tempos_are_told_apart(first: float, second: float) -> None:
    """Two clocks on one port are found, each with its tempo."""
    pair = clock_pair(merged(train(first), train(second, since_s=100.0071)))
    assert pair is not None
    assert sorted((first, second)) == pytest.approx(sorted(pair), rel=0.01)


def test_two_clocks_of_one_tempo_are_told_apart() -> None:
    """Two clocks of the same tempo are found, although their ticks alternate."""
    pair = clock_pair(merged(train(120), train(120, since_s=100.0034)))
    assert (120, 120) == pytest.approx(pair, rel=0.01)


def test_a_clock_that_joins_is_noticed_soon() -> None:
    """A second clock is found sixteen ticks after it begins."""
    early = train(120, 200)
    late = train(97, 10, since_s=early[180] + 0.004)
    ticks = sorted(early[:190] + late)
    joined = ticks.index(late[0])
    assert None is clock_pair(ticks[joined + 2 - WINDOW : joined + 2])
    assert (120, 97) == pytest.approx(clock_pair(ticks[joined + 16 - WINDOW : joined + 16]), rel=0.02)


@pytest.mark.parametrize("bpm", [40.0, 100.0, 125.0, 237.0, 281.0])
@pytest.mark.parametrize("jitter_s", [0.0, 0.002, 0.005])
@pytest.mark.parametrize("period_s", [0.0, 0.00267, 0.010, 0.0213, 0.040])
def test_one_clock_is_one(bpm: float, jitter_s: float, period_s: float) -> None:
    """A clock with uneven ticks, or with the sender's periods, is not taken for two."""
    ticks = np.maximum.accumulate(train(bpm, jitter_s=jitter_s))
    if period_s:
        ticks = np.ceil(ticks / period_s) * period_s
    heard = [float(at_s) for at_s in ticks]
    assert not [end for end in range(WINDOW, 300, 16) if clock_pair(heard[end - WINDOW : end])]


@pytest.mark.parametrize(("before", "after"), [(120, 90), (90, 120), (60, 240), (120, 240), (240, 120)])
def test_a_change_of_tempo_is_no_second_clock(before: float, after: float) -> None:
    """A clock that changes its tempo, even to the double, is one clock."""
    early = train(before, 100)
    ticks = early + train(after, 100, since_s=early[-1] + 2.5 / after)
    assert not [end for end in range(WINDOW, 200, 3) if clock_pair(ticks[end - WINDOW : end])]


def test_a_clock_that_comes_twice_needs_a_proof() -> None:
    """Double ticks may come from the sender's period; a double start proves two clocks."""
    ticks = sorted(train(125, 40, jitter_s=0.0) * 2)
    assert None is clock_pair(ticks)
    assert (125, 125) == pytest.approx(clock_pair(ticks, is_doubled=True))


def test_few_ticks_and_trains_that_end_are_no_pair() -> None:
    """Too few ticks, or a second clock that has stopped, are no pair."""
    assert None is clock_pair([])
    both = merged(train(120), train(97, since_s=100.003))
    assert None is clock_pair(both[: TRAIN_TICKS + 1])
    later = [both[-1] + 0.05 + place * 2.5 / 120 for place in range(30)]
    assert None is clock_pair(both[-30:] + later)
