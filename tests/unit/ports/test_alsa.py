"""The driver over alsa-midi: its real events and its real encoder, on a simulated sequencer.

Where the kernel has the ALSA sequencer, tests/integration/test_ports_alsa.py plays through it.
"""

from __future__ import annotations

import errno
import queue
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.errors import PortError
from improviser.ports import alsa as module
from improviser.ports import sequencer
from improviser.ports.alsa import AlsaBackend, MessageSplitter
from improviser.ports.base import Disconnected
from improviser.ports.driver import DriverMissingError
from tests.live import wait_for

alsa_midi = pytest.importorskip("alsa_midi", reason="no ALSA library: on Debian, apt-get install libasound2")
NOTE = (0x90, 60, 80)
READ, WRITE = "read", "write"


class Kernel:
    """The simulated sequencer: clients by number, and the connections between ports."""

    clients: dict[int, Client]
    cables: set[tuple[tuple[int, int], tuple[int, int]]]

    def __init__(self) -> None:
        """Start without clients."""
        self.clients, self.cables = {}, set()

    def deliver(self, source: tuple[int, int], events: list[Any]) -> None:
        """Deliver events to all clients connected to `source`."""
        for sender, destination in self.cables:
            if sender == source and destination[0] in self.clients:
                for event in events:
                    self.clients[destination[0]].events.put(event)


kernel = Kernel()


class Port:
    """A port of a client."""

    def __init__(self, client: Client, caps: Any) -> None:  # noqa: ANN401 - the library's
        """Create a port that others read or write."""
        self.client, self.caps, self.port_id = client, caps, 0

    @property
    def address(self) -> tuple[int, int]:
        """The port's address."""
        return self.client.client_id, self.port_id

    def connect_from(self, source: tuple[int, int]) -> None:
        """Connect from a port."""
        if source[0] not in kernel.clients:
            raise alsa_midi.ALSAError("No such device", -errno.ENODEV)
        kernel.cables.add((source, self.address))

    def connect_to(self, destination: tuple[int, int]) -> None:
        """Connect to a port."""
        kernel.cables.add((self.address, destination))

    def list_subscribers(self) -> list[SimpleNamespace]:
        """List the connected ports."""
        others = [b if a == self.address else a for a, b in kernel.cables if self.address in {a, b}]
        return [SimpleNamespace(addr=alsa_midi.Address(other)) for other in others]


class Client:
    """A client whose bytes go through the library's own encoder and decoder."""

    def __init__(self, name: str) -> None:
        """Register the client."""
        self.name, self.client_id = name, 128 + len(kernel.clients)
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.ports: list[Port] = []
        self._pending: list[tuple[tuple[int, int] | None, Port, Any]] = []
        self._codec = alsa_midi.client.SequencerClientBase.__new__(alsa_midi.client.SequencerClientBase)
        kernel.clients[self.client_id] = self

    def create_port(self, name: str, caps: Any, kind: Any) -> Port:  # noqa: ANN401 - the library's
        """Make a port."""
        assert name == self.name
        assert kind & alsa_midi.PortType.MIDI_GENERIC
        self.ports.append(Port(self, caps))
        return self.ports[-1]

    def list_ports(self, *, type: int, sort: bool, **direction: bool) -> list[Any]:  # noqa: A002 - the library's
        """List the ports of all clients in one direction."""
        assert (0, False) == (type, sort)
        wanted = alsa_midi.READ_PORT if direction.get("input") else alsa_midi.WRITE_PORT
        found = []
        for client in kernel.clients.values():
            for port in client.ports:
                if port.caps & wanted == wanted:
                    kind = alsa_midi.PortType.MIDI_GENERIC
                    info = alsa_midi.PortInfo(client.client_id, port.port_id, client.name, type=kind)
                    info.client_name = client.name
                    found.append(info)
        timer = alsa_midi.PortInfo(0, 0, "Timer", type=alsa_midi.PortType.SPECIFIC)
        timer.client_name = "System"
        return [*found, timer]

    def event_output(self, event: Any, port: Port, dest: tuple[int, int] | None = None) -> None:  # noqa: ANN401
        """Store an event until it is drained."""
        self._pending.append((dest, port, event))

    def drain_output(self) -> None:
        """Send the stored events."""
        for dest, port, event in self._pending:
            if dest is not None:
                event.source = alsa_midi.Address(port.address)
                kernel.clients[dest[0]].events.put(event)
            else:
                kernel.deliver(port.address, self.transcoded(event.midi_bytes))
        self._pending.clear()

    def transcoded(self, data: bytes) -> list[Any]:
        """Return the events that the kernel makes of these bytes, converted back to bytes."""
        remainder: Any = None
        events = []
        while True:
            event = alsa_midi.MidiBytesEvent(data)
            encoded, remainder = self._codec._prepare_event(event, remainder=remainder)  # noqa: SLF001
            if encoded.type != alsa_midi.EventType.NONE:
                events.append(alsa_midi.MidiBytesEvent(self._decoded(encoded)))
            if remainder is None:
                return events

    def _decoded(self, encoded: Any) -> bytes:  # noqa: ANN401 - the library's
        """Return the bytes of an event."""
        ffi, library = alsa_midi.ffi, alsa_midi.alsa
        size = max(12, encoded.data.ext.len if encoded.type == alsa_midi.EventType.SYSEX else 0)
        target = ffi.new("char[]", size)
        count = library.snd_midi_event_decode(self._codec._get_event_parser(), target, size, encoded)  # noqa: SLF001
        return bytes(ffi.buffer(target, count))

    def event_input(self, *, prefer_bytes: bool) -> Any:  # noqa: ANN401 - the library's
        """Wait for an event."""
        assert prefer_bytes
        event = self.events.get()
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        """Unregister the client."""
        kernel.clients.pop(self.client_id, None)
        kernel.cables = {cable for cable in kernel.cables if self.client_id not in {end[0] for end in cable}}


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[AlsaBackend]:
    """The driver on an empty sequencer."""
    monkeypatch.setattr(alsa_midi, "SequencerClient", Client)
    monkeypatch.setattr(sequencer, "ALSA_SEQUENCER", Path("/"))
    kernel.__init__()  # type: ignore[misc] # empties it
    opened = module.open_alsa()
    yield opened
    opened.close()


