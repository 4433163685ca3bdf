"""Sample-exact MIDI through JACK (or PipeWire's): each scheduled message leaves in its very frame.

One client has all ports. JACK calls it once a period; what is due in that period is then written at its
frame, and what came is stamped with its frame. So a message has to be handed over a period and a little
before it is due, `ahead_s`, which follows the period where that changes. All moments are those of JACK's own
clock, the sound card's, which no other clock keeps up with for long.

A server may go without telling its clients (PipeWire calls only `jack_on_shutdown`, which JACK-Client does
not register), or stand still: that it calls no more is how both are noticed.

Source: JACK API 1.9.21, jack/midiport.h and jack/jack.h; JACK-Client 0.5.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from improviser.errors import PortError
from improviser.ports.advice import get_jack
from improviser.ports.base import (
    LISTENER_PORT,
    SENDER_PORT,
    BackendNews,
    Disconnected,
    InputCallback,
    LookAheadChanged,
)
from improviser.ports.driver import library
from improviser.ports.jack_clock import JackClock
from improviser.ports.name import is_own
from improviser.ports.patience import within
from improviser.ports.priority import CLIENT_PRIORITY, raise_priority
from improviser.ports.quiet import quiet_stderr
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CLIENT: Final = "Improviser"
# A real-time thread that is woken beside a busy machine is late by less, decision and sending included.
MARGIN_S: Final = 0.006
# An ordinary thread beside a learner: p99 9.5 ms (Source: see ports.priority).
ORDINARY_MARGIN_S: Final = 0.018
# A server that stood still for two seconds after a client was killed lets the next one in by then.
_OPENED_S: Final = 3.0
# JACK fails to start a client's thread once in a while; a client that works is called within some periods.
_STARTED_S: Final = 1.0
# A server stands still for seconds where a client of it was killed; so long a port that is closed waits.
_FLUSH_S: Final = 3.0
# A cable that was laid is there from one of the next periods on; a server with much to do takes more of them.
_LAID_S: Final = 1.0
# A server that calls nobody for so long is gone, or as good as gone. The longest period of any use, 8,192
# frames at 44.1 kHz, takes 0.19 s.
GONE_S: Final = 1.0
# One that has called nobody for so long answers no request now.
_STILL_S: Final = 0.5
# Who asks so late was held up, maybe with all the machine.
_AWAY_S: Final = 3.0
_ATTEMPTS: Final = 3


class JackInput:
    """An input; it calls back in JACK's real-time thread."""

    def __init__(self, name: str, port: Any, callback: InputCallback, backend: JackBackend) -> None:  # noqa: ANN401
        """Listen to what comes to `port`, called `name`."""
        self.name = name
        self.port = port
        self.other = ""
        self.faults = 0
        self._callback = callback
        self._backend = backend

    @property
    def is_plugged(self) -> bool:
        """Whether the cable to what it was opened for is there; one that came back quickly has none."""
        return self._backend.has_cable(self.port, self.other)

    def wake(self) -> None:
        """Do nothing: JACK gives whole messages only."""

    def read(self, port: Any, start: int) -> None:  # noqa: ANN401 - as above
        """Hand over what came to `port` in the period from frame `start` on. JACK's thread only."""
        for offset, data in port.incoming_midi_events():
            try:
                self._callback(bytes(data), round(self._backend.clock.s_at(start + offset) * NS_PER_S))
            except Exception:  # noqa: BLE001 - here nobody could hear of it
                self.faults += 1

    def close(self) -> None:
        """Close the port; a second call does nothing."""
        port, self.port = self.port, None
        self._backend.retire(port)


