"""A rate limit: a token bucket with a one-second burst."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """Allows `per_s` events per second, and a burst of one second's worth.

    Attributes:
        refused: Number of events that were refused.

    Threads: any.
    """

    def __init__(self, per_s: float) -> None:
        """Start with a full bucket."""
        self.refused = 0
        self._per_s = self._left = per_s
        self._filled_s = time.monotonic()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Count an event that is about to happen; return whether it may happen."""
        with self._lock:
            now_s = time.monotonic()
            self._left = min(self._per_s, self._left + (now_s - self._filled_s) * self._per_s)
            self._filled_s = now_s
            if self._left < 1:
                self.refused += 1
                return False
            self._left -= 1
            return True
