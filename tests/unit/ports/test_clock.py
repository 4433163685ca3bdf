"""Clocks that can be waited on."""

from __future__ import annotations

import queue
import time

from improviser.ports.clock import ManualClock, MonotonicClock


def inbox(*items: str) -> queue.SimpleQueue[str]:
    """Return a queue that holds `items`."""
    filled: queue.SimpleQueue[str] = queue.SimpleQueue()
    for item in items:
        filled.put(item)
    return filled


def test_the_monotonic_clock_is_the_machines() -> None:
    """The clock has the time of time.monotonic."""
    before = time.monotonic()
    assert before <= MonotonicClock().now_s() <= time.monotonic()


def test_the_monotonic_clock_gives_what_is_there() -> None:
    """An available item is returned at once, whatever the time."""
    clock = MonotonicClock()
    assert "now" == clock.wait(inbox("now"), clock.now_s() + 60)
    assert "late" == clock.wait(inbox("late"), clock.now_s() - 1)


def test_the_monotonic_clock_waits_until_the_moment() -> None:
    """Without an item the wait ends at the given time, not earlier."""
    clock = MonotonicClock()
    until_s = clock.now_s() + 0.005
    assert clock.wait(inbox(), until_s) is None
    assert until_s <= clock.now_s()
    assert clock.wait(inbox(), until_s) is None


def test_the_manual_clock_moves_by_waiting_alone() -> None:
    """The manual clock's time is the end of the last wait."""
    clock = ManualClock(10.0)
    assert clock.wait(inbox(), 12.5) is None
    assert (12.5, 12_500_000_000) == (clock.now_s(), clock.now_ns())
    assert clock.wait(inbox(), 11.0) is None
    assert 12.5 == clock.now_s()


def test_the_manual_clock_lets_happen_what_was_planned() -> None:
    """Scheduled calls happen at their times, in order, and may end the wait."""
    clock, items = ManualClock(), inbox()
    happened: list[float] = []
    clock.at(2.0, lambda: items.put("two"))
    clock.at(1.0, lambda: happened.append(clock.now_s()))
    assert "two" == clock.wait(items, 5.0)
    assert ([1.0], 2.0) == (happened, clock.now_s())


def test_the_manual_clock_can_be_advanced() -> None:
    """Advancing the clock runs the scheduled calls."""
    clock, happened = ManualClock(), [0]
    clock.at(1.0, lambda: happened.append(1))
    clock.at(3.0, lambda: happened.append(3))
    clock.advance(2.0)
    assert ([0, 1], 2.0) == (happened, clock.now_s())
