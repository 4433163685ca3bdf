"""MIDI through RtMidi: ALSA, JACK, CoreMIDI and WinMM, by python-rtmidi or a compatible binding.

These facts shape the module:

- RtMidi calls back in the driver's real-time thread, where the text of an exception is lost.
- libjack and libasound write to stderr if they find no server.
- A JACK client may start with a dead thread. All that it sends is then lost without an error. So every new virtual port
  on JACK is tested.
- On JACK, a system exclusive message without its end swallows all messages after it, until one ends in F7. So every
  input on JACK has a sender beside it that can wake it.
- WinMM cannot create virtual ports.
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
except ImportError as error:  # pragma: no cover - the platform has no wheel, or lacks ALSA's library
    rtmidi = None
    _MISSING = str(error)

# The type of rtmidi's MidiIn and MidiOut, which have no type annotations.
RtMidi = Any
# A system exclusive message for non-commercial use (MIDI 1.0, manufacturer ID 7D). No instrument reacts to it.
_TRIAL: Final = (0xF0, 0x7D, 0x69, 0xF7)
_TRIAL_S: Final = 0.15
# An input that was silent for this long may wait for the end of a system exclusive message.
_SILENCE_NS: Final = 1_000_000_000
# libjack cancels a client's thread at any point, and RtMidi allocates memory there when a message comes. A thread that
# is cancelled meanwhile keeps the allocator's lock, and the process hangs. So the thread of a closed port gets this
# time to finish, which is several cycles of any server.
_QUIET_S: Final = 0.03
# This driver on JACK. The driver in ports.jack is better.
JACK: Final = "rtmidi-jack"
# Name, API and advice of the systems for which RtMidi is the only driver.
COREMIDI: Final = ("coremidi", "API_MACOSX_CORE", "CoreMIDI is part of macOS only")
WINMM: Final = ("winmm", "API_WINDOWS_MM", "WinMM is part of Windows only")
# How often a port is created again before it counts as broken.
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class RtMidiBinding:
    """A library through which RtMidi is called.

    Attributes:
        package: Its name for pip.
        module: The module, or an object with the interface of python-rtmidi. None if it does not load.
        reason: Why it does not load.
    """

    package: str
    module: Any
    reason: str = ""


class RtMidiInput:
    """An input that stamps each message before it does anything else."""

    is_plugged = True  # RtMidi does not report this

    def __init__(self, midi_in: RtMidi, name: str, callback: InputCallback) -> None:
        """Create an input called `name` for `midi_in`, which is not open yet."""
        self.name = name
        self.faults = 0
        self.heard_trial = threading.Event()
        self.midi_in = midi_in
        self.waker: RtMidi = None
        self._heard_ns = time.monotonic_ns()
        self._callback = callback
        # Clock messages are needed; active sensing is noise. The test message of a new port is system exclusive.
        midi_in.ignore_types(sysex=False, timing=False, active_sense=True)
        midi_in.set_callback(self._received)

    def _received(self, event: tuple[Sequence[int], float], _data: object = None) -> None:
        """Stamp a message and pass it on.

        Threads: The driver's thread calls this.
        """
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
        except Exception:  # noqa: BLE001 - in this thread nobody can catch the exception
            self.faults += 1

    def wake(self) -> None:
        """End an unfinished system exclusive message, so that the driver does not wait for its end.

        Threads: One thread calls this, about once a second. It is not the driver's thread.
        """
        if self.waker is not None and time.monotonic_ns() - self._heard_ns >= _SILENCE_NS:
            with contextlib.suppress(Exception):  # the server has gone, which the lists of ports show
                self.waker.send_message(_TRIAL)

    def close(self) -> None:
        """Close the port. A second call does nothing."""
        _delete(self.waker)
        _delete(self.midi_in, _QUIET_S)
        self.waker = self.midi_in = None


class RtMidiOutput:
    """An output. Errors of RtMidi are raised as PortError."""

    ahead_s = 0.0
    is_plugged = True

    def __init__(self, midi_out: RtMidi, name: str) -> None:
        """Create an output called `name` for `midi_out`, which is open."""
        self.name = name
        self.midi_out = midi_out
        self._lock = threading.Lock()  # sends one message at a time

    def send(self, data: Sequence[int], due_s: float | None = None) -> None:  # noqa: ARG002 - the protocol in ports.base has it
        """Send the bytes of one message at once, or raise PortError if the port is closed or has gone."""
        if self.midi_out is None:
            raise PortError(f"the port '{self.name}' is closed")
        try:
            with self._lock:
                self.midi_out.send_message(data)
        except Exception as error:
            raise PortError(f"'{self.name}' cannot send ({error}). Was it unplugged?") from error

    relay = send

    def close(self) -> None:
        """Close the port. A second call does nothing."""
        _delete(self.midi_out)
        self.midi_out = None


PortT = TypeVar("PortT", RtMidiInput, RtMidiOutput)


class RtMidiBackend:
    """One MIDI system, used through RtMidi. The `open_...` functions create it.

    On JACK every RtMidi object is a client of its own. When a process dies, each of its clients delays the server for
    up to seconds. So on JACK the lists of ports come from ports that are open anyway.

    Threads: One thread uses the backend. A second thread may ask for the lists of port names.
    """

    def __init__(self, name: str, api: int, binding: RtMidiBinding) -> None:
        """Connect to the system through RtMidi's `api`, or raise an exception of the binding if there is none."""
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
        """The library that the backend uses, with its version."""
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
        """Listen to the port `name`, or raise PortError if it does not exist."""
        index = _index(name, self.input_names())
        with _translated(f"open '{name}'"):
            midi_in = self._rtmidi.MidiIn(self._api, LISTENER_PORT)
            port = RtMidiInput(midi_in, name, callback)
            midi_in.open_port(index, LISTENER_PORT)
        if self.name == JACK:
            with contextlib.suppress(PortError):  # the input works without a waker too
                port.waker = self._new_waker(LISTENER_PORT)
        return self._keep_input(port)

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> RtMidiOutput:
        """Play on the port `name` from a port called `own_name`, or raise PortError if `name` does not exist."""
        index = _index(name, self.output_names())
        with _translated(f"open '{name}'"):
            midi_out = self._rtmidi.MidiOut(self._api, own_name)
            midi_out.open_port(index, own_name)
        return self._keep_output(RtMidiOutput(midi_out, name))

    def open_virtual_input(self, name: str, callback: InputCallback) -> RtMidiInput:
        """Create the port `name`, which other programs can play on, or raise PortError if that fails.

        On Windows, open a loopback port instead.
        """
        if self.name == "winmm":
            return self.open_input(_loopback(self.input_names()), callback)
        return self._keep_input(_tried(lambda: self._virtual_input(name, callback), self._input_works))

    def open_virtual_output(self, name: str) -> RtMidiOutput:
        """Create the port `name`, which other programs can listen to, or raise PortError if that fails.

        On Windows, open a loopback port instead.
        """
        if self.name == "winmm":
            return self.open_output(_loopback(self.output_names()))
        return self._keep_output(_tried(lambda: self._virtual_output(name), self._output_works))

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Do nothing, because RtMidi reports neither connections nor periods."""

    def answers(self) -> bool:
        """Return true, because RtMidi does not report this. If the system has gone, its ports are no longer listed."""
        return True

    def close(self) -> None:
        """Close the clients that list ports. Open ports stay open."""
        _delete(self._probe_in)
        _delete(self._probe_out)
        self._probe_in = self._probe_out = None
        self._input = self._output = None

    def _virtual_input(self, name: str, callback: InputCallback) -> RtMidiInput:
        """Create a virtual input without testing it."""
        with _translated(f"make the port '{name}'"):
            midi_in = self._rtmidi.MidiIn(self._api, name)
            port = RtMidiInput(midi_in, name, callback)
            midi_in.open_virtual_port(name)
        return port

    def _virtual_output(self, name: str) -> RtMidiOutput:
        """Create a virtual output without testing it."""
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
        """Return an RtMidi output that is connected to our newest input, which other programs see as `own_name`."""
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
        """Return the RtMidi object that lists the inputs: an open input or a probe."""
        if self._input is not None and self._input.midi_in is not None:
            return self._input.midi_in
        self._probe_in = self._probe_in or self._rtmidi.MidiIn(self._api, PROBE_PORT)
        return self._probe_in

    def _destination_lister(self) -> RtMidi:
        """Return the RtMidi object that lists the outputs: an open output or a probe."""
        if self._output is not None and self._output.midi_out is not None:
            return self._output.midi_out
        self._probe_out = self._probe_out or self._rtmidi.MidiOut(self._api, PROBE_PORT)
        return self._probe_out

    def _keep_input(self, port: RtMidiInput) -> RtMidiInput:
        """On JACK, use a new input instead of a probe to list the inputs. Elsewhere that may disturb the input."""
        if self.name == JACK:
            self._input = port
            self._drop_probes()
        return port

    def _keep_output(self, port: RtMidiOutput) -> RtMidiOutput:
        """On JACK, use a new output instead of a probe to list the outputs."""
        if self.name == JACK:
            self._output = port
            self._drop_probes()
        return port

    def _drop_probes(self) -> None:
        """Close the probes that an open port replaces."""
        if self._input is not None:
            _delete(self._probe_in)
            self._probe_in = None
        if self._output is not None:
            _delete(self._probe_out)
            self._probe_out = None


def open_alsa() -> RtMidiBackend:
    """Open the ALSA sequencer, or raise PortError if there is none."""
    need_sequencer()
    return opened(_python_rtmidi(), "alsa", "API_LINUX_ALSA", "load it with: sudo modprobe snd-seq")


def open_jack() -> RtMidiBackend:
    """Open JACK without starting a server, or raise PortError if no server answers."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    return opened(_python_rtmidi(), JACK, "API_UNIX_JACK", get_jack())


