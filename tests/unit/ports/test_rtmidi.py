"""The driver over python-rtmidi, with a simulated rtmidi."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from improviser.errors import PortError
from improviser.ports import quiet, sequencer
from improviser.ports import rtmidi as module
from improviser.ports.driver import DriverMissingError
from improviser.ports.rtmidi import RtMidiBackend, RtMidiBinding

JACK, ALSA, MM = 3, 2, 4
NOTE = (0x90, 60, 80)


class Wire:
    """The state of the simulated system: virtual ports by name, and connections to callbacks."""

    sources: ClassVar[dict[str, list[Any]]] = {}
    destinations: ClassVar[dict[str, Any]] = {}
    dead: ClassVar[int] = 0
    alive: ClassVar[list[Any]] = []


class Midi:
    """The common part of MidiIn and MidiOut."""

    def __init__(self, api: int, name: str) -> None:
        """Create a client; raise as rtmidi does without a server."""
        if api == ALSA:
            raise OSError("no sequencer")
        self.name = name
        self.port = ""
        Wire.alive.append(self)

    def get_port_count(self) -> int:
        """Return the number of ports."""
        return len(self.get_ports())

    def get_ports(self) -> list[str]:
        """List the ports."""
        raise NotImplementedError

    def close_port(self) -> None:
        """Disconnect."""
        self.port = ""

    def delete(self) -> None:
        """Delete the client."""
        Wire.alive.remove(self)


class MidiIn(Midi):
    """An input."""

    callback: Callable[..., None] | None = None

    def get_ports(self) -> list[str]:
        """List the sources."""
        return list(Wire.sources)

    def ignore_types(self, **_: bool) -> None:
        """Ignore the request."""

    def set_callback(self, callback: Callable[..., None]) -> None:
        """Store the callback."""
        self.callback = callback

    def cancel_callback(self) -> None:
        """Remove the callback."""
        self.callback = None

    def open_port(self, index: int, _name: str) -> None:
        """Connect to a source."""
        Wire.sources[list(Wire.sources)[index]].append(self)

    def open_virtual_port(self, name: str) -> None:
        """Open a virtual destination."""
        Wire.destinations[f"{self.name}:{name}"] = self

    def deliver(self, data: Sequence[int]) -> None:
        """Receive a message."""
        if self.callback is not None:
            self.callback((list(data), 0.0), None)


class MidiOut(Midi):
    """An output."""

    target: Any = None

    def get_ports(self) -> list[str]:
        """List the destinations."""
        return list(Wire.destinations)

    def open_port(self, index: int, _name: str) -> None:
        """Connect to a destination."""
        self.target = Wire.destinations[list(Wire.destinations)[index]]

    def open_virtual_port(self, name: str) -> None:
        """Open a virtual source; some start with a dead thread."""
        self.port = f"{self.name}:{name}"
        Wire.sources[self.port] = []

    def close_port(self) -> None:
        """Close the source."""
        Wire.sources.pop(self.port, None)
        super().close_port()

    def send_message(self, data: Sequence[int]) -> None:
        """Send a message, unless the thread is dead."""
        if not data:
            raise ValueError("empty")
        if self.port and Wire.dead:
            Wire.dead -= 1
            return
        for listener in [self.target] if self.target else Wire.sources.get(self.port, []):
            listener.deliver(data)


class FakeRtMidi:
    """The simulated module."""

    API_UNIX_JACK, API_LINUX_ALSA, API_WINDOWS_MM, API_MACOSX_CORE = JACK, ALSA, MM, 1
    MidiIn, MidiOut = MidiIn, MidiOut

    @staticmethod
    def get_compiled_api() -> list[int]:
        """Return the systems of this build."""
        return [ALSA, JACK, MM]


@pytest.fixture(autouse=True)
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the simulated system, empty."""
    Wire.sources.clear()
    Wire.destinations.clear()
    Wire.alive.clear()
    Wire.dead = 0
    monkeypatch.setattr(module, "rtmidi", FakeRtMidi)
    monkeypatch.setattr(module, "_TRIAL_S", 0.001)
    yield
    Wire.sources.clear()
    Wire.destinations.clear()