class JackOutput:
    """An output whose messages leave in the order in which they came, each in its frame or later.

    What is relayed has a queue of its own, so that it waits for nothing that is due later; where that is
    done in JACK's thread it leaves in the very frame in which it came.
    """

    def __init__(self, name: str, port: Any, backend: JackBackend) -> None:  # noqa: ANN401 - as above
        """Send through `port`, called `name`."""
        self.name = name
        self.port = port
        self.other = ""
        self._backend = backend
        self._queue: deque[tuple[int, bytes]] = deque()
        self._relayed: deque[tuple[int, bytes]] = deque()
        self._last = 0

    @property
    def is_plugged(self) -> bool:
        """Whether the cable to what it was opened for is there."""
        return self._backend.has_cable(self.port, self.other)

    @property
    def ahead_s(self) -> float:
        """So long before its moment a message has to be handed over."""
        return self._backend.period_s + self._backend.margin_s

    def send(self, data: Sequence[int], due_s: float | None = None) -> float:
        """Send one message at `due_s`, or as soon as may be; return the moment at which it leaves.

        Raises:
            PortError: The port is closed, or the server is gone.
        """
        self._need()
        clock = self._backend.clock
        self._last = max(self._last, 0 if due_s is None else clock.frame_at(due_s))
        self._queue.append((self._last, bytes(data)))
        return clock.s_at(max(self._last, self._backend.next_frame))

    def relay(self, data: Sequence[int], at_s: float, /) -> None:
        """Send one message that came at `at_s` in that frame, or as soon as may be.

        Raises:
            PortError: The port is closed, or the server is gone.
        """
        self._need()
        self._relayed.append((self._backend.clock.frame_at(at_s), bytes(data)))

    def write(self, port: Any, start: int, frames: int) -> None:  # noqa: ANN401 - as above
        """Write what is due in the period from frame `start` on; what finds no room waits. JACK's thread."""
        port.clear_buffer()
        while (queue := self._next()) is not None and queue[0][0] < start + frames:
            frame, data = queue[0]
            try:
                port.write_midi_event(max(0, frame - start), data)
            except Exception:  # noqa: BLE001 - the buffer is full: the next period takes it
                return
            queue.popleft()

    def close(self) -> None:
        """Close the port when all has left it; a second call does nothing."""
        give_up_s = time.monotonic() + _FLUSH_S
        while self._next() is not None and self._backend.is_running and time.monotonic() < give_up_s:
            time.sleep(self._backend.period_s)
        port, self.port = self.port, None
        self._backend.retire(port)

    def _need(self) -> None:
        """Raise PortError where the port is closed, or the server is gone."""
        if self.port is None or self._backend.is_gone:
            raise PortError(f"'{self.name}' cannot send: the JACK server is gone")

    def _next(self) -> deque[tuple[int, bytes]] | None:
        """Return the queue whose first message leaves first; None where both are empty."""
        queue, relayed = self._queue, self._relayed
        if relayed and (not queue or relayed[0][0] < queue[0][0]):
            return relayed
        return queue or None


