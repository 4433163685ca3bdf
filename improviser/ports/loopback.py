"""Ports inside this process: for tests, and for machines without any MIDI system.

A patchbay holds virtual ports by name; what is sent reaches the callbacks at once, in the sender's thread.
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
    """Named sources and destinations, and the cables between them.

    Threads: any thread; a lock guards the tables and is never held while a callback runs.
    """

    def __init__(self) -> None:
        """Start empty."""
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
        """Make a name that can be listened to. Raises PortError where it is taken."""
        with self._lock:
            if name in self._sources:
                raise PortError(_taken(name))
            self._sources[name] = []

    def add_destination(self, port: LoopbackInput) -> None:
        """Make a name that can be played on. Raises PortError where it is taken."""
        with self._lock:
            if port.name in self._destinations:
                raise PortError(_taken(port.name))
            self._destinations[port.name] = port

    def connect(self, source: str, port: LoopbackInput) -> None:
        """Connect `source` to `port`. Raises PortError where there is no such source."""
        with self._lock:
            if source not in self._sources:
                raise PortError(_missing(source, tuple(self._sources)))
            self._sources[source].append(port)

    def listeners(self, source: str) -> tuple[LoopbackInput, ...]:
        """Return the ports that hear `source`. Raises PortError where it is gone."""
        with self._lock:
            if source not in self._sources:
                raise PortError(_missing(source, tuple(self._sources)))
            return tuple(self._sources[source])

    def destination(self, name: str) -> LoopbackInput:
        """Return the port `name` that can be played on. Raises PortError where there is none."""
        with self._lock:
            if name not in self._destinations:
                raise PortError(_missing(name, tuple(self._destinations)))
            return self._destinations[name]

    def remove_source(self, name: str) -> None:
        """Take the source `name` away, with its cables."""
        with self._lock:
            self._sources.pop(name, None)

    def remove_input(self, port: LoopbackInput) -> None:
        """Take away an input and all cables that end in it."""
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
        """Be the input `name`, which calls `callback`."""
        self.name = name
        self.faults = 0
        self._patchbay = patchbay
        self._callback = callback

    def deliver(self, data: Sequence[int], at_ns: int) -> None:
        """Hand over a message; what the callback raises is counted."""
        try:
            self._callback(data, at_ns)
        except Exception:  # noqa: BLE001 - whatever a callback raises must not reach the sender
            self.faults += 1

    def wake(self) -> None:
        """Do nothing: it never sleeps."""

    def close(self) -> None:
        """Leave the patchbay."""
        self._patchbay.remove_input(self)


class LoopbackOutput:
    """An output of the patchbay."""

    is_plugged = True

    ahead_s = 0.0

    def __init__(self, name: str, reached: Callable[[], Sequence[LoopbackInput]], leave: Callable[[], None]) -> None:
        """Be the output `name`, which sends to what `reached` gives; `leave` is called on closing."""
        self.name = name
        self._reached = reached
        self._leave = leave
        self._open = True

    def send(self, data: Sequence[int], due_s: float | None = None) -> None:
        """Send the bytes of one message at once. Raises PortError where the port is gone."""
        del due_s
        if not self._open:
            msg = f"the port '{self.name}' is closed"
            raise PortError(msg)
        at_ns = time.monotonic_ns()
        for listener in self._reached():
            listener.deliver(tuple(data), at_ns)

    relay = send

    def close(self) -> None:
        """Leave the patchbay."""
        if self._open:
            self._open = False
            self._leave()


class LoopbackBackend:
    """A MIDI system that reaches no further than its patchbay."""

    name = "loopback"
    driver = ""

    def __init__(self, patchbay: Patchbay | None = None) -> None:
        """Use `patchbay`, or one of its own."""
        self.clock = MonotonicClock()
        self._patchbay = patchbay or Patchbay()

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""
        return self._patchbay.sources()

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""
        return self._patchbay.destinations()

    def open_input(self, name: str, callback: InputCallback) -> LoopbackInput:
        """Listen to the port `name`. Raises PortError where there is none."""
        port = LoopbackInput(self._patchbay, name, callback)
        self._patchbay.connect(name, port)
        return port

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> LoopbackOutput:  # noqa: ARG002 - the seam's
        """Play on the port `name`. Raises PortError where there is none."""
        self._patchbay.destination(name)
        return LoopbackOutput(name, lambda: (self._patchbay.destination(name),), lambda: None)

    def open_virtual_input(self, name: str, callback: InputCallback) -> LoopbackInput:
        """Make the port `name`, which can be played on. Raises PortError where the name is taken."""
        port = LoopbackInput(self._patchbay, name, callback)
        self._patchbay.add_destination(port)
        return port

    def open_virtual_output(self, name: str) -> LoopbackOutput:
        """Make the port `name`, which can be listened to. Raises PortError where the name is taken."""
        patchbay = self._patchbay
        patchbay.add_source(name)
        return LoopbackOutput(name, lambda: patchbay.listeners(name), lambda: patchbay.remove_source(name))

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Do nothing: there is no driver that reports."""

    def answers(self) -> bool:
        """Return true: a patchbay cannot go away."""
        return True

    def close(self) -> None:
        """Hold nothing, so give nothing back."""


def open_loopback() -> LoopbackBackend:
    """Return a loopback backend with a patchbay of its own."""
    return LoopbackBackend()


def _taken(name: str) -> str:
    """Return the error text for a name that is in use."""
    return f"a port '{name}' exists. Close the program that made it"


def _missing(name: str, names: Sequence[str]) -> str:
    """Return the error text for a name that is not there."""
    available = ", ".join(f"'{other}'" for other in names) or "none"
    return f"no MIDI port '{name}' (available: {available}); see: improviser ports"
