"""A tempo that is tapped."""

from __future__ import annotations

from collections import deque
from typing import Final

from improviser.units import S_PER_MINUTE

# Two seconds without a tap and the next one begins anew (Source: the usual time of metronomes, 30 bpm).
ANEW_S: Final = 2.0
# The pace is that of the last four spans: a bar of 4/4.
SPANS: Final = 4


class Taps:
    """Remembers the last taps."""

    def __init__(self) -> None:
        """Start with none."""
        self._at_s: deque[float] = deque(maxlen=SPANS + 1)

    def tap(self, at_s: float) -> float | None:
        """Process a tap at `at_s`; return the tempo in quarter notes a minute, None after the first one."""
        if self._at_s and not 0.0 < at_s - self._at_s[-1] <= ANEW_S:
            self._at_s.clear()
        self._at_s.append(at_s)
        spans = len(self._at_s) - 1
        return S_PER_MINUTE * spans / (at_s - self._at_s[0]) if spans else None
