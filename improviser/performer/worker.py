"""Does in the background what takes too long for the performer's loop. Only the newest request counts."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

WantedT = TypeVar("WantedT")


class Worker(Generic[WantedT]):
    """Carries out requests in a thread of its own, and skips those that a newer one replaces.

    Threads: Any thread may call `want`. The worker's thread carries out the requests. Create the worker before its
    creator takes real-time priority, because threads inherit that.
    """

    def __init__(self, name: str, do: Callable[[WantedT], None]) -> None:
        """Start the thread, which calls `do` with each request."""
        self._do = do
        self._wanted: queue.SimpleQueue[WantedT] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def want(self, wanted: WantedT) -> None:
        """Request something without waiting for it."""
        self._wanted.put(wanted)

    def _run(self) -> None:
        """Carry out the newest request, again and again."""
        while True:
            wanted = self._wanted.get()
            while not self._wanted.empty():
                wanted = self._wanted.get()
            self._do(wanted)