class Heard:
    """Records the messages of an input."""

    def __init__(self) -> None:
        """Start with no messages."""
        self.messages: list[tuple[int, ...]] = []
        self.at_ns: list[int] = []

    def __call__(self, data: Sequence[int], at_ns: int) -> None:
        """Record a message."""
        self.messages.append(tuple(data))
        self.at_ns.append(at_ns)

    def wait(self, count: int) -> list[tuple[int, ...]]:
        """Wait for a number of messages, and return them."""
        wait_for(lambda: len(self.messages) >= count, f"{count} messages")
        return self.messages


def test_ports_are_named_as_other_programs_name_them(backend: AlsaBackend) -> None:
    """Ports are named by client, port and both numbers, as in RtMidi; ports without MIDI are not listed."""
    backend.open_virtual_output("Improviser Out")
    hearing = backend.open_virtual_input("Improviser In", Heard())
    assert ("Improviser Out:Improviser Out 129:0",) == backend.input_names()
    assert ("Improviser In:Improviser In 130:0",) == backend.output_names()
    assert ("Improviser In", True, 0) == (hearing.name, hearing.is_plugged, hearing.faults)
    hearing.wake()
    hearing.close()
    assert backend.answers()


def test_messages_go_through_virtual_ports(backend: AlsaBackend) -> None:
    """A message to our input arrives with its time, and a message that we send reaches its listeners."""
    ours, others = Heard(), Heard()
    output = backend.open_virtual_output("Improviser Out")
    hearing = backend.open_virtual_input("Improviser In", ours)
    listening = backend.open_input("Improviser Out:Improviser Out 129:0", others)
    playing = backend.open_output("Improviser In:Improviser In 130:0", "Keys")
    before_ns = time.monotonic_ns()
    playing.send(NOTE)
    output.relay((0xF8,), 0.0)
    assert ([NOTE], [(0xF8,)]) == (ours.wait(1), others.wait(1))
    assert before_ns <= ours.at_ns[0] <= time.monotonic_ns()
    assert 0.0 == output.ahead_s
    for port in (output, hearing, listening, playing):
        port.close()
        port.close()
    assert {128} == set(kernel.clients)


@given(
    st.one_of(
        st.tuples(st.integers(0x80, 0xBF) | st.integers(0xE0, 0xEF), st.integers(0, 127), st.integers(0, 127)),
        st.tuples(st.integers(0xC0, 0xDF), st.integers(0, 127)),
        st.tuples(st.sampled_from([0xF6, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF])),
        st.tuples(st.just(0xF2), st.integers(0, 127), st.integers(0, 127)),
        st.lists(st.integers(0, 127), min_size=1, max_size=3000).map(lambda body: (0xF0, *body, 0xF7)),
    )
)
def test_every_message_survives_the_library(message: tuple[int, ...]) -> None:
    """A message of any length is unchanged after encoding to ALSA events and decoding."""
    events = Client("Codec").transcoded(bytes(message))
    splitter = MessageSplitter()
    assert [message] == [tuple(whole) for event in events for whole in splitter.split(event.midi_bytes)]


def test_an_event_of_several_messages_is_split() -> None:
    """A 14-bit controller is one event and becomes two messages."""
    assert [b"\xb0\x01\x40", b"\xb0\x21\x05"] == MessageSplitter().split(b"\xb0\x01\x40\xb0\x21\x05")


