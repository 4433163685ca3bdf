"""MIDI through the ALSA sequencer by alsa-midi, which has wheels for every Python.

These facts shape the module:

- Each port of the improviser is a client of its own, as with RtMidi. So other programs see the names that they know
  ('Improviser Out:Improviser Out 128:0').
- A client that reads never sends, because the library's client cannot be used by two threads.
- The library turns some events into several messages (controllers of 14 bits). It delivers long system exclusive
  messages in pieces.
- The library's wait with a time limit polls every millisecond. So the reading thread waits without a limit, and an
  event that the client sends to itself ends the wait.

Source: alsa-midi 1.0.4, alsa_midi/client.py; ALSA library, seq/seq.c and seq/seq_midi_event.c.
"""

from __future__ import annotations

import contextlib
import errno
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from improviser.errors import PortError
from improviser.ports.base import (
    LISTENER_PORT,
    PROBE_PORT,
    SENDER_PORT,
    BackendNews,
    Disconnected,
    InputCallback,
)
from improviser.ports.clock import MonotonicClock
from improviser.ports.driver import DriverMissingError, library
from improviser.ports.priority import CLIENT_PRIORITY, raise_priority
from improviser.ports.quiet import quiet_stderr
from improviser.ports.sequencer import need_sequencer
from improviser.ports.sysex import SYSEX, SYSEX_END

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MISSING = ""
try:
    import alsa_midi
except (ImportError, OSError) as error:  # pragma: no cover - the system is not Linux or lacks ALSA's library
    alsa_midi = None
    _MISSING = str(error)

_STATUS: Final = 0x80
# A system exclusive message that is longer than this has lost its end (the largest dumps have 64 KB).
_SYSEX_MAX: Final = 1 << 17
_ACTIVE_SENSING: Final = 0xFE
# How long to wait for a reading thread, which only has to end.
_CLOSE_S: Final = 1.0
# After an error that may last, the thread waits this long before it reads again.
_AFTER_FAULT_S: Final = 0.01


