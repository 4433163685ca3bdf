"""MIDI through RtMidi: ALSA, JACK, CoreMIDI and WinMM, by python-rtmidi or another binding of its shape.

Facts that shape this module: RtMidi calls back in the driver's real-time thread, where whatever an exception
says is lost; libjack and libasound write to stderr when they find no server; a JACK client may come up with a
dead thread, and then all that is sent is lost in silence, so that every new virtual port there is tried out;
there too, a system exclusive message without its end swallows all that follows until some message ends in F7,
so that every input has a sender beside it which wakes it; WinMM cannot make virtual ports.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from improviser.errors import PortError
from improviser.ports.advice import get_jack
from improviser.ports.base import LISTENER_PORT, PROBE_PORT, SENDER_PORT, BackendNews, InputCallback
from improviser.ports.clock import MonotonicClock
from improviser.ports.driver import DriverMissingError, library
from improviser.ports.name import distinct, loopback_name
from improviser.ports.quiet import quiet_stderr
from improviser.ports.sequencer import need_sequencer
from improviser.ports.sysex import SYSEX, disentangled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MISSING = ""
try:
    import rtmidi
except ImportError as error:  # pragma: no cover - a platform without a wheel, or without ALSA's library
    rtmidi = None
    _MISSING = str(error)

# What rtmidi's MidiIn and MidiOut are; they come without types.
RtMidi = Any
# A system exclusive message for non-commercial use (MIDI 1.0, manufacturer ID 7D): no instrument acts on it.
_TRIAL: Final = (0xF0, 0x7D, 0x69, 0xF7)
_TRIAL_S: Final = 0.15
# An input that was silent for so long may have been struck deaf.
_SILENCE_NS: Final = 1_000_000_000
# libjack cancels its thread where it stands, and RtMidi allocates in there when a message comes: cancelled in
# the midst of that, it takes the allocator's lock along, and the process hangs. So the thread of a port that
# was closed gets so long to come to rest: some cycles of any server.
_QUIET_S: Final = 0.03
# This driver on JACK, where ports.jack is better.
JACK: Final = "rtmidi-jack"
# Name, API and what to do of the systems that have no other driver than RtMidi.
COREMIDI: Final = ("coremidi", "API_MACOSX_CORE", "CoreMIDI is part of macOS only")
WINMM: Final = ("winmm", "API_WINDOWS_MM", "WinMM is part of Windows only")
# How often a port is made anew before it counts as broken.
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class RtMidiBinding:
    """A library through which RtMidi is called.

    Attributes:
        package: What pip calls it.
        module: It, or what gives it the shape of python-rtmidi; None where it does not load.
        reason: Why it does not load.
    """

    package: str
    module: Any
    reason: str = ""


class RtMidiInput:
    """An input that stamps each message before anything else."""

    is_plugged = True  # RtMidi does not tell

    def __init__(self, midi_in: RtMidi, name: str, callback: InputCallback) -> None:
        """Hear `midi_in`, which is not yet open, as `name`."""
        self.name = name
        self.faults = 0
        self.heard_trial = threading.Event()
        self.midi_in = midi_in
        self.waker: RtMidi = None
        self._heard_ns = time.monotonic_ns()
        self._callback = callback
        # Clock messages count; active sensing is noise. System exclusive carries the trial of a new port.
        midi_in.ignore_types(sysex=False, timing=False, active_sense=True)
        midi_in.set_callback(self._received)

    def _received(self, event: tuple[Sequence[int], float], _data: object = None) -> None:
        """Process a message in the driver's thread: stamp it, hand it over, return."""
        at_ns = self._heard_ns = time.monotonic_ns()
        data = event[0]
        try:
            if data[0] != SYSEX:
                self._callback(data, at_ns)
                return
            for piece in disentangled(data):
                if tuple(piece) == _TRIAL:
                    self.heard_trial.set()
                else:
                    self._callback(piece, at_ns)
        except Exception:  # noqa: BLE001 - here nobody could hear of it
            self.faults += 1

    def wake(self) -> None:
        """End a system exclusive message that was begun and left, where the driver waits for its end.

        Threads: one, not the driver's; about once a second.
        """
        if self.waker is not None and time.monotonic_ns() - self._heard_ns >= _SILENCE_NS:
            with contextlib.suppress(Exception):  # the server is gone, which the lists of ports tell
                self.waker.send_message(_TRIAL)

    def close(self) -> None:
        """Close the port; a second call does nothing."""
        _delete(self.waker)
        _delete(self.midi_in, _QUIET_S)
        self.waker = self.midi_in = None