def test_a_real_time_message_may_come_within_a_system_exclusive_one() -> None:
    """A tick between its pieces is passed on at once; an incomplete message is dropped with the next one."""
    splitter = MessageSplitter()
    assert [] == splitter.split(b"\xf0\x01")
    assert [b"\xf8"] == splitter.split(b"\xf8")
    assert [b"\xf0\x01\x02\xf7"] == splitter.split(b"\x02\xf7")
    assert [] == splitter.split(b"\xf0\x01")
    assert [b"\xf0\x7e\xf7"] == splitter.split(b"\xf0\x7e\xf7")
    assert [] == splitter.split(b"\xf0" + bytes(1 << 17))
    assert [] == splitter.split(b"\x01\xf7")
    assert [] == splitter.split(b"")


def test_a_connection_that_goes_is_told(backend: AlsaBackend) -> None:
    """A lost connection is reported to the backend's listener, and the port says so too."""
    news: list[object] = []
    backend.notify(news.append)
    keys = backend.open_virtual_output("Keys")
    hearing = backend.open_input("Keys:Keys 129:0", Heard())
    assert hearing.is_plugged
    keys.close()
    gone = alsa_midi.PortUnsubscribedEvent(connect_sender=(129, 0), connect_dest=(130, 0))
    kernel.clients[130].events.put(gone)
    wait_for(lambda: news, "news")
    assert [Disconnected("Keys:Keys 129:0")] == news
    assert not hearing.is_plugged
    hearing.close()


def test_an_output_tells_whether_it_is_plugged(backend: AlsaBackend) -> None:
    """An output to another program reports when that program is gone."""
    synth = backend.open_virtual_input("Synth", Heard())
    playing = backend.open_output("Synth:Synth 129:0")
    assert playing.is_plugged
    synth.close()
    assert not playing.is_plugged
    playing.close()
    with pytest.raises(PortError, match="is closed"):
        playing.send(NOTE)


def test_faults_are_counted_and_reading_goes_on(backend: AlsaBackend) -> None:
    """Exceptions of the callback and lost events do not end the thread."""
    heard = Heard()

    def broken(data: Sequence[int], at_ns: int) -> None:
        """Raise at the first message."""
        heard(data, at_ns)
        if len(heard.messages) == 1:
            raise RuntimeError

    hearing = backend.open_virtual_input("In", broken)
    kernel.clients[129].events.put(alsa_midi.ALSAError("No space left", -errno.ENOSPC))
    kernel.clients[129].events.put(alsa_midi.ALSAError("Invalid argument", -errno.EINVAL))
    kernel.clients[129].events.put(ValueError("999 is not a valid EventType"))
    kernel.clients[129].events.put(alsa_midi.MidiBytesEvent((0xFE,)))
    foreign_end = alsa_midi.Event(alsa_midi.EventType.USR0, source=(200, 0))
    kernel.clients[129].events.put(foreign_end)
    playing = backend.open_output("In:In 129:0")
    playing.send(NOTE)
    playing.send(NOTE)
    assert [NOTE, NOTE] == heard.wait(2)
    assert 4 == hearing.faults
    kernel.clients[129].events.put(alsa_midi.ALSAError("Bad file descriptor", -errno.EBADF))
    hearing.close()


def test_errors_name_what_is_available(backend: AlsaBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors name the available ports: for a missing port, one that disappears, and a sequencer that refuses."""
    with pytest.raises(PortError, match=r"no MIDI port 'Keys' \(available: none\); see: improviser ports"):
        backend.open_input("Keys", Heard())
    keys = backend.open_virtual_output("Keys")
    monkeypatch.setattr(backend, "_ports", lambda **_: {"Keys:Keys 140:0": (140, 0)})
    with pytest.raises(PortError, match="cannot open 'Keys:Keys 140:0': No such device"):
        backend.open_input("Keys:Keys 140:0", Heard())

    def refuse() -> None:
        """Raise as the sequencer does."""
        raise alsa_midi.ALSAError("Cannot allocate memory", -errno.ENOMEM)

    monkeypatch.setattr(keys.client, "drain_output", refuse)
    with pytest.raises(PortError, match=r"'Keys' cannot send \(Cannot allocate memory\)"):
        keys.send(NOTE)


def test_a_missing_sequencer_or_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing sequencer, a missing library, and a kernel that refuses are each reported."""
    monkeypatch.setattr(sequencer, "ALSA_SEQUENCER", Path("/nonexistent"))
    with pytest.raises(PortError, match="modprobe snd-seq"):
        module.open_alsa()
    monkeypatch.setattr(sequencer, "ALSA_SEQUENCER", Path("/"))

    def refuse(_name: str) -> None:
        """Raise as the kernel does."""
        raise alsa_midi.ALSAError("Permission denied", -errno.EACCES)

    monkeypatch.setattr(alsa_midi, "SequencerClient", refuse)
    with pytest.raises(PortError, match="cannot open the ALSA sequencer: Permission denied"):
        module.open_alsa()
    monkeypatch.setattr(module, "alsa_midi", None)
    with pytest.raises(DriverMissingError, match="alsa-midi does not load"):
        module.open_alsa()


def test_the_library_is_named(backend: AlsaBackend) -> None:
    """The backend names the library in use."""
    assert backend.driver.startswith("alsa-midi 1.")
