"""How many bars ago the player played the same: music repeats itself, and so may who plays along.

Each number of bars has a run: the onsets in a row that were the same, at the same place of the bar, that many bars
before. An onset that differs cuts it down, so that a varied note does not end it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from improviser.listening.line import NONE

# So many bars are remembered.
MEMORY_BARS: Final = 64
# So many onsets in a row are no accident.
LEAST_RUN: Final = 3.0
# What an onset that differs leaves of a run, and the longest run.
_CUT: Final = 0.3
_LONGEST: Final = 32.0


class Recurrence:
    """Finds where the player has played what is played now.

    Attributes:
        bars: How many bars ago; 0 if the player repeats nothing.
    """

    def __init__(self, bar_steps: int) -> None:
        """Start with nothing remembered."""
        self.set_bar(bar_steps)

    def set_bar(self, bar_steps: int) -> None:
        """Count bars of `bar_steps` steps from now on; what was played in other bars is forgotten."""
        self._bar_steps = bar_steps
        self._events = np.full(MEMORY_BARS * bar_steps, NONE, dtype=np.int16)
        self._runs = np.zeros(MEMORY_BARS)
        self._last = -1
        self.bars = 0

    @property
    def steps(self) -> int:
        """How many steps ago the player has played the same; 0 if the player repeats nothing."""
        return self.bars * self._bar_steps

    def push(self, step: int, event: int) -> None:
        """Process what the top voice does in a step; a step that does not follow the last begins anew.

        Args:
            step: Number of the step.
            event: A note, HOLD or REST.
        """
        if step != self._last + 1:
            self.set_bar(self._bar_steps)
        self._last = step
        size = len(self._events)
        # The event MEMORY_BARS bars ago is where the new one goes.
        before = self._events[(step - self._bar_steps * np.arange(1, MEMORY_BARS + 1)) % size]
        self._events[step % size] = event
        if event >= 0:
            self._runs = np.where(before == event, np.minimum(self._runs + 1, _LONGEST), self._runs * _CUT)
        else:
            self._runs[before >= 0] *= _CUT
        best = int(self._runs.argmax())
        self.bars = best + 1 if self._runs[best] >= LEAST_RUN else 0
