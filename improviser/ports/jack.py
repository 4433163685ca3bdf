"""Sample-exact MIDI through JACK (or PipeWire's JACK): each scheduled message leaves in its exact frame.

One client has all ports. JACK calls it once a period. In this call, messages that are due in the period are written at
their frames, and messages that came are stamped with their frames. So a message has to be handed over slightly more
than a period before it is due. This time is `ahead_s`, which changes with the period. All times are those of JACK's own
clock, the sound card's. No other clock stays in step with it for long.

A server may go without telling its clients: PipeWire calls only `jack_on_shutdown`, which JACK-Client does not
register. A server may also stand still. Both are noticed because the server no longer calls the client.

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
from improviser.ports.jack_transport import JackTransport
from improviser.ports.name import is_own
from improviser.ports.patience import within
from improviser.ports.priority import CLIENT_PRIORITY, raise_priority
from improviser.ports.quiet import quiet_stderr
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from improviser.ports.jack_transport import JackPlace

CLIENT: Final = "Improviser"
# The transport is read about this often. Each call of the library lets other threads of the interpreter go first, and
# the server waits meanwhile.
TRANSPORT_S: Final = 0.01
# A real-time thread on a busy machine is late by less than this, including the time to decide and send.
MARGIN_S: Final = 0.006
# An ordinary thread beside a learner is late by 9.5 ms at p99 (Source: see ports.priority).
ORDINARY_MARGIN_S: Final = 0.018
# A server that stands still for two seconds after a client was killed accepts the next client within this time.
_OPENED_S: Final = 3.0
# JACK sometimes fails to start a client's thread. A client that works is called within a few periods.
_STARTED_S: Final = 1.0
# A server stands still for seconds after one of its clients was killed. A port waits this long before it closes.
_FLUSH_S: Final = 3.0
# A new connection works from one of the next periods on. A busy server needs more periods.
_LAID_S: Final = 1.0
# A server that calls no client for this long has gone or is useless. The longest period in use, 8,192 frames at 44.1
# kHz, takes 0.19 s.
GONE_S: Final = 1.0
# A server that has not called the client for this long answers no requests now.
_STILL_S: Final = 0.5
# If `answers` is called this late, the caller was held up, perhaps with the whole machine.
_AWAY_S: Final = 3.0
_ATTEMPTS: Final = 3


class JackInput:
    """An input that calls back in JACK's real-time thread."""

    def __init__(self, name: str, port: Any, callback: InputCallback, backend: JackBackend) -> None:  # noqa: ANN401
        """Create an input called `name` that reads from `port`."""
        self.name = name
        self.port = port
        self.other = ""
        self.faults = 0
        self._callback = callback
        self._backend = backend

    @property
    def is_plugged(self) -> bool:
        """Whether the port that it was opened for is connected.

        A device that vanished and soon came back is not connected any more.
        """
        return self._backend.has_cable(self.port, self.other)

    def wake(self) -> None:
        """Do nothing, because JACK delivers only whole messages."""

    def read(self, port: Any, start: int) -> None:  # noqa: ANN401 - as above
        """Pass on the messages that came to `port` in the period that begins at frame `start`.

        Threads: Only JACK's thread calls this.
        """
        for offset, data in port.incoming_midi_events():
            try:
                self._callback(bytes(data), round(self._backend.clock.s_at(start + offset) * NS_PER_S))
            except Exception:  # noqa: BLE001 - in this thread nobody can catch the exception
                self.faults += 1

    def close(self) -> None:
        """Close the port. A second call does nothing."""
        port, self.port = self.port, None
        self._backend.retire(port)