def ignore(_data: Sequence[int], _at_ns: int) -> None:
    """Ignore a message."""


def test_virtual_ports_carry_messages() -> None:
    """Messages on the virtual output reach its listeners, and messages to the virtual input reach us."""
    backend = module.open_jack()
    heard: list[tuple[int, ...]] = []
    output = backend.open_virtual_output("Out")
    backend.open_virtual_input("In", lambda data, at_ns: heard.append((*data, at_ns > 0)))
    backend.open_input("Out:Out", lambda data, _: heard.append(tuple(data)))
    output.send(NOTE)
    backend.open_output("In:In").send(NOTE)
    assert [NOTE, (*NOTE, True)] == heard


def test_jack_needs_no_clients_for_lists_once_ports_are_open() -> None:
    """With an input and an output open, the only further client is the one that wakes the input."""
    backend = module.open_jack()
    assert ((), ()) == (backend.input_names(), backend.output_names())
    assert 2 == len(Wire.alive)
    output = backend.open_virtual_output("Out")
    hearing = backend.open_virtual_input("In", ignore)
    assert 3 == len(Wire.alive)
    assert (("Out:Out",), ("In:In",)) == (backend.input_names(), backend.output_names())
    hearing.close()
    output.close()
    assert ((), ("In:In",)) == (backend.input_names(), backend.output_names())
    backend.close()
    assert [] == Wire.alive


def test_a_port_that_carries_nothing_is_made_anew() -> None:
    """A client with a dead thread is replaced, and three failures are an error."""
    backend = module.open_jack()
    Wire.dead = 2
    backend.open_virtual_output("Out").close()
    Wire.dead = 3
    with pytest.raises(PortError, match=r"'Out' was created 3 times and carries nothing\. Restart the server"):
        backend.open_virtual_output("Out")


def test_what_a_broken_message_swallows_is_given_back() -> None:
    """A system exclusive message without an end is cut at the next status; note-ons within it are released."""
    heard: list[list[int]] = []
    backend = module.open_jack()
    backend.open_virtual_input("In", lambda data, _: heard.append(list(data)))
    output = backend.open_output("In:In")
    output.send((0xF0, 1, 2, 0x90, 60, 80, 0x80, 61, 0, 0x90, 62, 0, 0xB0, 64, 0, 0xF0, 0x7D, 0x69, 0xF7))
    output.send((0xF0, 1, 2, 0xF7))
    assert [
        [0xF0, 1, 2],
        [0x80, 61, 0],
        [0x90, 62, 0],
        [0xB0, 64, 0],
        [0xF0, 1, 2, 0xF7],
    ] == heard


def test_a_silent_input_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some silence an input receives a message that ends in F7, which the callback does not get."""
    backend = module.open_jack()
    heard: list[object] = []
    port = backend.open_virtual_input("In", lambda data, _: heard.append(data))
    port.heard_trial.clear()
    port.wake()
    assert not port.heard_trial.is_set()
    monkeypatch.setattr(module, "_SILENCE_NS", 0)
    port.wake()
    assert (True, []) == (port.heard_trial.is_set(), heard)


def test_an_input_that_cannot_be_woken_is_heard_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """An input of another program that cannot be woken works all the same."""
    monkeypatch.setattr(module, "_SILENCE_NS", 0)
    backend = module.open_jack()
    output = backend.open_virtual_output("Out")
    heard: list[tuple[int, ...]] = []
    port = backend.open_input("Out:Out", lambda data, _: heard.append(tuple(data)))
    port.wake()
    output.send(NOTE)
    assert [NOTE] == heard


def test_exceptions_of_the_callback_are_counted() -> None:
    """An exception of the callback stays in the driver's thread, and is counted."""

    def broken(_data: Sequence[int], _at_ns: int) -> None:
        """Raise ValueError."""
        raise RuntimeError

    backend = module.open_jack()
    port = backend.open_virtual_input("In", broken)
    backend.open_output("In:In").send(NOTE)
    assert 1 == port.faults


