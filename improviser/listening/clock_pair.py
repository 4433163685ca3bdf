"""Two MIDI clocks on one port: their ticks cannot be told apart one by one, but as two even trains they can.

Taken for one clock they would be a fast and uneven one, whose tempo is the sum of both.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

# Ticks of 400 beats a minute are 6.25 ms apart; nothing faster is a train.
TRAIN_MIN_S: Final = 0.006
# A train's next tick is this near to its moment (Source: design choice; clocks of a machine are within 1 ms),
# and nearer than this share of its interval.
NEAR_S: Final = 0.0025
NEAR_SHARE: Final = 1 / 6
# A second train of fewer ticks may be chance.
TRAIN_TICKS: Final = 4
# Between two ticks of the slower clock there are at most so many of the faster one.
RATIO_MAX: Final = 5
# Two trains explain ticks only where one line leaves so many times their error, and this much more.
WORSE_TIMES: Final = 2.0
WORSE_S: Final = 0.001
# The intervals of a sender that waits for its next period are equal within this.
EQUAL_S: Final = 0.0006
_TICKS_PER_BEAT: Final = 24


def clock_pair(moments: Sequence[float], *, is_doubled: bool = False) -> tuple[float, float] | None:
    """Return the tempos of two clocks whose ticks came at `moments`, in seconds; None where it is one clock.

    The second clock may have begun later. Both have to tick up to the end.

    Args:
        moments: When the last ticks came.
        is_doubled: Whether something else shows that there are two, such as a start that came twice. Without
            it, ticks on the grid of a sender's period are taken for one clock's.
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
    """Return the places of the even train of the first moment and the one `step` later.

    None where it ends before `end_s`.
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
    """Return the place of the moment that is nearest to `at_s`, at the place `first` or later."""
    after = min(bisect_left(moments, at_s, first), len(moments) - 1)
    return min((after, max(first, after - 1)), key=lambda place: abs(moments[place] - at_s))


def _are_two(
    moments: Sequence[float],
    first: Sequence[float],
    second: Sequence[float],
    is_doubled: bool,  # noqa: FBT001 - as clock_pair has it
) -> bool:
    """Return whether two trains explain ticks much better than one, and a sender's period does not."""
    together = [at_s for at_s in moments if at_s >= second[0]]
    error_s = max(_error_s(first), _error_s(second))
    if _error_s(together) <= WORSE_TIMES * error_s + WORSE_S:
        return False
    return is_doubled or not _is_periodic(moments)


def _error_s(moments: Sequence[float]) -> float:
    """Return how far moments are from an even train, as the root of the mean square."""
    numbers = np.arange(len(moments))
    return float(np.sqrt(np.mean((moments - np.polyval(np.polyfit(numbers, moments, 1), numbers)) ** 2)))


def _is_periodic(moments: Sequence[float]) -> bool:
    """Return whether intervals are n and n + 1 periods: one clock whose sender waits for its next period."""
    intervals = np.diff(moments)
    is_long = intervals > (intervals.min() + intervals.max()) / 2
    short, long = intervals[~is_long].mean(), intervals[is_long].mean()
    period = long - short
    is_either = np.abs(intervals - np.where(is_long, long, short)) < EQUAL_S
    return bool(is_either.all() and abs(short - round(short / period) * period) < EQUAL_S)


def _tempo_bpm(moments: Sequence[float]) -> float:
    """Return the tempo of a train."""
    tick_s = (moments[-1] - moments[0]) / (len(moments) - 1)
    return S_PER_MINUTE / (tick_s * _TICKS_PER_BEAT)
