"""What takes too long for the beat, done beside it: only what is wanted last is worth doing."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

WantedT = TypeVar("WantedT")


class Worker(Generic[WantedT]):
    """Does what is wanted in a thread of its own, and passes over what is not wanted any more.

    Threads: any may want; the doing is in its own. It has to be made before its maker takes real-time
    priority, which threads inherit.
    """

    def __init__(self, name: str, do: Callable[[WantedT], None]) -> None:
        """Be ready to `do` what is wanted."""
        self._do = do
        self._wanted: queue.SimpleQueue[WantedT] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def want(self, wanted: WantedT) -> None:
        """Ask for something to be done, without waiting for it."""
        self._wanted.put(wanted)

    def _run(self) -> None:
        """Do what is wanted last, again and again."""
        while True:
            wanted = self._wanted.get()
            while not self._wanted.empty():
                wanted = self._wanted.get()
            self._do(wanted)
