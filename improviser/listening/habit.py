"""The player's habit: how far behind or ahead of the grid they play.

Everybody plays 10 to 40 ms off the beat, the same way for minutes. With this offset known, a note belongs to the step
that is nearest after it is taken off.
"""

from __future__ import annotations

import cmath
import math
from typing import Final

# How much older onsets count beside the newest: about the last 16 do.
_PACE: Final = 1 / 16
# Onsets on the beat say most: beside them, swing and ornaments shift the others.
_OFF_BEAT: Final = 0.25
# How many onsets exactly on the grid the offset is weighed against.
_DOUBT: Final = 2.0
# Offsets are looked for from a quarter of a step early to three quarters late, as people are late more often.
_EARLIEST: Final = -0.25
# The habit is at most this far from the grid, in steps.
LIMIT_STEPS: Final = 0.49
# An offset smaller than this, in steps, is none.
_NONE_STEPS: Final = 0.04
# With onsets less at one than this, from 0 (spread evenly) to 1 (all at the same offset), there is no habit.
_CONCENTRATION: Final = 0.4
# Onsets nearer to each other than this, in steps, are one chord, which counts once.
_CHORD_STEPS: Final = 0.3


class Habit:
    """Learns one player's mean offset from the grid."""

    def __init__(self) -> None:
        """Start with a player who is exactly on the grid."""
        self._sum = complex(_DOUBT)
        self._weight = _DOUBT
        self._last = -math.inf

    @property
    def steps(self) -> float:
        """How many steps after the grid the player plays, negative if before, at most LIMIT_STEPS."""
        turn = cmath.phase(self._sum) / math.tau
        offset = turn if turn >= _EARLIEST else turn + 1
        if abs(offset) < _NONE_STEPS or abs(self._sum) < _CONCENTRATION * self._weight:
            return 0.0
        return min(offset, LIMIT_STEPS)

    def add_onset(self, steps: float, steps_per_beat: int) -> None:
        """Learn from an onset at `steps` on the grid, counted from a beat."""
        if 0 <= steps - self._last < _CHORD_STEPS:
            return
        self._last = steps
        is_on_beat = round(steps - self.steps) % steps_per_beat == 0
        weight = 1.0 if is_on_beat else _OFF_BEAT
        kept = 1 - _PACE * weight
        self._weight = kept * self._weight + weight
        self._sum = kept * self._sum + weight * cmath.exp(1j * math.tau * (steps % 1.0))