def open_coremidi() -> RtMidiBackend:
    """Open CoreMIDI, or raise PortError if the system is not macOS."""
    return opened(_python_rtmidi(), *COREMIDI)


def open_winmm() -> RtMidiBackend:
    """Open WinMM, or raise PortError if the system is not Windows."""
    return opened(_python_rtmidi(), *WINMM)


def opened(binding: RtMidiBinding, name: str, constant: str, advice: str) -> RtMidiBackend:
    """Return the backend `name` through `binding`. `constant` is the name of its API in the binding.

    Raises:
        DriverMissingError: The binding does not load.
        PortError: The system is not available. The message ends with `advice`.
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
    """Return the binding python-rtmidi, loaded or not."""
    return RtMidiBinding("python-rtmidi", rtmidi, _MISSING)


def _tried(make: Callable[[], PortT], works: Callable[[PortT], bool]) -> PortT:
    """Return the port that `make` creates. If it does not work, create it again up to `_ATTEMPTS` times."""
    for _ in range(_ATTEMPTS):
        port = make()
        if works(port):
            return port
        port.close()
    raise PortError(f"the port '{port.name}' was created {_ATTEMPTS} times and carries nothing. Restart the server")


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Raise a PortError that says that `what` could not be done in place of an error of rtmidi."""
    try:
        with quiet_stderr():
            yield
    except PortError:
        raise
    except Exception as error:
        raise PortError(f"cannot {what}: {error}; see: improviser ports") from error