class JackBackend:
    """JACK, as one client.

    Threads: one, except for the lists of names, which a second one may ask for; JACK's own calls back.
    """

    name: Final = "jack"

    def __init__(self, module: Any, client: str = CLIENT) -> None:  # noqa: ANN401 - as above
        """Join the server as `client` by JACK-Client, the module. Raises what that raises where none is."""
        self._module = module
        self._client_name = client
        self._client: Any = None
        self._listeners: tuple[Callable[[BackendNews], None], ...] = ()
        self._period = self._next_frame = 0
        # The last frame when `answers` was asked, since when that stands, and when it was asked last.
        self._seen: tuple[int, float] = 0, time.monotonic()
        self._asked_s = time.monotonic()
        self.is_gone = False
        self.margin_s = MARGIN_S
        self._inputs: tuple[JackInput, ...] = ()
        self._outputs: tuple[JackOutput, ...] = ()
        self._started = threading.Event()
        self._join()

    @property
    def driver(self) -> str:
        """The libraries that it goes through, with their versions."""
        return f"{library('JACK-Client')} and {_server(self._module.version_string())}"

    @property
    def period_s(self) -> float:
        """The length of a period in seconds, as it is now."""
        return self.clock.s_at(self._period)

    @property
    def is_running(self) -> bool:
        """Whether the server is there and calls us, if it ever did: else it answers no request."""
        has_called = time.monotonic() - self.clock.turned_s < _STILL_S
        return not self.is_gone and (has_called or not self._started.is_set())

    @property
    def next_frame(self) -> int:
        """The first frame that can still be written."""
        return self._next_frame

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""
        return self._names(is_output=True)

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""
        return self._names(is_input=True)

    def open_input(self, name: str, callback: InputCallback, own_name: str = LISTENER_PORT) -> JackInput:
        """Listen to the port `name`, seen there as `own_name`. Raises PortError where there is none."""
        _find(name, self.input_names())
        port = self._new_input(name, own_name, callback)
        self.connect(name, port.port.name)
        port.other = name
        return port

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> JackOutput:
        """Play on the port `name`, seen there as `own_name`. Raises PortError where there is none."""
        _find(name, self.output_names())
        port = self._new_output(name, own_name)
        self.connect(port.port.name, name)
        port.other = name
        return port

    def open_virtual_input(self, name: str, callback: InputCallback) -> JackInput:
        """Make the port `name`, which other programs can play on. Raises PortError where that fails."""
        return self._new_input(name, name, callback)

    def open_virtual_output(self, name: str) -> JackOutput:
        """Make the port `name`, which other programs can listen to. Raises PortError where that fails."""
        return self._new_output(name, name)

    def connect(self, source: str, destination: str) -> None:
        """Lay a cable, where there is none yet, and wait until notes go through it.

        Raises:
            PortError: An end is missing.
        """
        if source in self._cables(destination):
            return
        with _translated(f"connect '{source}' with '{destination}'", self._module):
            self._client.connect(source, destination)
        give_up_s = time.monotonic() + _LAID_S
        while source not in self._cables(destination) and time.monotonic() < give_up_s:
            time.sleep(self.period_s)

    def cables(self, port: str) -> tuple[str, ...] | None:
        """Return what the newest of improviser's ports called `port` is connected with, its own ports aside.

        None where there is no such port.
        """
        names = self._called(port)
        return tuple(name for name in self._cables(names[-1]) if not is_own(name)) if names else None

    def has_cable(self, port: Any, other: str) -> bool:  # noqa: ANN401 - as above
        """Return whether a port of ours is connected with the port `other`; true where there is no other."""
        return not other or port is None or self.is_gone or other in self._cables(port.name)

    def restore(self, port: str, others: Sequence[str]) -> None:
        """Connect the newest of improviser's ports called `port` with those of `others` that are there."""
        for name in self._called(port)[-1:]:
            for other in others:
                pair = (name, other) if name in self.input_names() else (other, name)
                with contextlib.suppress(PortError):  # it has gone
                    self.connect(*pair)

    def retire(self, port: Any) -> None:  # noqa: ANN401 - as above
        """Return a port of ours back, when JACK's thread has done with it; nothing where the server is gone."""
        if port is not None and self.is_running:
            time.sleep(2 * self.period_s)
            with contextlib.suppress(Exception):
                port.unregister()

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Notify `listener` of periods that change and of connections that go, from JACK's threads."""
        self._listeners = (*self._listeners, listener)

    def answers(self) -> bool:
        """Return whether the server is there and calls us; asked about once a second, by one thread."""
        now_s, (frame, since_s) = time.monotonic(), self._seen
        was_away, self._asked_s = now_s - self._asked_s > _AWAY_S, now_s
        if frame != self._next_frame or was_away or not self._started.is_set():
            self._seen = self._next_frame, now_s
        elif now_s - since_s >= GONE_S and not self.is_gone:
            self._note_gone()
        return not self.is_gone

    def close(self) -> None:
        """Leave the server; a second call does nothing. It blocks where the server stands still."""
        client, self._client = self._client, None
        if client is not None:
            was_gone, self.is_gone = self.is_gone, True
            with contextlib.suppress(Exception), quiet_stderr():
                if not was_gone:
                    client.deactivate()
                client.close()

    def _join(self) -> None:
        """Become a client that is called; it is not active before its first port is made."""
        self._module.set_error_function(_ignore)
        self._module.set_info_function(_ignore)
        self._client = self._module.Client(self._client_name, no_start_server=True)
        self.clock = JackClock(self._client)
        self._period = self._client.blocksize
        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(lambda _status, _reason: self._note_gone())
        self._client.set_port_connect_callback(self._connected, only_available=False)

    def _process(self, frames: int) -> None:
        """Read and write a period, in JACK's thread."""
        if not self._started.is_set():
            if not self._client.realtime and not raise_priority(CLIENT_PRIORITY):
                self.margin_s = ORDINARY_MARGIN_S
            self._started.set()
        start = self.clock.turn()
        self._next_frame = start + frames
        if frames != self._period:
            self._period = frames
            self._tell(LookAheadChanged())
        for hears in self._inputs:
            if (port := hears.port) is not None:
                hears.read(port, start)
        for plays in self._outputs:
            if (port := plays.port) is not None:
                plays.write(port, start, frames)

    def _connected(self, _source: Any, destination: Any, is_there: bool) -> None:  # noqa: ANN401, FBT001 - JACK-Client's
        """Report where a connection to an input of ours is gone. A thread of JACK's that may not ask it."""
        if is_there or destination is None:
            return
        for hears in self._inputs:
            if (port := hears.port) is not None and port == destination:
                self._tell(Disconnected(hears.name))

    def _tell(self, news: BackendNews) -> None:
        """Notify the listeners."""
        for listener in self._listeners:
            listener(news)

    def _note_gone(self) -> None:
        """Record that the server is gone."""
        self.is_gone = True
        self.clock.stop()

    def _new_input(self, name: str, own_name: str, callback: InputCallback) -> JackInput:
        """Make a port of ours that hears."""
        port = self._registered(own_name, "midi_inports")
        made = JackInput(name, port, callback, self)
        self._inputs = (*(hears for hears in self._inputs if hears.port is not None), made)
        return made

    def _new_output(self, name: str, own_name: str) -> JackOutput:
        """Make a port of ours that plays."""
        port = self._registered(own_name, "midi_outports")
        made = JackOutput(name, port, self)
        self._outputs = (*(plays for plays in self._outputs if plays.port is not None), made)
        return made

    def _registered(self, own_name: str, kind: str) -> Any:  # noqa: ANN401 - as above
        """Return a new port of ours of a kind, called so or, where that is taken, with a number."""
        if self.is_gone:
            raise PortError(f"the JACK server is gone; {get_jack()}")
        self._activate()
        taken = {
            name.partition(":")[2]
            for name in (*self.input_names(), *self.output_names())
            if name.startswith(f"{self._client.name}:")
        }
        numbered = (f"{own_name} {number}" for number in range(2, len(taken) + 2))
        free = next(name for name in (own_name, *numbered) if name not in taken)
        with _translated(f"make the port '{own_name}'", self._module):
            return getattr(self._client, kind).register(free)

    def _activate(self) -> None:
        """Activate the client; one that JACK does not call joins again."""
        for _ in range(_ATTEMPTS):
            if self._started.is_set():
                return
            with _translated("start", self._module):
                self._client.activate()
            if self._started.wait(_STARTED_S):
                return
            with _translated("join the server", self._module), quiet_stderr():
                self._client.close()
                self._join()
        raise PortError("the JACK server does not run its clients. Restart it")

    def _names(self, **kind: bool) -> tuple[str, ...]:
        """Return the names of all MIDI ports of a kind."""
        if self.is_gone:
            return ()
        with _translated("list the ports", self._module):
            return tuple(port.name for port in self._client.get_ports(is_midi=True, **kind))

    def _called(self, port: str) -> list[str]:
        """Return the full names of the ports called `port`, the newest last."""
        return [name for name in (*self.input_names(), *self.output_names()) if name.endswith(f":{port}")]

    def _cables(self, name: str) -> tuple[str, ...]:
        """Return the names of the ports that the port `name` is connected to."""
        with contextlib.suppress(PortError), _translated("list the cables", self._module):
            port = self._client.get_port_by_name(name)
            return tuple(other.name for other in self._client.get_all_connections(port))
        return ()  # the port has just gone