class RtMidiOutput:
    """An output; what RtMidi raises becomes a PortError."""

    ahead_s = 0.0
    is_plugged = True

    def __init__(self, midi_out: RtMidi, name: str) -> None:
        """Send through `midi_out`, which is open, as `name`."""
        self.name = name
        self.midi_out = midi_out
        self._lock = threading.Lock()  # one message at a time

    def send(self, data: Sequence[int], due_s: float | None = None) -> None:  # noqa: ARG002 - as base has it
        """Send the bytes of one message at once. Raises PortError where the port is gone."""
        if self.midi_out is None:
            raise PortError(f"the port '{self.name}' is closed")
        try:
            with self._lock:
                self.midi_out.send_message(data)
        except Exception as error:
            raise PortError(f"'{self.name}' cannot send ({error}). Was it unplugged?") from error

    relay = send

    def close(self) -> None:
        """Close the port; a second call does nothing."""
        _delete(self.midi_out)
        self.midi_out = None


PortT = TypeVar("PortT", RtMidiInput, RtMidiOutput)


class RtMidiBackend:
    """One MIDI system as RtMidi sees it; made by the `open_...` functions.

    On JACK every object of RtMidi is a client of its own, and each client of a process that dies holds up
    the server for up to seconds. So there the lists are asked of ports that are open anyway.

    Threads: one thread, except for the lists of names, which a second one may ask for.
    """

    def __init__(self, name: str, api: int, binding: RtMidiBinding) -> None:
        """Reach the system through RtMidi's `api`. Raises an exception of the binding where there is none."""
        self.name = name
        self.clock = MonotonicClock()
        self._api = api
        self._package = binding.package
        self._rtmidi = binding.module
        self._probe_in: RtMidi = None
        self._probe_out: RtMidi = None
        self._input: RtMidiInput | None = None
        self._output: RtMidiOutput | None = None
        with quiet_stderr():
            self._source_lister().get_port_count()

    @property
    def driver(self) -> str:
        """The library that it goes through, with its version."""
        return library(self._package)

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""
        with _translated("list the inputs"):
            return distinct(self._source_lister().get_ports())

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""
        with _translated("list the outputs"):
            return distinct(self._destination_lister().get_ports())

    def open_input(self, name: str, callback: InputCallback) -> RtMidiInput:
        """Listen to the port `name`. Raises PortError where there is none."""
        index = _index(name, self.input_names())
        with _translated(f"open '{name}'"):
            midi_in = self._rtmidi.MidiIn(self._api, LISTENER_PORT)
            port = RtMidiInput(midi_in, name, callback)
            midi_in.open_port(index, LISTENER_PORT)
        if self.name == JACK:
            with contextlib.suppress(PortError):  # it is heard all the same
                port.waker = self._new_waker(LISTENER_PORT)
        return self._keep_input(port)

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> RtMidiOutput:
        """Play on the port `name`, seen there as `own_name`. Raises PortError where there is none."""
        index = _index(name, self.output_names())
        with _translated(f"open '{name}'"):
            midi_out = self._rtmidi.MidiOut(self._api, own_name)
            midi_out.open_port(index, own_name)
        return self._keep_output(RtMidiOutput(midi_out, name))

    def open_virtual_input(self, name: str, callback: InputCallback) -> RtMidiInput:
        """Make the port `name`, which other programs can play on. Raises PortError where that fails."""
        if self.name == "winmm":
            return self.open_input(_loopback(self.input_names()), callback)
        return self._keep_input(_tried(lambda: self._virtual_input(name, callback), self._input_works))

    def open_virtual_output(self, name: str) -> RtMidiOutput:
        """Make the port `name`, which other programs can listen to. Raises PortError where that fails."""
        if self.name == "winmm":
            return self.open_output(_loopback(self.output_names()))
        return self._keep_output(_tried(lambda: self._virtual_output(name), self._output_works))

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Do nothing: RtMidi reports neither connections nor periods."""

    def answers(self) -> bool:
        """Return true: RtMidi does not tell; where the system is gone its ports are not listed any more."""
        return True

    def close(self) -> None:
        """Return back the clients that list ports; open ports stay open."""
        _delete(self._probe_in)
        _delete(self._probe_out)
        self._probe_in = self._probe_out = None
        self._input = self._output = None

    def _virtual_input(self, name: str, callback: InputCallback) -> RtMidiInput:
        """Make a virtual input, untried."""
        with _translated(f"make the port '{name}'"):
            midi_in = self._rtmidi.MidiIn(self._api, name)
            port = RtMidiInput(midi_in, name, callback)
            midi_in.open_virtual_port(name)
        return port

    def _virtual_output(self, name: str) -> RtMidiOutput:
        """Make a virtual output, untried."""
        with _translated(f"make the port '{name}'"):
            midi_out = self._rtmidi.MidiOut(self._api, name)
            midi_out.open_virtual_port(name)
        return RtMidiOutput(midi_out, name)

    def _input_works(self, port: RtMidiInput) -> bool:
        """Return whether a message sent to a new virtual input arrives."""
        if self.name != JACK:
            return True
        port.waker = self._new_waker(port.name)
        with _translated(f"try the port '{port.name}'"):
            port.waker.send_message(_TRIAL)
            return port.heard_trial.wait(_TRIAL_S)

    def _new_waker(self, own_name: str) -> RtMidi:
        """Return what sends to our newest input, which others see as `own_name`."""
        with _translated(f"try the port '{own_name}'"):
            waker = self._rtmidi.MidiOut(self._api, PROBE_PORT)
            try:
                waker.open_port(_last(own_name, waker.get_ports()), PROBE_PORT)
            except Exception:
                _delete(waker)
                raise
        return waker

    def _output_works(self, port: RtMidiOutput) -> bool:
        """Return whether a message sent on a new virtual output arrives."""
        if self.name != JACK:
            return True
        with _translated(f"try the port '{port.name}'"):
            self._probe_in = self._probe_in or self._rtmidi.MidiIn(self._api, PROBE_PORT)
            trial = RtMidiInput(self._probe_in, PROBE_PORT, _ignore)
            self._probe_in.open_port(_last(port.name, self._probe_in.get_ports()), PROBE_PORT)
            port.send(_TRIAL)
            works = trial.heard_trial.wait(_TRIAL_S)
            self._probe_in.close_port()
            self._probe_in.cancel_callback()
        return works

    def _source_lister(self) -> RtMidi:
        """Return what lists the inputs: one that is open, or a probe."""
        if self._input is not None and self._input.midi_in is not None:
            return self._input.midi_in
        self._probe_in = self._probe_in or self._rtmidi.MidiIn(self._api, PROBE_PORT)
        return self._probe_in

    def _destination_lister(self) -> RtMidi:
        """Return what lists the outputs: one that is open, or a probe."""
        if self._output is not None and self._output.midi_out is not None:
            return self._output.midi_out
        self._probe_out = self._probe_out or self._rtmidi.MidiOut(self._api, PROBE_PORT)
        return self._probe_out

    def _keep_input(self, port: RtMidiInput) -> RtMidiInput:
        """List the inputs on JACK through a new input, in place of a probe; elsewhere that may disturb it."""
        if self.name == JACK:
            self._input = port
            self._drop_probes()
        return port

    def _keep_output(self, port: RtMidiOutput) -> RtMidiOutput:
        """List the outputs on JACK through a new output, as above."""
        if self.name == JACK:
            self._output = port
            self._drop_probes()
        return port

    def _drop_probes(self) -> None:
        """Return back the probes in whose place a port is open."""
        if self._input is not None:
            _delete(self._probe_in)
            self._probe_in = None
        if self._output is not None:
            _delete(self._probe_out)
            self._probe_out = None


def open_alsa() -> RtMidiBackend:
    """Open the ALSA sequencer. Raises PortError where there is none."""
    need_sequencer()
    return opened(_python_rtmidi(), "alsa", "API_LINUX_ALSA", "load it with: sudo modprobe snd-seq")


def open_jack() -> RtMidiBackend:
    """Open JACK; a server is never started. Raises PortError where none answers."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    return opened(_python_rtmidi(), JACK, "API_UNIX_JACK", get_jack())


