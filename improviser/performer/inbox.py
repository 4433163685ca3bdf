"""The queue that wakes the performer's loop: received messages, the supervisor's commands, and changes of ports."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.performer.input.arrivals import Arrival
from improviser.performer.input.echo import LoopHeard
from improviser.performer.policy_history import PolicyFetched, PolicyNotFetched
from improviser.performer.preset_switcher import PresetLoaded, PresetNotLoaded
from improviser.ports.base import Disconnected, LookAheadChanged
from improviser.ports.jack_transport import JackPlace
from improviser.protocol import DIGITS, Command, Receive, Route
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.midi.message import Message
    from improviser.performer.input.echo import EchoFilter
    from improviser.performer.input.thru import Thru
    from improviser.ports.base import InputCallback, OutputPort
    from improviser.ports.clock import Clock

# More than one second of the fastest MIDI cable (about 1,000 notes). Above this, new messages are dropped.
ARRIVALS_MAX: Final = 2048
_CHANNELS: Final = 16


@dataclass(frozen=True, slots=True)
class PortLost:
    """A port that was open has gone. If it `may_return`, it is opened again then."""

    name: str
    is_output: bool
    may_return: bool = False


@dataclass(frozen=True, slots=True)
class BackendLost:
    """The MIDI system no longer answers, and all its ports have gone with it."""

    name: str


@dataclass(frozen=True, slots=True)
class LoopClosed:
    """An input was closed because our own output came back on it, so it is not a player's."""

    name: str


@dataclass(frozen=True, slots=True)
class PortFound:
    """A port has appeared or come back, and is open."""

    name: str
    is_output: bool


@dataclass(frozen=True, slots=True)
class PortsSeen:
    """The ports of other programs and devices that exist now."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rerouted:
    """Other ports were opened, as requested.

    Attributes:
        route: The request.
        inputs: The names of all inputs that are open now.
        left: The names of the inputs that were closed.
        output: The new output; None if it does not change.
        is_ours: Whether the improviser created `output`.
    """

    route: Route
    inputs: tuple[str, ...]
    left: tuple[str, ...] = ()
    output: OutputPort | None = None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class NotRouted:
    """The requested ports could not be opened, and why."""

    fault: str


@dataclass(frozen=True, slots=True)
class LinkHeard:
    """The state of Link: it reaches `beat` at `at_s`, with its tempo, its transport and the number of peers."""

    at_s: float
    beat: float
    tempo_bpm: float
    is_playing: bool
    peers: int = 1


# These items are never dropped.
PortMatter = (
    BackendLost | Disconnected | LoopClosed | LoopHeard | NotRouted | PortFound | PortLost | PortsSeen | Rerouted
)
Found = PresetLoaded | PresetNotLoaded | PolicyFetched | PolicyNotFetched
Matter = Command | PortMatter | LookAheadChanged | LinkHeard | JackPlace | Found
Item = Arrival | Matter


@dataclass(frozen=True, slots=True)
class InputPath:
    """The objects that a message passes before it enters the queue.

    Attributes:
        clock: Returns the time for messages that no port has stamped.
        echoes: Detects our own output that comes back.
        thru: Passes on the player's messages; None if they are not passed on.
    """

    clock: Clock
    echoes: EchoFilter
    thru: Thru | None = None


class Inbox:
    """A queue of arrivals and commands. Arrivals are limited, commands are not.

    Threads: Any thread may call `put` and the callbacks that `hears` returns, even a driver's thread or a signal
    handler. These calls never block. Only the performer's loop takes items out.
    """

    def __init__(self) -> None:
        """Create an empty queue."""
        self.queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.dropped = 0
        self._path: InputPath | None = None
        self._missed = bytearray(_CHANNELS)

    def open(self, path: InputPath) -> None:
        """Send all further messages through `path`. Before this call, messages without a time stamp are dropped."""
        self._path = path

    def put(self, item: Matter) -> None:
        """Put in an item that must not be lost. Treat a `Receive` command as a message that arrives now on its port."""
        if not isinstance(item, Receive):
            self.queue.put(item)
        elif self._path is not None:
            self._receive(item.data, round(self._path.clock.now_s() * NS_PER_S), item.port, item.message)

    def hears(self, port: str) -> InputCallback:
        """Return the callback for the input called `port`."""

        def received(data: Sequence[int], at_ns: int) -> None:
            """Process a message that the port has received."""
            self._receive(data, at_ns, port)

        return received

    def _receive(self, data: Sequence[int], at_ns: int, port: str, message: Message | None = None) -> None:
        """Pass a received message on to MIDI thru if there is one, and put it into the queue.

        Our own output that comes back is ignored. Messages above the limit are dropped and counted.
        """
        path = self._path
        if path is not None and path.echoes.is_echo(data, at_ns / NS_PER_S, port):
            return
        if path is not None and path.thru is not None:
            path.thru.pass_on(data, at_ns, port, message)
        if self.queue.qsize() >= ARRIVALS_MAX:
            self.dropped += 1
            self._missed[data[0] % _CHANNELS] = 1
        else:
            self.queue.put(Arrival(data, round(at_ns / NS_PER_S, DIGITS), port, message))

    def take_missed(self) -> list[int]:
        """Return the channels of dropped messages, each once, as soon as the queue is empty."""
        if not any(self._missed) or not self.queue.empty():
            return []
        missed = [channel for channel, flag in enumerate(self._missed) if flag]
        for channel in missed:
            self._missed[channel] = 0
        return missed

    def take_many(self, most: int) -> Iterator[Item]:
        """Return the items that are in the queue now, but at most `most`."""
        for _ in range(min(most, self.queue.qsize())):
            yield self.queue.get_nowait()