def open_jack(client: str = CLIENT) -> JackBackend:
    """Join JACK as `client`; a server is never started. Raises PortError where none answers."""
    try:
        import jack  # noqa: PLC0415 - importing it raises where libjack is missing
    except (ImportError, OSError) as error:
        raise PortError(f"JACK-Client finds no JACK library ({error}); {get_jack()}") from error
    try:
        with quiet_stderr():
            return within(_OPENED_S, lambda: JackBackend(jack, client), "JACK")
    except jack.JackError as error:
        raise PortError(f"no JACK server answers; {get_jack()}") from error


@contextlib.contextmanager
def _translated(what: str, module: Any) -> Iterator[None]:  # noqa: ANN401 - as above
    """Turn what JACK-Client raises into a PortError that says it could not do `what`.

    Of a port that is just going it raises a RuntimeError too: its name and its type are null pointers.
    """
    try:
        yield
    except (module.JackError, RuntimeError) as error:
        raise PortError(f"cannot {what}: {error}; see: improviser ports") from error


def _server(version: str) -> str:
    """Return whose JACK a version of libjack is: PipeWire's tells so in brackets."""
    _, of_pipewire, pipewire = version.partition("(using ")
    return pipewire.rstrip(")") if of_pipewire else f"JACK {version}"


def _find(name: str, names: Sequence[str]) -> None:
    """Raise PortError where `name` is not among `names`."""
    if name not in names:
        available = ", ".join(f"'{other}'" for other in names) or "none"
        raise PortError(f"no MIDI port '{name}' (available: {available}); see: improviser ports")


def _ignore(_text: str) -> None:
    """Take a line of the library's and say nothing."""