def open_coremidi() -> RtMidiBackend:
    """Open CoreMIDI. Raises PortError where this is no macOS."""
    return opened(_python_rtmidi(), *COREMIDI)


def open_winmm() -> RtMidiBackend:
    """Open WinMM. Raises PortError where this is no Windows."""
    return opened(_python_rtmidi(), *WINMM)


def opened(binding: RtMidiBinding, name: str, constant: str, advice: str) -> RtMidiBackend:
    """Return the backend `name` through `binding`, whose API is called `constant`.

    Raises:
        DriverMissingError: The binding does not load.
        PortError: The system is not there; the text says what to do, by `advice`.
    """
    if binding.module is None:
        raise DriverMissingError(f"{binding.package} does not load ({binding.reason})")
    api = getattr(binding.module, constant)
    if api not in binding.module.get_compiled_api():
        raise PortError(f"this {binding.package} is built without {name}; {advice}")
    try:
        return RtMidiBackend(name, api, binding)
    except Exception as error:
        raise PortError(f"no {name.upper()} server answers; {advice}") from error


def _python_rtmidi() -> RtMidiBinding:
    """Return python-rtmidi, loaded or not."""
    return RtMidiBinding("python-rtmidi", rtmidi, _MISSING)


def _tried(make: Callable[[], PortT], works: Callable[[PortT], bool]) -> PortT:
    """Return the port that `make` gives, made anew as long as it does not work."""
    for _ in range(_ATTEMPTS):
        port = make()
        if works(port):
            return port
        port.close()
    raise PortError(f"the port '{port.name}' was created {_ATTEMPTS} times and carries nothing. Restart the server")


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn what rtmidi raises into a PortError that says it could not do `what`."""
    try:
        with quiet_stderr():
            yield
    except PortError:
        raise
    except Exception as error:
        raise PortError(f"cannot {what}: {error}; see: improviser ports") from error


def _index(name: str, names: Sequence[str]) -> int:
    """Return the place of `name` among `names`, or raise PortError."""
    if name in names:
        return list(names).index(name)
    available = ", ".join(f"'{other}'" for other in names) or "none"
    raise PortError(f"no MIDI port '{name}' (available: {available}); see: improviser ports")


def _last(name: str, names: Sequence[str]) -> int:
    """Return the place of the newest port called `name`, as client and port."""
    return max(index for index, other in enumerate(names) if other.endswith(f":{name}"))


def _loopback(names: Sequence[str]) -> str:
    """Return the loopback port that stands for a virtual one on Windows, or raise PortError."""
    found = loopback_name(names)
    if found is None:
        raise PortError(
            "Windows has no virtual MIDI ports. Install loopMIDI, add a port called 'Improviser' "
            "and choose it in the DAW, or name a port with --out"
        )
    return found


def _delete(midi: RtMidi | None, rest_s: float = 0.0) -> None:
    """Close what rtmidi made, and free it after a rest."""
    if midi is None:
        return
    with contextlib.suppress(Exception), quiet_stderr():
        midi.close_port()
    time.sleep(rest_s)
    with contextlib.suppress(Exception), quiet_stderr():
        midi.delete()


def _ignore(_data: Sequence[int], _at_ns: int) -> None:
    """Take a message and do nothing."""
