"""Ports inside this process: for tests, and for machines without any MIDI system.

A patchbay holds virtual ports by name. A message that is sent reaches the callbacks at once, in the sender's thread.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from improviser.errors import PortError
from improviser.ports.base import SENDER_PORT, BackendNews, InputCallback
from improviser.ports.clock import MonotonicClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Patchbay:
    """Named sources and destinations, and the connections between them.

    Threads: Any thread may use the patchbay. A lock guards the tables, and it is never held while a callback runs.
    """

    def __init__(self) -> None:
        """Create an empty patchbay."""
        self._lock = threading.Lock()
        self._sources: dict[str, list[LoopbackInput]] = {}
        self._destinations: dict[str, LoopbackInput] = {}

    def sources(self) -> tuple[str, ...]:
        """Return the names that can be listened to."""
        with self._lock:
            return tuple(self._sources)

    def destinations(self) -> tuple[str, ...]:
        """Return the names that can be played on."""
        with self._lock:
            return tuple(self._destinations)

    def add_source(self, name: str) -> None:
        """Add a name that can be listened to, or raise PortError if it is taken."""
        with self._lock:
            if name in self._sources:
                raise PortError(_taken(name))
            self._sources[name] = []

    def add_destination(self, port: LoopbackInput) -> None:
        """Add a port that can be played on, or raise PortError if its name is taken."""
        with self._lock:
            if port.name in self._destinations:
                raise PortError(_taken(port.name))
            self._destinations[port.name] = port

    def connect(self, source: str, port: LoopbackInput) -> None:
        """Connect `source` to `port`, or raise PortError if there is no such source."""
        with self._lock:
            if source not in self._sources:
                raise PortError(_missing(source, tuple(self._sources)))
            self._sources[source].append(port)

    def listeners(self, source: str) -> tuple[LoopbackInput, ...]:
        """Return the ports that are connected to `source`, or raise PortError if `source` has gone."""
        with self._lock:
            if source not in self._sources:
                raise PortError(_missing(source, tuple(self._sources)))
            return tuple(self._sources[source])

    def destination(self, name: str) -> LoopbackInput:
        """Return the destination called `name`, or raise PortError if there is none."""
        with self._lock:
            if name not in self._destinations:
                raise PortError(_missing(name, tuple(self._destinations)))
            return self._destinations[name]

    def remove_source(self, name: str) -> None:
        """Remove the source `name` and its connections."""
        with self._lock:
            self._sources.pop(name, None)

    def remove_input(self, port: LoopbackInput) -> None:
        """Remove an input and all connections to it."""
        with self._lock:
            if self._destinations.get(port.name) is port:
                del self._destinations[port.name]
            for listeners in self._sources.values():
                if port in listeners:
                    listeners.remove(port)


class LoopbackInput:
    """An input of the patchbay."""

    is_plugged = True

    def __init__(self, patchbay: Patchbay, name: str, callback: InputCallback) -> None:
        """Create the input `name`, which calls `callback` for each message."""
        self.name = name
        self.faults = 0
        self._patchbay = patchbay
        self._callback = callback

    def deliver(self, data: Sequence[int], at_ns: int) -> None:
        """Pass a message to the callback. If the callback raises an exception, count it."""
        try:
            self._callback(data, at_ns)
        except Exception:  # noqa: BLE001 - no exception of a callback may reach the sender
            self.faults += 1

    def wake(self) -> None:
        """Do nothing, because a loopback input always listens."""

    def close(self) -> None:
        """Remove the port from the patchbay."""
        self._patchbay.remove_input(self)


class LoopbackOutput:
    """An output of the patchbay."""

    is_plugged = True

    ahead_s = 0.0

    def __init__(self, name: str, reached: Callable[[], Sequence[LoopbackInput]], leave: Callable[[], None]) -> None:
        """Create the output `name`, which sends to the inputs that `reached` returns. Closing calls `leave`."""
        self.name = name
        self._reached = reached
        self._leave = leave
        self._open = True

    def send(self, data: Sequence[int], due_s: float | None = None) -> None:
        """Send the bytes of one message at once, or raise PortError if the port is closed or its other end has gone."""
        del due_s
        if not self._open:
            msg = f"the port '{self.name}' is closed"
            raise PortError(msg)
        at_ns = time.monotonic_ns()
        for listener in self._reached():
            listener.deliver(tuple(data), at_ns)

    relay = send

    def close(self) -> None:
        """Close the port. A second call does nothing."""
        if self._open:
            self._open = False
            self._leave()


class LoopbackBackend:
    """A MIDI system whose ports exist only in its patchbay."""

    name = "loopback"
    driver = ""

    def __init__(self, patchbay: Patchbay | None = None) -> None:
        """Use `patchbay`, or a new one."""
        self.clock = MonotonicClock()
        self._patchbay = patchbay or Patchbay()

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""
        return self._patchbay.sources()

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""
        return self._patchbay.destinations()

    def open_input(self, name: str, callback: InputCallback) -> LoopbackInput:
        """Listen to the port `name`, or raise PortError if it does not exist."""
        port = LoopbackInput(self._patchbay, name, callback)
        self._patchbay.connect(name, port)
        return port

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> LoopbackOutput:  # noqa: ARG002 - the protocol has it
        """Play on the port `name`, or raise PortError if it does not exist."""
        self._patchbay.destination(name)
        return LoopbackOutput(name, lambda: (self._patchbay.destination(name),), lambda: None)

    def open_virtual_input(self, name: str, callback: InputCallback) -> LoopbackInput:
        """Create the port `name`, which can be played on, or raise PortError if the name is taken."""
        port = LoopbackInput(self._patchbay, name, callback)
        self._patchbay.add_destination(port)
        return port

    def open_virtual_output(self, name: str) -> LoopbackOutput:
        """Create the port `name`, which can be listened to, or raise PortError if the name is taken."""
        patchbay = self._patchbay
        patchbay.add_source(name)
        return LoopbackOutput(name, lambda: patchbay.listeners(name), lambda: patchbay.remove_source(name))

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Do nothing, because no driver reports anything."""

    def answers(self) -> bool:
        """Return true, because a patchbay cannot go away."""
        return True

    def close(self) -> None:
        """Do nothing, because the backend holds no resources."""


def open_loopback() -> LoopbackBackend:
    """Return a loopback backend with a new patchbay."""
    return LoopbackBackend()


def _taken(name: str) -> str:
    """Return the error text for a name that is in use."""
    return f"a port '{name}' exists. Close the program that made it"


def _missing(name: str, names: Sequence[str]) -> str:
    """Return the error text for a name that does not exist."""
    available = ", ".join(f"'{other}'" for other in names) or "none"
    return f"no MIDI port '{name}' (available: {available}); see: improviser ports"