class JackOutput:
    """An output whose messages leave in the order in which they were sent, each in its frame or later.

    Relayed messages have a queue of their own, so they do not wait for messages that are due later. A message that is
    relayed in JACK's thread leaves in the frame in which it came.
    """

    def __init__(self, name: str, port: Any, backend: JackBackend) -> None:  # noqa: ANN401 - as above
        """Create an output called `name` that sends through `port`."""
        self.name = name
        self.port = port
        self.other = ""
        self._backend = backend
        self._queue: deque[tuple[int, bytes]] = deque()
        self._relayed: deque[tuple[int, bytes]] = deque()
        self._last = 0

    @property
    def is_plugged(self) -> bool:
        """Whether the port that it was opened for is connected."""
        return self._backend.has_cable(self.port, self.other)

    @property
    def ahead_s(self) -> float:
        """How many seconds before its time a message has to be handed over."""
        return self._backend.period_s + self._backend.margin_s

    def send(self, data: Sequence[int], due_s: float | None = None) -> float:
        """Send one message at `due_s`, or as soon as possible. Return the time at which it leaves.

        Raises:
            PortError: The port is closed, or the server has gone.
        """
        self._need()
        clock = self._backend.clock
        self._last = max(self._last, 0 if due_s is None else clock.frame_at(due_s))
        self._queue.append((self._last, bytes(data)))
        return clock.s_at(max(self._last, self._backend.next_frame))

    def relay(self, data: Sequence[int], at_s: float, /) -> None:
        """Send one message that came at `at_s` in the frame of that time, or as soon as possible.

        Raises:
            PortError: The port is closed, or the server has gone.
        """
        self._need()
        self._relayed.append((self._backend.clock.frame_at(at_s), bytes(data)))

    def write(self, port: Any, start: int, frames: int) -> None:  # noqa: ANN401 - as above
        """Write the messages that are due in the period that begins at frame `start`. Messages without room wait.

        Threads: Only JACK's thread calls this.
        """
        port.clear_buffer()
        while (queue := self._next()) is not None and queue[0][0] < start + frames:
            frame, data = queue[0]
            try:
                port.write_midi_event(max(0, frame - start), data)
            except Exception:  # noqa: BLE001 - the buffer is full: the next period sends it
                return
            queue.popleft()

    def close(self) -> None:
        """Close the port after all its messages have left. A second call does nothing."""
        give_up_s = time.monotonic() + _FLUSH_S
        while self._next() is not None and self._backend.is_running and time.monotonic() < give_up_s:
            time.sleep(self._backend.period_s)
        port, self.port = self.port, None
        self._backend.retire(port)

    def _need(self) -> None:
        """Raise PortError if the port is closed or the server has gone."""
        if self.port is None or self._backend.is_gone:
            raise PortError(f"'{self.name}' cannot send: the JACK server is gone")

    def _next(self) -> deque[tuple[int, bytes]] | None:
        """Return the queue whose first message is due first, or None if both are empty."""
        queue, relayed = self._queue, self._relayed
        if relayed and (not queue or relayed[0][0] < queue[0][0]):
            return relayed
        return queue or None


