"""Looking after open ports: drivers do not tell of one that goes."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from improviser.daemon.inbox import Inbox, PortLost
from improviser.errors import PortError
from improviser.ports.base import VIRTUAL_INPUT
from improviser.ports.priority import HELPER_PRIORITY, raise_priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.daemon.opening import OpenPorts

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
    """Looks whether the open ports are still there, puts those that are not into the inbox, wakes the others.

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
        backend, output = self._ports.backend, self._ports.output
        try:
            sources, destinations = backend.input_names(), backend.output_names()
        except PortError:
            sources, destinations = (), ()
        # What we play on is a source to others where we made it, and one of their destinations where not.
        self._check(output.name, sources if self._ports.is_virtual else destinations, is_output=True)
        for port in self._ports.inputs:
            port.wake()
            self._check(port.name, destinations if port.name == VIRTUAL_INPUT else sources, is_output=False)

    def _check(self, name: str, names: Sequence[str], *, is_output: bool) -> None:
        """Count a port that is not among `names`; it is lost when that happens twice in a row."""
        if any(name in other for other in names):
            self._misses[name] = 0
            return
        self._misses[name] = self._misses.get(name, 0) + 1
        if self._misses[name] == _MISSES:
            self._inbox.put(PortLost(name, is_output))
