"""Who listens to the performer's virtual port, followed while it lives, so that it can be told when it died.

Only JACK answers that here; elsewhere the list stays empty, and programs have to connect again by name.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError

if TYPE_CHECKING:
    from improviser.control import Ready
    from improviser.ports.jack import JackBackend

_LOOK_EVERY_S: Final = 0.5
_ON_JACK: Final = ("jack", "rtmidi-jack")


class Connections:
    """Looks at the connections of the performer's port about twice a second.

    Threads: a thread of its own from `follow` to `close`.
    """

    def __init__(self) -> None:
        """Follow nothing yet."""
        self.listeners: tuple[str, ...] = ()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, ready: Ready) -> None:
        """Begin to follow the port that the performer has made, where the backend can tell."""
        if ready.backend not in _ON_JACK or not ready.is_virtual:
            return
        self._thread = threading.Thread(target=self._follow, args=(ready.sends_on,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Follow no longer."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _follow(self, port: str) -> None:
        """Look again and again; a port that is gone keeps the listeners it had last."""
        from improviser.ports.jack import open_jack  # noqa: PLC0415 - only where there is JACK

        try:
            graph = open_jack()
        except PortError:
            return
        while not self._ended.wait(_LOOK_EVERY_S):
            self._look(graph, port)
        graph.close()

    def _look(self, graph: JackBackend, port: str) -> None:
        """Look once."""
        found = graph.listeners(port)
        if found is not None:
            self.listeners = found
