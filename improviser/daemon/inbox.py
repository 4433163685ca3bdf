"""The one queue that wakes the beat: what the inputs receive, what the supervisor commands, what is lost."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.control import DIGITS, Command
from improviser.daemon.ear import Arrival
from improviser.daemon.lessons import Fetched, NotFetched
from improviser.daemon.repertoire import Loaded, NotLoaded
from improviser.ports.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.daemon.thru import Thru
    from improviser.ports.base import InputCallback

# More than a second of the fastest MIDI cable (about 1,000 notes); beyond that the oldest are served first.
ARRIVALS_MAX: Final = 2048
_CHANNELS: Final = 16


@dataclass(frozen=True, slots=True)
class PortLost:
    """A port that was open is gone; where it `may_return` it will be opened again."""

    name: str
    is_output: bool
    may_return: bool = False


@dataclass(frozen=True, slots=True)
class PortFound:
    """A port has come, or come back, and is open."""

    name: str
    is_output: bool


@dataclass(frozen=True, slots=True)
class LinkHeard:
    """Where Link's beat is: `beat` stands at `at_s`, at a tempo, and the transport runs or not."""

    at_s: float
    beat: float
    tempo_bpm: float
    is_playing: bool


# What cannot be dropped.
Matter = Command | PortLost | PortFound | LinkHeard | Loaded | NotLoaded | Fetched | NotFetched
Item = Arrival | Matter


class Inbox:
    """Arrivals up to a bound, and commands always.

    Threads: `hears` and `put` may be called from any thread, a driver's or a signal handler's too, and never
    block; the beat alone takes out.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.dropped = 0
        self.thru: Thru | None = None
        self._missed = bytearray(_CHANNELS)

    def put(self, item: Matter) -> None:
        """Put in what must not be lost."""
        self.queue.put(item)

    def hears(self, port: str) -> InputCallback:
        """Give the callback for the input called `port`; it drops and counts what is too much."""

        def received(data: Sequence[int], at_ns: int) -> None:
            """Pass on, where that is wanted, and put in what the port has received."""
            if self.thru is not None:
                self.thru.pass_on(data, at_ns, port)
            if self.queue.qsize() >= ARRIVALS_MAX:
                self.dropped += 1
                self._missed[data[0] % _CHANNELS] = 1
            else:
                self.queue.put(Arrival(data, round(at_ns / NS_PER_S, DIGITS), port))

        return received

    def take_missed(self) -> list[int]:
        """Give the channels of what was dropped, each once, when all that came before has been taken out."""
        if not any(self._missed) or not self.queue.empty():
            return []
        missed = [channel for channel, flag in enumerate(self._missed) if flag]
        for channel in missed:
            self._missed[channel] = 0
        return missed

    def take_many(self, most: int) -> Iterator[Item]:
        """Give what is there, at most `most` items."""
        for _ in range(min(most, self.queue.qsize())):
            yield self.queue.get_nowait()
