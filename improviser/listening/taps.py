"""Tap tempo."""

from __future__ import annotations

from collections import deque
from typing import Final

from improviser.units import S_PER_MINUTE

# After two seconds without a tap, the next one starts again (Source: usual for metronomes; 30 bpm).
ANEW_S: Final = 2.0
# The tempo is the mean of the last four intervals: a bar of 4/4.
SPANS: Final = 4


class Taps:
    """Computes a tempo from the last taps."""

    def __init__(self) -> None:
        """Start without taps."""
        self._at_s: deque[float] = deque(maxlen=SPANS + 1)

    def tap(self, at_s: float) -> float | None:
        """Process a tap at `at_s`; return the tempo in quarter notes per minute, None after the first tap."""
        if self._at_s and not 0.0 < at_s - self._at_s[-1] <= ANEW_S:
            self._at_s.clear()
        self._at_s.append(at_s)
        spans = len(self._at_s) - 1
        return S_PER_MINUTE * spans / (at_s - self._at_s[0]) if spans else None
