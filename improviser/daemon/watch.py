"""Looking after open ports: drivers do not tell of one that goes or comes."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from improviser.daemon.inbox import Inbox, PortFound, PortLost
from improviser.daemon.steady import SteadyOutput
from improviser.errors import PortError
from improviser.ports.base import VIRTUAL_INPUT
from improviser.ports.name import is_own, twins_of
from improviser.ports.priority import HELPER_PRIORITY, raise_priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.daemon.opening import OpenPorts
    from improviser.ports.base import InputPort

# Ports are looked at so often, and are lost when they are missed twice: a list can be wrong for a moment.
WATCH_EVERY_S: Final = 1.0
_MISSES: Final = 2


@contextlib.contextmanager
def watching(ports: OpenPorts, inbox: Inbox, every_s: float = WATCH_EVERY_S) -> Iterator[None]:
    """Look after the open ports while the block runs."""
    thread = Watch(ports, inbox, every_s)
    thread.start()
    try:
        yield
    finally:
        thread.stop()


class Watch(threading.Thread):
    """Looks whether the open ports are still there, and opens those that come or come back; tells the inbox.

    Threads: one of its own; ends with the process, or when `stop` is called.
    """

    def __init__(self, ports: OpenPorts, inbox: Inbox, every_s: float) -> None:
        """Look every `every_s` seconds."""
        super().__init__(name="watch", daemon=True)
        self._ports = ports
        self._inbox = inbox
        self._every_s = every_s
        self._misses: dict[str, int] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        """Look again and again."""
        raise_priority(HELPER_PRIORITY)
        while not self._ended.wait(self._every_s):
            self.look()

    def stop(self) -> None:
        """Look no more; returns when the last look is over."""
        self._ended.set()
        self.join(timeout=self._every_s)

    def look(self) -> None:
        """Look once."""
        backend = self._ports.backend
        try:
            sources, destinations = backend.input_names(), backend.output_names()
        except PortError:
            sources, destinations = (), ()
        self._look_at_output(sources, destinations)
        for port in tuple(self._ports.inputs):
            port.wake()
        lost = [port.name for port in self._ports.inputs if self._is_away(port, sources, destinations)]
        # Of devices of one name nobody knows which of them went: all are opened anew.
        doubtful = {twin for name in lost for twin in twins_of(name, self._ports.names()["in"])}
        for port in tuple(self._ports.inputs):
            if port.name in doubtful:
                self._inbox.put(PortLost(port.name, is_output=False))
                self._ports.inputs.remove(port)
                port.close()
        self._look_for_inputs(sources)

    def _look_at_output(self, sources: Sequence[str], destinations: Sequence[str]) -> None:
        """Look whether the output is there; one that was not ours to make is opened again when it is back."""
        output = self._ports.output
        if not isinstance(output, SteadyOutput):
            # What we play on is a source to others where we made it.
            if self._is_lost(output.name, sources):
                self._inbox.put(PortLost(output.name, is_output=True))
        elif output.is_away:
            with contextlib.suppress(PortError):  # it is not back yet
                output.meet(self._ports.find_output(destinations))
                self._inbox.put(PortFound(output.name, is_output=True))
        elif self._is_lost(output.name, destinations) or not output.is_plugged:
            output.part()
            self._inbox.put(PortLost(output.name, is_output=True, may_return=True))

    def _look_for_inputs(self, sources: Sequence[str]) -> None:
        """Open the inputs that have come since, and are meant to be listened to."""
        known = {port.name for port in self._ports.inputs}
        for name in self._ports.find_inputs(sources):
            if name not in known:
                with contextlib.suppress(PortError):  # gone again
                    self._ports.inputs.append(self._ports.backend.open_input(name, self._inbox.hears(name)))
                    self._inbox.put(PortFound(name, is_output=False))

    def _is_away(self, port: InputPort, sources: Sequence[str], destinations: Sequence[str]) -> bool:
        """Tell whether an input is lost, or lost its cable; our own is a destination to others."""
        is_lost = self._is_lost(port.name, destinations if port.name == VIRTUAL_INPUT else sources)
        return is_lost or not port.is_plugged

    def _is_lost(self, name: str, names: Sequence[str]) -> bool:
        """Tell whether a port that is not among `names` is so for the second time in a row."""
        # One that we have made is listed with our client's name before it.
        if name in names or (is_own(name) and any(name in other for other in names)):
            self._misses[name] = 0
            return False
        self._misses[name] = self._misses.get(name, 0) + 1
        return self._misses[name] == _MISSES
