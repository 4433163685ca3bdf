"""Who is connected to the performer's virtual ports, followed while it lives; laid again where it died.

Only JACK answers that here; elsewhere the list stays empty, and programs have to connect again by name.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports.base import VIRTUAL_INPUT, VIRTUAL_OUTPUT

if TYPE_CHECKING:
    from improviser.ports.jack import JackBackend
    from improviser.protocol import Ready

# A look reads JACK's shared memory: 0.1 ms. A cable that was laid since the last one is not known.
_LOOK_EVERY_S: Final = 0.1
_LOOKED_S: Final = 0.5
_ON_JACK: Final = ("jack", "rtmidi-jack")
_FOLLOWED: Final = (VIRTUAL_OUTPUT, VIRTUAL_INPUT)


class Connections:
    """Looks at the connections of the performer's virtual ports ten times a second.

    Threads: a thread of its own from `follow` to `close`.
    """

    def __init__(self) -> None:
        """Follow nothing yet."""
        self._cables: dict[str, tuple[str, ...]] = {}
        self._doubtful: dict[str, tuple[str, ...]] = {}
        self._lost: set[str] = set()
        self._is_held = self._has_to_rejoin = False
        self._wake, self._looked = threading.Event(), threading.Event()
        self._has_ended = False
        self._thread: threading.Thread | None = None

    @property
    def listeners(self) -> tuple[str, ...]:
        """Who heard the virtual output when it was looked at last."""
        return self._cables.get(VIRTUAL_OUTPUT, ())

    def follow(self, ready: Ready) -> None:
        """Follow the ports that the performer has made, where the backend can tell; what was held is laid."""
        if self._is_held:
            self._has_to_rejoin = True
            self._lost = {port for port, others in self._cables.items() if others}
            self._is_held = False
            self._wake.set()
        if ready.backend in _ON_JACK and self._thread is None:
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()

    def look(self) -> None:
        """Look now, before a performer is killed."""
        if self._thread is not None:
            self._looked.clear()
            self._wake.set()
            self._looked.wait(_LOOKED_S)

    def hold(self) -> None:
        """Keep the connections as they are, for the performer is gone; its successor's ports get them."""
        self._is_held = True

    def close(self) -> None:
        """Follow no longer."""
        self._has_ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _follow(self) -> None:
        """Look again and again."""
        graph = None
        while not self._has_ended:
            # The server may be another one than before: a client that is never called is not told.
            may_stay, self._has_to_rejoin = not self._has_to_rejoin, False
            graph = _joined(graph, may_stay=may_stay)
            for port in _FOLLOWED:
                if graph is not None and not self._is_held:
                    with contextlib.suppress(PortError):  # a port that vanished while it was listed
                        self._look(graph, port)
            self._looked.set()
            self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()
        if graph is not None:
            graph.close()

    def _look(self, graph: JackBackend, port: str) -> None:
        """Look once; a port that is gone keeps the connections it had last, a new one gets them.

        A port that is just going has none left: that there are fewer is believed the second time.
        """
        found = graph.cables(port)
        if found is None:
            return
        if port in self._lost:
            graph.restore(port, self._cables[port])
            self._lost.discard(port)
        elif set(self._cables.get(port, ())) <= set(found) or found == self._doubtful.get(port):
            self._cables[port] = found
            self._doubtful.pop(port, None)
        else:
            self._doubtful[port] = found


def _joined(graph: JackBackend | None, *, may_stay: bool) -> JackBackend | None:
    """Return a client of the server that is there now, `graph` where it may stay; None where none is."""
    if graph is not None and may_stay and not graph.is_gone:
        return graph
    from improviser.ports.jack import open_jack  # noqa: PLC0415 - only where there is JACK

    try:
        if graph is not None:
            graph.close()
        return open_jack()
    except PortError:
        return None
