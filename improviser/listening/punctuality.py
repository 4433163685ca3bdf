"""How punctual the player is: the share of onsets that come only after their step was decided."""

from __future__ import annotations

from collections import deque
from typing import Final

# How many of the player's onsets are remembered. The assumption before the first counts as much as ASSUMED onsets.
ONSETS: Final = 24
ASSUMED: Final = 2
# Two computations of the same moment differ by less than this.
_ROUNDING_S: Final = 1e-6


class Punctuality:
    """Remembers how far one player's onsets are from their steps."""

    def __init__(self) -> None:
        """Start without an onset."""
        self._offsets_s: deque[float] = deque(maxlen=ONSETS)

    def add_onset(self, offset_s: float) -> None:
        """Remember an onset that comes `offset_s` seconds after its step."""
        self._offsets_s.append(offset_s)

    def share_after(self, decided_s: float) -> float:
        """Return the share, 0-1, of onsets that come later than `decided_s` seconds after their step.

        Before the first onset, the player is taken to play exactly on the steps.
        """
        assumed = ASSUMED * (decided_s < -_ROUNDING_S)
        late = sum(offset_s > decided_s + _ROUNDING_S for offset_s in self._offsets_s)
        return (late + assumed) / (len(self._offsets_s) + ASSUMED)
