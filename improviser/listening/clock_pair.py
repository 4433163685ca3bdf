"""Detects two MIDI clocks on one port.

A single tick does not show which clock sent it. But the ticks of each clock form a train: an evenly spaced series.
Taken for one clock, both would be a fast and uneven one, whose tempo is the sum of both tempos.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

# Ticks at 400 beats per minute are 6.25 ms apart. A faster series is not a train.
TRAIN_MIN_S: Final = 0.006
# A train's next tick comes within this time of its expected moment (Source: design choice; clocks of one machine
# are within 1 ms), and within this share of the train's interval.
NEAR_S: Final = 0.0025
NEAR_SHARE: Final = 1 / 6
# A second train of fewer ticks may be a coincidence.
TRAIN_TICKS: Final = 4
# Between two ticks of the slower clock there are at most this many of the faster one.
RATIO_MAX: Final = 5
# Two trains are found only if the error of a single one is this many times theirs, plus this time.
WORSE_TIMES: Final = 2.0
WORSE_S: Final = 0.001
# A sender that waits for its next period has intervals of two lengths; those of one length are equal within this.
EQUAL_S: Final = 0.0006
_TICKS_PER_BEAT: Final = 24


def clock_pair(moments: Sequence[float], *, is_doubled: bool = False) -> tuple[float, float] | None:
    """Return the tempos in bpm of two clocks whose ticks came at `moments`, in seconds; None if it is one clock.

    The second clock may have begun later. Both must tick up to the end.

    Args:
        moments: Times of the last ticks, in seconds.
        is_doubled: Whether something else shows that there are two clocks, such as a start that came twice.
            Without it, ticks that fit a sender's period are taken for those of one clock.
    """
    if len(moments) <= RATIO_MAX + TRAIN_TICKS or np.ptp(np.diff(moments)) < 2 * NEAR_S:
        return None
    for step in range(1, RATIO_MAX + 1):
        first = _train(moments, step, moments[-1])
        members = set(first)
        second = [at_s for place, at_s in enumerate(moments) if place not in members]
        is_complete = len(second) >= TRAIN_TICKS and len(_train(second, 1, moments[-1])) == len(second)
        even = [moments[place] for place in first]
        if first and is_complete and _are_two(moments, even, second, is_doubled):
            return _tempo_bpm(even), _tempo_bpm(second)
    return None


def _train(moments: Sequence[float], step: int, end_s: float) -> list[int]:
    """Return the indices of the train that begins with the first moment and the one `step` later.

    The list is empty if there is no such train, or if it ends before `end_s`.
    """
    places = [0, step]
    length_s = moments[step] - moments[0]
    if length_s < TRAIN_MIN_S:
        return []
    near_s = min(NEAR_S, NEAR_SHARE * length_s)
    while (expected_s := moments[places[-1]] + length_s) - near_s <= end_s:
        place = _nearest(moments, expected_s, min(places[-1] + 1, len(moments) - 1))
        if abs(moments[place] - expected_s) > near_s:
            return places if expected_s + near_s > end_s else []
        places.append(place)
        length_s = (moments[place] - moments[0]) / (len(places) - 1)
    return places


def _nearest(moments: Sequence[float], at_s: float, first: int) -> int:
    """Return the index, `first` or higher, of the moment that is nearest to `at_s`."""
    after = min(bisect_left(moments, at_s, first), len(moments) - 1)
    return min((after, max(first, after - 1)), key=lambda place: abs(moments[place] - at_s))


def _are_two(
    moments: Sequence[float],
    first: Sequence[float],
    second: Sequence[float],
    is_doubled: bool,  # noqa: FBT001 - the argument of clock_pair
) -> bool:
    """Return whether two trains explain the ticks much better than one train, and better than a sender's period."""
    together = [at_s for at_s in moments if at_s >= second[0]]
    error_s = max(_error_s(first), _error_s(second))
    if _error_s(together) <= WORSE_TIMES * error_s + WORSE_S:
        return False
    return is_doubled or not _is_periodic(moments)


def _error_s(moments: Sequence[float]) -> float:
    """Return the root mean square distance in seconds of moments from an even series."""
    numbers = np.arange(len(moments))
    return float(np.sqrt(np.mean((moments - np.polyval(np.polyfit(numbers, moments, 1), numbers)) ** 2)))


def _is_periodic(moments: Sequence[float]) -> bool:
    """Return whether all intervals are n or n + 1 periods, as from one sender that waits for its next period."""
    intervals = np.diff(moments)
    is_long = intervals > (intervals.min() + intervals.max()) / 2
    short, long = intervals[~is_long].mean(), intervals[is_long].mean()
    period = long - short
    is_either = np.abs(intervals - np.where(is_long, long, short)) < EQUAL_S
    return bool(is_either.all() and abs(short - round(short / period) * period) < EQUAL_S)


def _tempo_bpm(moments: Sequence[float]) -> float:
    """Return the tempo of a train in beats per minute."""
    tick_s = (moments[-1] - moments[0]) / (len(moments) - 1)
    return S_PER_MINUTE / (tick_s * _TICKS_PER_BEAT)