class MessageSplitter:
    """Splits the bytes of ALSA's events into whole MIDI messages.

    Threads: One thread uses a splitter.
    """

    def __init__(self) -> None:
        """Start without an unfinished system exclusive message."""
        self._sysex = bytearray()

    def split(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete with the bytes of this event.

        A piece of a system exclusive message is kept until its end comes. Real-time messages are separate events and
        may come in between. Source: MIDI 1.0, System Exclusive.
        """
        if data[:1] == bytes((SYSEX,)):
            self._sysex = bytearray(data)
        elif self._sysex and data and (data[0] < _STATUS or data[0] == SYSEX_END):
            self._sysex += data
        else:
            return _messages(data)
        return self._ended()

    def _ended(self) -> list[bytes]:
        """Return the system exclusive message if it is complete. Discard one that is too long."""
        if self._sysex[-1] == SYSEX_END:
            whole, self._sysex = bytes(self._sysex), bytearray()
            return [whole]
        if len(self._sysex) > _SYSEX_MAX:
            self._sysex = bytearray()
        return []


class AlsaInput:
    """An input with a reading thread that stamps each message before it does anything else."""

    def __init__(self, client: Any, port: Any, name: str, backend: AlsaBackend) -> None:  # noqa: ANN401 - alsa-midi has no types
        """Create an input called `name` for `port` of the library's `client`. Reading begins with `start`."""
        self.name = name
        self.faults = 0
        self.client = client
        self.port = port
        self.source: tuple[int, int] | None = None
        self._backend = backend
        self._splitter = MessageSplitter()
        self._thread: threading.Thread | None = None

    @property
    def is_plugged(self) -> bool:
        """Whether the source that it was opened for is still connected."""
        return self.source is None or self.source in _connected(self.port)

    def start(self, callback: InputCallback) -> None:
        """Start to read, and call `callback` for each message."""
        self._thread = threading.Thread(target=self._read, args=(callback,), name=f"alsa {self.name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Do nothing, because the sequencer delivers only whole events."""

    def close(self) -> None:
        """Close the port. A second call does nothing."""
        client, self.client = self.client, None
        if client is None:
            return
        if self._thread is not None:
            own = (client.client_id, self.port.port_id)
            with contextlib.suppress(alsa_midi.Error):
                client.event_output(alsa_midi.Event(alsa_midi.EventType.USR0), port=self.port, dest=own)
                client.drain_output()
            self._thread.join(_CLOSE_S)
        with contextlib.suppress(alsa_midi.Error):
            client.close()

    def _read(self, callback: InputCallback) -> None:
        """Read until the port is closed."""
        raise_priority(CLIENT_PRIORITY)
        client = self.client
        while client is not None:
            try:
                event = client.event_input(prefer_bytes=True)
            except Exception as error:  # noqa: BLE001 - after an event that cannot be read, the next ones can be read
                if self.client is None:
                    return
                self.faults += 1
                if getattr(error, "errnum", None) != -errno.ENOSPC:  # at ENOSPC only some events are lost
                    time.sleep(_AFTER_FAULT_S)
                continue
            at_ns = time.monotonic_ns()
            if self._is_end(event, client):
                return
            self._handle(event, at_ns, callback)

    def _is_end(self, event: Any, client: Any) -> bool:  # noqa: ANN401 - as above
        """Return whether `event` is the one that `close` sends to its own client."""
        return bool(event.type == alsa_midi.EventType.USR0 and event.source.client_id == client.client_id)

    def _handle(self, event: Any, at_ns: int, callback: InputCallback) -> None:  # noqa: ANN401 - as above
        """Pass on the messages of an event that came at `at_ns`, or report a connection that has gone."""
        try:
            if isinstance(event, alsa_midi.MidiBytesEvent):
                for message in self._splitter.split(event.midi_bytes):
                    if message[0] != _ACTIVE_SENSING:
                        callback(message, at_ns)
            elif isinstance(event, alsa_midi.PortUnsubscribedEvent):
                self._backend.tell(Disconnected(self.name))
        except Exception:  # noqa: BLE001 - in this thread nobody can catch the exception
            self.faults += 1


class AlsaOutput:
    """An output. Errors of the library are raised as PortError."""

    ahead_s = 0.0

    def __init__(self, client: Any, port: Any, name: str) -> None:  # noqa: ANN401 - as above
        """Create an output called `name` for `port` of the library's `client`."""
        self.name = name
        self.client = client
        self.port = port
        self.destination: tuple[int, int] | None = None
        self._lock = threading.Lock()  # sends one message at a time

    @property
    def is_plugged(self) -> bool:
        """Whether the destination that it was opened for is still connected."""
        return self.destination is None or self.destination in _connected(self.port)

    def send(self, data: Sequence[int], due_s: float | None = None) -> None:  # noqa: ARG002 - the protocol in ports.base has it
        """Send the bytes of one message at once, or raise PortError if the port is closed or has gone."""
        try:
            with self._lock:
                if self.client is None:
                    raise PortError(f"the port '{self.name}' is closed")
                self.client.event_output(alsa_midi.MidiBytesEvent(data), port=self.port)
                self.client.drain_output()
        except alsa_midi.Error as error:
            raise PortError(f"'{self.name}' cannot send ({error}). Was it unplugged?") from error

    relay = send

    def close(self) -> None:
        """Close the port. A second call does nothing."""
        with self._lock:
            client, self.client = self.client, None
        if client is not None:
            with contextlib.suppress(alsa_midi.Error):
                client.close()


class AlsaBackend:
    """The ALSA sequencer.

    Threads: One thread uses the backend. A second thread may ask for the lists of port names.
    """

    name: Final = "alsa"

    def __init__(self) -> None:
        """Connect to the sequencer, or raise an error of alsa_midi if there is none."""
        self.clock = MonotonicClock()
        self._listeners: tuple[Callable[[BackendNews], None], ...] = ()
        self._lister = alsa_midi.SequencerClient(PROBE_PORT)

    @property
    def driver(self) -> str:
        """The library that the backend uses, with its version."""
        return library("alsa-midi")

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""
        return tuple(self._ports(input=True))

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""
        return tuple(self._ports(output=True))

    def open_input(self, name: str, callback: InputCallback) -> AlsaInput:
        """Listen to the port `name`, or raise PortError if it does not exist."""
        source = _find(name, self._ports(input=True))
        with _translated(f"open '{name}'"):
            made = self._new_input(name, LISTENER_PORT)
            made.port.connect_from(source)
        made.source = source
        made.start(callback)
        return made

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> AlsaOutput:
        """Play on the port `name` from a port called `own_name`, or raise PortError if `name` does not exist."""
        destination = _find(name, self._ports(output=True))
        with _translated(f"open '{name}'"):
            made = _new_output(name, own_name)
            made.port.connect_to(destination)
        made.destination = destination
        return made

    def open_virtual_input(self, name: str, callback: InputCallback) -> AlsaInput:
        """Create the port `name`, which other programs can play on, or raise PortError if that fails."""
        with _translated(f"make the port '{name}'"):
            made = self._new_input(name, name)
        made.start(callback)
        return made

    def open_virtual_output(self, name: str) -> AlsaOutput:
        """Create the port `name`, which other programs can listen to, or raise PortError if that fails."""
        with _translated(f"make the port '{name}'"):
            return _new_output(name, name)

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Notify `listener` of connections that go.

        Threads: The reading thread of the input that had the connection calls `listener`.
        """
        self._listeners = (*self._listeners, listener)

    def tell(self, news: BackendNews) -> None:
        """Notify the listeners.

        Threads: The reading thread of an input calls this.
        """
        for listener in self._listeners:
            listener(news)

    def answers(self) -> bool:
        """Return true, because the sequencer is a part of the kernel."""
        return True

    def close(self) -> None:
        """Close the client that lists ports. Open ports stay open."""
        with contextlib.suppress(alsa_midi.Error):
            self._lister.close()

    def _new_input(self, name: str, own_name: str) -> AlsaInput:
        """Return a new input port in a client called `own_name`."""
        client = alsa_midi.SequencerClient(own_name)
        port = client.create_port(own_name, alsa_midi.WRITE_PORT, _kind())
        return AlsaInput(client, port, name, self)

    def _ports(self, **direction: bool) -> dict[str, tuple[int, int]]:
        """Return the ports of a direction: their names as other programs write them, with their addresses."""
        with _translated("list the ports"):
            found = self._lister.list_ports(type=alsa_midi.PortType.ANY, sort=False, **direction)
        return {
            f"{port.client_name}:{port.name} {port.client_id}:{port.port_id}": (port.client_id, port.port_id)
            for port in found
            if port.type & _shown()
        }


def open_alsa() -> AlsaBackend:
    """Open the ALSA sequencer.

    Raises:
        DriverMissingError: alsa-midi does not load.
        PortError: There is no sequencer, or access to it is denied.
    """
    need_sequencer()
    if alsa_midi is None:
        raise DriverMissingError(f"alsa-midi does not load ({_MISSING})")
    with _translated("open the ALSA sequencer"), quiet_stderr():
        return AlsaBackend()


def _new_output(name: str, own_name: str) -> AlsaOutput:
    """Return a new output port in a client called `own_name`."""
    client = alsa_midi.SequencerClient(own_name)
    return AlsaOutput(client, client.create_port(own_name, alsa_midi.READ_PORT, _kind()), name)


def _kind() -> Any:  # noqa: ANN401 - as above
    """Return the type of the improviser's own ports."""
    return alsa_midi.PortType.MIDI_GENERIC | alsa_midi.PortType.APPLICATION


def _shown() -> Any:  # noqa: ANN401 - as above
    """Return the types of the ports that carry MIDI, as RtMidi lists them."""
    return _kind() | alsa_midi.PortType.SYNTH


def _connected(port: Any) -> set[tuple[int, int]]:  # noqa: ANN401 - as above
    """Return the addresses that one of our ports is connected with; empty if the port is closed."""
    try:
        return {tuple(other.addr) for other in port.list_subscribers()}
    except alsa_midi.Error:
        return set()


def _messages(data: bytes) -> list[bytes]:
    """Return the messages in `data`, each from its status byte on. Bytes before the first status byte are dropped."""
    starts = [place for place, byte in enumerate(data) if byte >= _STATUS and byte != SYSEX_END]
    return [data[start:end] for start, end in pairwise([*starts, len(data)])]


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Raise a PortError that says that `what` could not be done in place of an error of alsa_midi."""
    try:
        yield
    except alsa_midi.Error as error:
        raise PortError(f"cannot {what}: {error}; see: improviser ports") from error


def _find(name: str, ports: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Return the address of the port `name`, or raise PortError."""
    if name not in ports:
        available = ", ".join(f"'{other}'" for other in ports) or "none"
        raise PortError(f"no MIDI port '{name}' (available: {available}); see: improviser ports")
    return ports[name]