def _index(name: str, names: Sequence[str]) -> int:
    """Return the index of `name` in `names`, or raise PortError."""
    if name in names:
        return list(names).index(name)
    available = ", ".join(f"'{other}'" for other in names) or "none"
    raise PortError(f"no MIDI port '{name}' (available: {available}); see: improviser ports")


def _last(name: str, names: Sequence[str]) -> int:
    """Return the index of the newest port called `name`, with any client."""
    return max(index for index, other in enumerate(names) if other.endswith(f":{name}"))


def _loopback(names: Sequence[str]) -> str:
    """Return the loopback port that replaces a virtual port on Windows, or raise PortError."""
    found = loopback_name(names)
    if found is None:
        raise PortError(
            "Windows has no virtual MIDI ports. Install loopMIDI, add a port called 'Improviser' "
            "and choose it in the DAW, or name a port with --out"
        )
    return found


def _delete(midi: RtMidi | None, rest_s: float = 0.0) -> None:
    """Close an RtMidi object, and free it after `rest_s` seconds."""
    if midi is None:
        return
    with contextlib.suppress(Exception), quiet_stderr():
        midi.close_port()
    time.sleep(rest_s)
    with contextlib.suppress(Exception), quiet_stderr():
        midi.delete()


def _ignore(_data: Sequence[int], _at_ns: int) -> None:
    """Discard a message."""
