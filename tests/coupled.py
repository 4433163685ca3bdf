"""Performers that hear each other: real engines and performer loops on one simulated clock, each in a thread.

Only one of the threads runs at a time, the one with the earliest time to wake, so every run is the same.
"""

from __future__ import annotations

import itertools
import queue
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from improviser.music.meter import COMMON
from improviser.ports.clock import ManualClock
from improviser.protocol import Act, Action, Heard, Switched
from improviser.session.timeline import Timeline
from tests.performing import KEYBOARD, START_S, Performance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


# A cable, two drivers and a period of JACK.
DELAY_S = 0.006


class SharedClock:
    """The time that all seats share; it passes when all of them wait."""

    def __init__(self, seats: int) -> None:
        """Start with all seats about to take their first turn."""
        self.now_s = START_S
        self.changed = threading.Condition()
        # What tells when each seat wakes, asked anew at each turn: who runs may have sent a note to who waits.
        self.wakes_s: dict[int, Callable[[], float] | None] = dict.fromkeys(range(seats))

    def turn(self) -> tuple[float, int] | None:
        """Return the time of the next turn and the seat whose turn it is; None while one of them runs."""
        waiting = [(wake_s(), seat) for seat, wake_s in self.wakes_s.items() if wake_s is not None]
        return min(waiting) if len(waiting) == len(self.wakes_s) else None


class SeatClock(ManualClock):
    """One performer's view of the shared clock."""

    def __init__(self, shared: SharedClock, seat: int) -> None:
        """Take a seat."""
        super().__init__(START_S)
        self.shared, self.seat = shared, seat

    def now_s(self) -> float:
        """Return the current time in seconds."""
        return self.shared.now_s

    def now_ns(self) -> int:
        """Return the current time in nanoseconds."""
        return round(self.shared.now_s * 1e9)

    def _next_s(self, inbox: queue.SimpleQueue[Any], until_s: float) -> float:
        """Return the time at which this seat wakes."""
        if not inbox.empty():
            return self.shared.now_s
        return min([until_s, *(entry[0] for entry in self._plan[:1])])

    def wait(self, inbox: queue.SimpleQueue[Any], until_s: float) -> Any:  # noqa: ANN401 - any item
        """Return the next item of `inbox`, or None if `until_s` comes first."""
        shared = self.shared
        while True:
            with shared.changed:
                shared.wakes_s[self.seat] = partial(self._next_s, inbox, until_s)
                shared.changed.notify_all()
                while (turn := shared.turn()) is None or turn[1] != self.seat:
                    shared.changed.wait()
                shared.now_s = max(shared.now_s, turn[0])
                shared.wakes_s[self.seat] = None
            self.advance(shared.now_s)
            if not inbox.empty():
                return inbox.get_nowait()
            if shared.now_s >= until_s:
                return None

    def leave(self) -> None:
        """Leave the others to themselves."""
        with self.shared.changed:
            self.shared.wakes_s.pop(self.seat, None)
            self.shared.changed.notify_all()


@dataclass
class Hearing(Performance):
    """A performer whose notes others hear."""

    partner: Performance | None = None

    def _sent(self, data: Sequence[int], at_ns: int) -> None:
        """Record a message, and pass it on to the partner a little later."""
        super()._sent(data, at_ns)
        partner, arrives_s = self.partner, self.clock.now_s() + DELAY_S
        if partner is not None:
            copied = bytes(data)
            partner.clock.at(arrives_s, lambda: partner.hears[KEYBOARD](copied, round(arrives_s * 1e9)))


def run_coupled(one: Hearing, other: Hearing, until_s: float) -> None:
    """Let two performers play with each other; the first one begins alone."""
    shared = SharedClock(2)
    for seat, performer in enumerate((one, other)):
        performer.clock = SeatClock(shared, seat)
    one.partner, other.partner = other, one
    one.at(0.1, lambda: one.inbox.put(Act(Action.SOLO)))
    one.at(4.0, lambda: one.inbox.put(Act(Action.SOLO)))
    threads = [threading.Thread(target=_run, args=(performer, until_s)) for performer in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _run(performer: Performance, until_s: float) -> None:
    """Run one performer to the end, and leave the shared clock whatever happens."""
    try:
        performer.run(until_s)
    finally:
        clock = performer.clock
        assert isinstance(clock, SeatClock)
        clock.leave()


def tempos(performer: Performance, since_s: float, until_s: float, window_s: float = 5.0) -> list[float]:
    """Return the tempo in each window of some seconds between two times, in quarter notes per minute."""
    first = next(event.at_s for event in performer.events if isinstance(event, Heard | Switched))
    beats = Timeline(first, performer.settings.engine["tempo_bpm"], COMMON, performer.events)
    count = int((until_s - since_s) / window_s)
    edges = [START_S + since_s + place * window_s for place in range(count + 1)]
    return [60 * (beats.beat_at(b) - beats.beat_at(a)) / window_s for a, b in itertools.pairwise(edges)]