def test_drivers_exceptions_become_port_errors() -> None:
    """An exception of rtmidi becomes a port error that says what failed, with the exception as its cause."""
    output = module.open_jack().open_virtual_output("Out")
    with pytest.raises(PortError, match="'Out' cannot send \\(empty\\)") as error:
        output.send(())
    assert isinstance(error.value.__cause__, ValueError)
    output.close()
    output.close()
    with pytest.raises(PortError, match="'Out' is closed"):
        output.send(NOTE)


def test_a_failing_list_is_a_port_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing ports without a server is a port error."""
    backend = module.open_jack()

    def fail(_self: MidiIn) -> list[str]:
        """Raise as rtmidi does."""
        raise OSError("gone")

    monkeypatch.setattr(MidiIn, "get_ports", fail)
    with pytest.raises(PortError, match="cannot list the inputs: gone"):
        backend.input_names()


def test_a_missing_port_tells_what_is_available() -> None:
    """Opening a name that is not listed is an error."""
    backend = module.open_jack()
    with pytest.raises(PortError, match="no MIDI port 'Nothing' \\(available: none\\)"):
        backend.open_input("Nothing", ignore)


def test_elsewhere_lists_have_clients_of_their_own() -> None:
    """On other systems an open port is not used for listing while it plays."""
    backend = RtMidiBackend("coremidi", JACK, RtMidiBinding("python-rtmidi", FakeRtMidi))
    backend.open_virtual_output("Out")
    backend.open_virtual_input("In", ignore)
    backend.output_names()
    assert 4 == len(Wire.alive)


def test_windows_takes_a_loopback_port() -> None:
    """Where virtual ports are impossible an existing loopback port is opened, or the error says what to do."""
    backend = module.open_winmm()
    with pytest.raises(PortError, match="Install loopMIDI"):
        backend.open_virtual_output("Improviser Out")
    MidiIn(MM, "other").open_virtual_port("x")
    Wire.destinations["loopMIDI Port 1"] = Wire.destinations.pop("other:x")
    Wire.sources["loopMIDI Port 1"] = []
    assert "loopMIDI Port 1" == backend.open_virtual_output("Improviser Out").name
    assert "loopMIDI Port 1" == backend.open_virtual_input("Improviser In", ignore).name


def test_missing_systems_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing sequencer, server, system support or rtmidi each give the next step."""
    with pytest.raises(PortError, match="built without coremidi"):
        module.open_coremidi()
    monkeypatch.setattr(sequencer, "ALSA_SEQUENCER", Path("/nonexistent"))
    with pytest.raises(PortError, match="modprobe snd-seq"):
        module.open_alsa()
    monkeypatch.setattr(sequencer, "ALSA_SEQUENCER", Path("/"))
    with pytest.raises(PortError, match="no ALSA server answers; load it with"):
        module.open_alsa()
    monkeypatch.setattr(module, "rtmidi", None)
    with pytest.raises(DriverMissingError, match="python-rtmidi does not load"):
        module.open_jack()


def test_stderr_is_quiet_and_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    """A library's output to stderr is dropped inside the block, and not after it."""
    with quiet.quiet_stderr(), quiet.quiet_stderr():
        os.write(2, b"noise\n")
    os.write(2, b"word\n")
    assert "word\n" == capfd.readouterr().err


def test_without_stderr_there_is_nothing_to_keep_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose stderr is closed still runs."""

    def closed(_descriptor: int) -> int:
        """Raise as for a closed descriptor."""
        raise OSError

    monkeypatch.setattr(os, "dup", closed)
    with quiet.quiet_stderr():
        pass
