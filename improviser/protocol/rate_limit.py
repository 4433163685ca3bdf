"""How often something may happen: a bucket that fills by and by, and holds what one second brings."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """Lets so much happen a second, and a second's worth at once.

    Attributes:
        refused: How often it was too much.

    Threads: any.
    """

    def __init__(self, per_s: float) -> None:
        """Begin with a full bucket."""
        self.refused = 0
        self._per_s = self._left = per_s
        self._filled_s = time.monotonic()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Count something that is about to happen; return whether it may."""
        with self._lock:
            now_s = time.monotonic()
            self._left = min(self._per_s, self._left + (now_s - self._filled_s) * self._per_s)
            self._filled_s = now_s
            if self._left < 1:
                self.refused += 1
                return False
            self._left -= 1
            return True
