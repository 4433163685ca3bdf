"""Watches the open ports, because drivers do not report ports that go or appear."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.performer.inbox import (
    BackendLost,
    Inbox,
    LoopClosed,
    NotRouted,
    PortFound,
    PortLost,
    PortsSeen,
    Rerouted,
)
from improviser.performer.ports.opening import LINGER_S, open_named, wanted_inputs
from improviser.ports.name import is_own, own_ports, twins_of
from improviser.ports.priority import HELPER_PRIORITY, raise_priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.performer.ports.opening import OpenPorts
    from improviser.ports.base import InputPort, OutputPort
    from improviser.protocol import Route

# How often ports are checked. A port is lost when it is missing twice: a list can be wrong for a moment.
WATCH_EVERY_S: Final = 1.0
_MISSES: Final = 2


@contextlib.contextmanager
def watching(ports: OpenPorts, inbox: Inbox, every_s: float = WATCH_EVERY_S) -> Iterator[HotPlugMonitor]:
    """Watch the open ports while the block runs."""
    thread = HotPlugMonitor(ports, inbox, every_s)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()


class HotPlugMonitor(threading.Thread):
    """Checks whether the open ports are still there, and opens ports that appear, return or are chosen.

    Threads: This is a thread of its own, which puts changes into the inbox. It ends with the process or when `stop` is
    called. Any thread may call `route` and `close_loop`.
    """

    def __init__(self, ports: OpenPorts, inbox: Inbox, every_s: float) -> None:
        """Create the thread, which checks every `every_s` seconds."""
        super().__init__(name="hot-plug monitor", daemon=True)
        self._ports = ports
        self._inbox = inbox
        self._every_s = every_s
        self._misses: dict[str, int] = {}
        self._listed: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
        self._seen = PortsSeen((), ())
        # The newest request, until its ports are opened.
        self._routes: deque[Route] = deque(maxlen=1)
        self._looped: deque[str] = deque()
        output = ports.output
        # The output in use, or the next one once the performer's loop switches to it. _own is our own port, which may
        # be out of use.
        self._wanted_output: tuple[str, bool] = output.name, output.is_ours
        self._own = output.own
        self._wake = threading.Event()
        self._has_ended = False

    def run(self) -> None:
        """Check again and again until `stop` is called."""
        raise_priority(HELPER_PRIORITY)
        self._names()
        self.note_seen()
        while True:
            self._wake.wait(self._every_s)
            self._wake.clear()
            if self._has_ended:
                return
            if not self._ports.backend.answers():
                self._inbox.put(BackendLost(self._ports.backend.name))
                return
            self._ports.output.close_left(LINGER_S)
            if self._routes:
                self.reroute(self._routes.pop())
            self.look()
            self.note_seen()

    def route(self, wanted: Route) -> None:
        """Request that other ports are opened. Any thread may call this."""
        self._routes.append(wanted)
        self._wake.set()

    def close_loop(self, port: str) -> None:
        """Request that an input is closed on which our own output comes back. Any thread may call this."""
        self._looped.append(port)
        self._wake.set()

    def stop(self) -> None:
        """Stop the thread, and wait up to `every_s` seconds until its last check has ended."""
        self._has_ended = True
        self._wake.set()
        self.join(timeout=self._every_s)

    def reroute(self, wanted: Route) -> None:
        """Open the requested ports, and close other inputs. If that fails, change nothing."""
        ports = self._ports
        settings = replace(ports.settings, input_pattern=wanted.input, output_pattern=wanted.output)
        sources, destinations = self._names()
        try:
            inputs = wanted_inputs(settings, sources)
            output = self._chosen(wanted.output, destinations)
        except PortError as error:
            self._inbox.put(NotRouted(str(error)))
            return
        ports.settings = settings
        ports.looped.clear()
        left = [port for port in ports.inputs if port.name not in inputs and not is_own(port.name)]
        for port in left:
            ports.inputs.remove(port)
            port.close()
        self._open_inputs(inputs)
        names, closed = ports.names()["in"], tuple(port.name for port in left)
        self._inbox.put(Rerouted(wanted, names, closed, output, is_ours=wanted.output is None))

    def _close_looped(self, name: str) -> None:
        """Close an input that the user did not request by name, and keep it closed."""
        ports = self._ports
        for port in [port for port in ports.inputs if port.name == name and ports.may_leave(name)]:
            ports.looped.add(name)
            ports.inputs.remove(port)
            port.close()
            self._inbox.put(LoopClosed(name))

    def _chosen(self, pattern: str | None, destinations: Sequence[str]) -> OutputPort | None:
        """Open the requested output (None: the virtual one). Return None if it is in use already."""
        name, is_ours = self._wanted_output
        if (pattern is None) == is_ours and pattern in {None, name}:
            return None
        if pattern is not None:
            chosen = open_named(self._ports.backend, pattern, _of_others(destinations))
        else:
            own = own_ports(self._ports.settings.jam)[1]
            chosen = self._own = self._own or self._ports.backend.open_virtual_output(own)
        self._wanted_output = chosen.name, pattern is None
        return chosen

    def _names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the ports that can be listened to, and of those that can be played on."""
        backend = self._ports.backend
        try:
            self._listed = backend.input_names(), backend.output_names()
        except PortError:
            self._listed = (), ()
        return self._listed

    def note_seen(self) -> None:
        """Report the ports of others in the last list, if they have changed."""
        seen = PortsSeen(*map(_of_others, self._listed))
        if seen != self._seen:
            self._seen = seen
            self._inbox.put(seen)

    def look(self) -> None:
        """Check once."""
        while self._looped:
            self._close_looped(self._looped.popleft())
        sources, destinations = self._names()
        self._look_at_output(sources, destinations)
        for port in tuple(self._ports.inputs):
            port.wake()
        lost = [port.name for port in self._ports.inputs if self._is_away(port, sources, destinations)]
        # If several devices share a name, it is unknown which one has gone, so all of them are opened again.
        doubtful = {twin for name in lost for twin in twins_of(name, self._ports.names()["in"])}
        for port in tuple(self._ports.inputs):
            if port.name in doubtful:
                self._inbox.put(PortLost(port.name, is_output=False))
                self._ports.inputs.remove(port)
                port.close()
        self._look_for_inputs(sources)

    def _look_at_output(self, sources: Sequence[str], destinations: Sequence[str]) -> None:
        """Check whether the output is there. An output that we did not create is opened again when it returns."""
        output = self._ports.output
        if output.is_ours:
            # For other programs, a port that we created is a source.
            if self._is_lost(output.name, sources):
                self._inbox.put(PortLost(output.name, is_output=True))
        elif output.is_away:
            with contextlib.suppress(PortError):  # the port has not returned yet
                output.meet(self._ports.find_output(destinations))
                self._inbox.put(PortFound(output.name, is_output=True))
        elif self._is_lost(output.name, destinations) or not output.is_plugged:
            output.part()
            self._inbox.put(PortLost(output.name, is_output=True, may_return=True))

    def _look_for_inputs(self, sources: Sequence[str]) -> None:
        """Open the inputs that have appeared since and are to be listened to."""
        for name in self._open_inputs(self._ports.find_inputs(sources)):
            self._inbox.put(PortFound(name, is_output=False))

    def _open_inputs(self, names: Sequence[str]) -> list[str]:
        """Open those of the inputs that are not open yet. Return their names."""
        known, opened = {port.name for port in self._ports.inputs}, []
        for name in names:
            if name not in known:
                with contextlib.suppress(PortError):  # the port has gone again
                    self._ports.inputs.append(self._ports.backend.open_input(name, self._inbox.hears(name)))
                    opened.append(name)
        return opened

    def _is_away(self, port: InputPort, sources: Sequence[str], destinations: Sequence[str]) -> bool:
        """Return whether an input is lost or disconnected. For other programs, our own input is a destination."""
        is_lost = self._is_lost(port.name, destinations if is_own(port.name) else sources)
        return is_lost or not port.is_plugged

    def _is_lost(self, name: str, names: Sequence[str]) -> bool:
        """Return whether a port is missing from `names` for the second time in a row."""
        # The name of a port that we created is listed with our client's name before it.
        if name in names or (is_own(name) and any(name in other for other in names)):
            self._misses[name] = 0
            return False
        self._misses[name] = self._misses.get(name, 0) + 1
        return self._misses[name] == _MISSES


def _of_others(names: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that are not our own ports."""
    return tuple(name for name in names if not is_own(name))
