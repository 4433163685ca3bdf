"""The one queue that wakes the beat: what the inputs receive, what the supervisor commands, what is lost."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.performer.input.arrivals import Arrival
from improviser.performer.input.echo import LoopHeard
from improviser.performer.policy_history import PolicyFetched, PolicyNotFetched
from improviser.performer.preset_switcher import PresetLoaded, PresetNotLoaded
from improviser.ports.base import Disconnected, LookAheadChanged
from improviser.protocol import DIGITS, Command, Receive, Route
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.midi.message import Message
    from improviser.performer.input.echo import EchoFilter
    from improviser.performer.input.thru import Thru
    from improviser.ports.base import InputCallback, OutputPort
    from improviser.ports.clock import Clock

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
class BackendLost:
    """The MIDI system does not answer any more, and all its ports are gone with it."""

    name: str


@dataclass(frozen=True, slots=True)
class LoopClosed:
    """An input on which our own output came back was closed: it is no player's."""

    name: str


@dataclass(frozen=True, slots=True)
class PortFound:
    """A port has come, or come back, and is open."""

    name: str
    is_output: bool


@dataclass(frozen=True, slots=True)
class PortsSeen:
    """The ports of others that there are now."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rerouted:
    """Other ports were opened, as was asked for.

    Attributes:
        route: What was asked for.
        inputs: The names of all that is listened to now.
        left: The names of inputs that are listened to no more.
        output: What is to be played on; None: as before.
        is_ours: Whether `output` is a port of our own making.
    """

    route: Route
    inputs: tuple[str, ...]
    left: tuple[str, ...] = ()
    output: OutputPort | None = None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class NotRouted:
    """Ports that could not be opened, and why."""

    fault: str


@dataclass(frozen=True, slots=True)
class LinkHeard:
    """Where Link's beat is: `beat` stands at `at_s`, at a tempo, with so many peers, playing or not."""

    at_s: float
    beat: float
    tempo_bpm: float
    is_playing: bool
    peers: int = 1


# What cannot be dropped.
PortMatter = (
    BackendLost | Disconnected | LoopClosed | LoopHeard | NotRouted | PortFound | PortLost | PortsSeen | Rerouted
)
Found = PresetLoaded | PresetNotLoaded | PolicyFetched | PolicyNotFetched
Matter = Command | PortMatter | LookAheadChanged | LinkHeard | Found
Item = Arrival | Matter


@dataclass(frozen=True, slots=True)
class InputPath:
    """What a message passes before it is taken in.

    Attributes:
        clock: Tells when a message arrives that no port has stamped.
        echoes: Drops our own output that comes back.
        thru: Passes on what the player does; None where nothing does.
    """

    clock: Clock
    echoes: EchoFilter
    thru: Thru | None = None


class Inbox:
    """Arrivals up to a bound, and commands always.

    Threads: `hears` and `put` may be called from any thread, a driver's or a signal handler's too, and never
    block; the performer's loop alone takes out.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.dropped = 0
        self._path: InputPath | None = None
        self._missed = bytearray(_CHANNELS)

    def open(self, path: InputPath) -> None:
        """Send all that comes from now on through `path`; before that, messages without a time stamp are dropped."""
        self._path = path

    def put(self, item: Matter) -> None:
        """Put in what must not be lost; what is to be received arrives now, as on any port."""
        if not isinstance(item, Receive):
            self.queue.put(item)
        elif self._path is not None:
            self._receive(item.data, round(self._path.clock.now_s() * NS_PER_S), item.port, item.message)

    def hears(self, port: str) -> InputCallback:
        """Return the callback for the input called `port`."""

        def received(data: Sequence[int], at_ns: int) -> None:
            """Put in what the port has received."""
            self._receive(data, at_ns, port)

        return received

    def _receive(self, data: Sequence[int], at_ns: int, port: str, message: Message | None = None) -> None:
        """Pass on, where that is wanted, and put in what a port has received.

        Our own output that comes back is neither; what is too much is dropped.
        """
        path = self._path
        if path is not None and path.echoes.is_echo(data, at_ns / NS_PER_S, port):
            return
        if path is not None and path.thru is not None:
            path.thru.pass_on(data, at_ns, port)
        if self.queue.qsize() >= ARRIVALS_MAX:
            self.dropped += 1
            self._missed[data[0] % _CHANNELS] = 1
        else:
            self.queue.put(Arrival(data, round(at_ns / NS_PER_S, DIGITS), port, message))

    def take_missed(self) -> list[int]:
        """Return the channels of what was dropped, each once, when all that came before has been taken out."""
        if not any(self._missed) or not self.queue.empty():
            return []
        missed = [channel for channel, flag in enumerate(self._missed) if flag]
        for channel in missed:
            self._missed[channel] = 0
        return missed

    def take_many(self, most: int) -> Iterator[Item]:
        """Return what is there, at most `most` items."""
        for _ in range(min(most, self.queue.qsize())):
            yield self.queue.get_nowait()
