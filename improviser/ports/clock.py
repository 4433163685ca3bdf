"""Clocks: they return the time, and wait for a message or until a time, whichever comes first."""

from __future__ import annotations

import heapq
import itertools
import queue
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

ItemT = TypeVar("ItemT")


class Clock(Protocol):
    """A source of monotonic seconds that can be waited on."""

    def now_s(self) -> float:
        """Return the current time in seconds."""

    def wait(self, inbox: queue.SimpleQueue[ItemT], until_s: float) -> ItemT | None:
        """Return the next item of `inbox`, or None if `until_s` comes first."""


class MonotonicClock:
    """The machine's monotonic clock, which corrections of the wall clock do not move.

    Threads: One thread calls `wait`, which blocks. An item that another thread puts into the inbox ends the wait at
    once. The deadline is absolute, and every call compares it with the clock again, so errors do not add up.
    """

    def now_s(self) -> float:
        """Return the current time in seconds."""
        return time.monotonic()

    def wait(self, inbox: queue.SimpleQueue[ItemT], until_s: float) -> ItemT | None:
        """Return the next item of `inbox`, or None if `until_s` comes first."""
        left_s = until_s - self.now_s()
        try:
            return inbox.get(timeout=left_s) if left_s > 0 else inbox.get_nowait()
        except queue.Empty:
            return None


class ManualClock:
    """A clock for tests. Time passes only while somebody waits, and planned actions run at their times."""

    def __init__(self, start_s: float = 0.0) -> None:
        """Start at `start_s` with nothing planned."""
        self._now_s = start_s
        self._plan: list[tuple[float, int, Callable[[], Any]]] = []
        self._order = itertools.count()

    def now_s(self) -> float:
        """Return the current time in seconds."""
        return self._now_s

    def now_ns(self) -> int:
        """Return the current time in nanoseconds, as a driver stamps it."""
        return round(self._now_s * NS_PER_S)

    def at(self, at_s: float, happening: Callable[[], Any]) -> None:
        """Plan to call `happening` at the time `at_s`."""
        heapq.heappush(self._plan, (at_s, next(self._order), happening))

    def advance(self, until_s: float) -> None:
        """Advance the time to `until_s`, and run what was planned until then."""
        while self._plan and self._plan[0][0] <= until_s:
            at_s, _, happening = heapq.heappop(self._plan)
            self._now_s = max(self._now_s, at_s)
            happening()
        self._now_s = max(self._now_s, until_s)

    def wait(self, inbox: queue.SimpleQueue[ItemT], until_s: float) -> ItemT | None:
        """Return the next item of `inbox`, or None if `until_s` comes first."""
        while inbox.empty() and self._plan and self._plan[0][0] <= until_s:
            self.advance(self._plan[0][0])
        if not inbox.empty():
            return inbox.get_nowait()
        self._now_s = max(self._now_s, until_s)
        return None
