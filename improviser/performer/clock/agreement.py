"""Says whether our own beat explains the player's notes, so that there is nothing to follow.

A partner that follows us plays on our grid, and so does a player who keeps our tempo. Their notes come up to as much
after our steps as ours do, and a little earlier or later. As long as they do, the tempo is right: what a tracker hears
beside it is noise, and two partners that followed each other's noise would run away.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from improviser.engine import Engine

# How much earlier than our steps, and later than our notes, a note may come. People are 20 to 40 ms apart.
EARLY_S, LATE_S = 0.015, 0.020
# The notes that are looked at, and how many of them have to be on our grid: all but a few, and one of the last two.
NOTES: Final = 12
TOGETHER_NOTES: Final = 9
LAST: Final = 2
# The grid is one on which a note that is nowhere is at most about this often right.
BY_CHANCE: Final = 0.46
_PARTS: Final = (4, 2, 1)


class Agreement:
    """Compares the player's last onsets with our grid."""

    def __init__(self) -> None:
        """Start without onsets."""
        self._is_on_grid: deque[bool] = deque(maxlen=NOTES)

    @property
    def is_together(self) -> bool:
        """Whether our beat explains the last onsets."""
        last = list(self._is_on_grid)[-LAST:]
        return sum(self._is_on_grid) >= TOGETHER_NOTES and any(last)

    def add_onset(self, engine: Engine, at_s: float, beat_s: float) -> None:
        """Compare an onset at `at_s` with the engine's grid, while a beat takes `beat_s`."""
        late_s = engine.due_lag_s + LATE_S
        parts = next((parts for parts in _PARTS if EARLY_S + late_s <= BY_CHANCE * beat_s / parts), 1)
        beat = engine.beat_at(at_s + EARLY_S)
        since_s = (beat * parts % 1.0) / parts * beat_s
        self._is_on_grid.append(since_s <= EARLY_S + late_s)