class JackBackend:
    """JACK, used through one client.

    Threads: One thread uses the backend. A second thread may ask for the lists of port names. JACK's own threads call
    back.
    """

    name: Final = "jack"

    def __init__(self, module: Any, client: str = CLIENT) -> None:  # noqa: ANN401 - as above
        """Join the server as `client`. `module` is the JACK-Client module, whose errors are raised unchanged."""
        self._module = module
        self._client_name = client
        self._client: Any = None
        self._listeners: tuple[Callable[[BackendNews], None], ...] = ()
        self._period = self._next_frame = 0
        # _seen is the newest frame and since when it has not changed. _asked_s is the last call of `answers`.
        self._seen: tuple[int, float] = 0, time.monotonic()
        self._asked_s = time.monotonic()
        self.is_gone = False
        self.margin_s = MARGIN_S
        self._inputs: tuple[JackInput, ...] = ()
        self._outputs: tuple[JackOutput, ...] = ()
        self._started = threading.Event()
        self._transport: JackTransport | None = None
        self._periods = 0
        self._join()

    @property
    def driver(self) -> str:
        """The libraries that the backend uses, with their versions."""
        return f"{library('JACK-Client')} and {_server(self._module.version_string())}"

    @property
    def period_s(self) -> float:
        """The present length of a period in seconds."""
        return self.clock.s_at(self._period)

    @property
    def is_running(self) -> bool:
        """Whether the server is there and calls the client. A server that does not call it answers no requests.

        A client that was never called counts as running.
        """
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
        """Listen to the port `name` from a port called `own_name`, or raise PortError if `name` does not exist."""
        _find(name, self.input_names())
        port = self._new_input(name, own_name, callback)
        self.connect(name, port.port.name)
        port.other = name
        return port

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> JackOutput:
        """Play on the port `name` from a port called `own_name`, or raise PortError if `name` does not exist."""
        _find(name, self.output_names())
        port = self._new_output(name, own_name)
        self.connect(port.port.name, name)
        port.other = name
        return port

    def open_virtual_input(self, name: str, callback: InputCallback) -> JackInput:
        """Create the port `name`, which other programs can play on, or raise PortError if that fails."""
        return self._new_input(name, name, callback)

    def open_virtual_output(self, name: str) -> JackOutput:
        """Create the port `name`, which other programs can listen to, or raise PortError if that fails."""
        return self._new_output(name, name)

    def connect(self, source: str, destination: str) -> None:
        """Connect two ports unless they are connected already, and wait until the connection works.

        Raises:
            PortError: One of the ports does not exist.
        """
        if source in self._cables(destination):
            return
        with _translated(f"connect '{source}' with '{destination}'", self._module):
            self._client.connect(source, destination)
        give_up_s = time.monotonic() + _LAID_S
        while source not in self._cables(destination) and time.monotonic() < give_up_s:
            time.sleep(self.period_s)

    def cables(self, port: str) -> tuple[str, ...] | None:
        """Return the ports that the newest improviser port called `port` is connected with.

        The improviser's own ports are left out. The result is None if there is no such port.
        """
        names = self._called(port)
        return tuple(name for name in self._cables(names[-1]) if not is_own(name)) if names else None

    def has_cable(self, port: Any, other: str) -> bool:  # noqa: ANN401 - as above
        """Return whether one of our ports is connected with the port `other`. Return true if `other` is empty."""
        return not other or port is None or self.is_gone or other in self._cables(port.name)

    def restore(self, port: str, others: Sequence[str]) -> None:
        """Connect the newest improviser port called `port` with those of `others` that exist."""
        for name in self._called(port)[-1:]:
            for other in others:
                pair = (name, other) if name in self.input_names() else (other, name)
                with contextlib.suppress(PortError):  # the other port has gone
                    self.connect(*pair)

    def retire(self, port: Any) -> None:  # noqa: ANN401 - as above
        """Unregister one of our ports after JACK's thread has finished with it, unless the server has gone."""
        if port is not None and self.is_running:
            time.sleep(2 * self.period_s)
            with contextlib.suppress(Exception):
                port.unregister()

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Notify `listener` of changed periods and of connections that go.

        Threads: JACK's threads call `listener`.
        """
        self._listeners = (*self._listeners, listener)

    def watch_transport(self, tell: Callable[[JackPlace], None]) -> None:
        """Call `tell` whenever the transport does not go on as was told, and now and then while it rolls.

        Threads: JACK's thread calls `tell`.
        """
        self._transport = JackTransport(self._client, tell)

    def answers(self) -> bool:
        """Return whether the server is there and calls the client.

        Threads: One thread calls this, about once a second.
        """
        now_s, (frame, since_s) = time.monotonic(), self._seen
        was_away, self._asked_s = now_s - self._asked_s > _AWAY_S, now_s
        if frame != self._next_frame or was_away or not self._started.is_set():
            self._seen = self._next_frame, now_s
        elif now_s - since_s >= GONE_S and not self.is_gone:
            self._note_gone()
        return not self.is_gone

    def close(self) -> None:
        """Leave the server. A second call does nothing. The call blocks while the server stands still."""
        client, self._client = self._client, None
        if client is not None:
            was_gone, self.is_gone = self.is_gone, True
            with contextlib.suppress(Exception), quiet_stderr():
                if not was_gone:
                    client.deactivate()
                client.close()

    def _join(self) -> None:
        """Create the client and register its callbacks. The client is activated with its first port."""
        self._module.set_error_function(_ignore)
        self._module.set_info_function(_ignore)
        self._client = self._module.Client(self._client_name, no_start_server=True)
        self.clock = JackClock(self._client)
        self._period = self._client.blocksize
        self._client.set_process_callback(self._process)
        self._client.set_shutdown_callback(lambda _status, _reason: self._note_gone())
        self._client.set_port_connect_callback(self._connected, only_available=False)

    def _process(self, frames: int) -> None:
        """Read and write one period.

        Threads: JACK's thread calls this.
        """
        if not self._started.is_set():
            self._begin()
        start = self.clock.turn()
        self._next_frame = start + frames
        if frames != self._period:
            self._period = frames
            self._tell(LookAheadChanged())
        self._read_transport(start, frames)
        for hears in self._inputs:
            if (port := hears.port) is not None:
                hears.read(port, start)
        for plays in self._outputs:
            if (port := plays.port) is not None:
                plays.write(port, start, frames)

    def _read_transport(self, start: int, frames: int) -> None:
        """Read the transport in the first of some periods. In each period this would hold up the server."""
        if self._transport is None:
            return
        periods = max(1, round(TRANSPORT_S * self._client.samplerate / frames))
        self._periods = (self._periods + 1) % periods
        if not self._periods:
            self._transport.read(self.clock.s_at(start), periods * frames)

    def _begin(self) -> None:
        """Note that JACK calls the client, and set the margin for the priority that its thread can have."""
        if not self._client.realtime and not raise_priority(CLIENT_PRIORITY):
            self.margin_s = ORDINARY_MARGIN_S
        self._started.set()

    def _connected(self, _source: Any, destination: Any, is_there: bool) -> None:  # noqa: ANN401, FBT001 - JACK-Client's
        """Report a connection to one of our inputs that has gone.

        Threads: JACK calls this in a thread that must not send requests to JACK.
        """
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
        """Record that the server has gone."""
        self.is_gone = True
        self.clock.stop()

    def _new_input(self, name: str, own_name: str, callback: InputCallback) -> JackInput:
        """Create an input port of the client."""
        port = self._registered(own_name, "midi_inports")
        made = JackInput(name, port, callback, self)
        self._inputs = (*(hears for hears in self._inputs if hears.port is not None), made)
        return made

    def _new_output(self, name: str, own_name: str) -> JackOutput:
        """Create an output port of the client."""
        port = self._registered(own_name, "midi_outports")
        made = JackOutput(name, port, self)
        self._outputs = (*(plays for plays in self._outputs if plays.port is not None), made)
        return made

    def _registered(self, own_name: str, kind: str) -> Any:  # noqa: ANN401 - as above
        """Register a port of a kind, called `own_name`. If that name is taken, add a number."""
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
        """Activate the client. If JACK does not call it, join the server again."""
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
    """Join JACK as `client` without starting a server, or raise PortError if no server answers."""
    try:
        import jack  # noqa: PLC0415 - this import fails if libjack is missing
    except (ImportError, OSError) as error:
        raise PortError(f"JACK-Client finds no JACK library ({error}); {get_jack()}") from error
    try:
        with quiet_stderr():
            return within(_OPENED_S, lambda: JackBackend(jack, client), "JACK")
    except jack.JackError as error:
        raise PortError(f"no JACK server answers; {get_jack()}") from error


@contextlib.contextmanager
def _translated(what: str, module: Any) -> Iterator[None]:  # noqa: ANN401 - as above
    """Raise a PortError that says that `what` could not be done in place of an error of JACK-Client.

    If a port is about to go, JACK-Client raises a RuntimeError, because the port's name and type are null pointers.
    """
    try:
        yield
    except (module.JackError, RuntimeError) as error:
        raise PortError(f"cannot {what}: {error}; see: improviser ports") from error


def _server(version: str) -> str:
    """Return the name and version of the JACK server for a version of libjack. PipeWire adds its own in brackets."""
    _, of_pipewire, pipewire = version.partition("(using ")
    return pipewire.rstrip(")") if of_pipewire else f"JACK {version}"


def _find(name: str, names: Sequence[str]) -> None:
    """Raise PortError if `name` is not among `names`."""
    if name not in names:
        available = ", ".join(f"'{other}'" for other in names) or "none"
        raise PortError(f"no MIDI port '{name}' (available: {available}); see: improviser ports")


def _ignore(_text: str) -> None:
    """Discard a line of output from the library."""
