"""Follows the connections of the performer's virtual ports, and restores them after the performer has died.

Only JACK reports connections here. On other systems the list stays empty, and programs have to connect again by name.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports.name import own_ports

if TYPE_CHECKING:
    from improviser.ports.jack import JackBackend
    from improviser.protocol import Ready

# One check reads JACK's shared memory in 0.1 ms. A connection made since the last check is not known.
_LOOK_EVERY_S: Final = 0.1
_LOOKED_S: Final = 0.5
_ON_JACK: Final = ("jack", "rtmidi-jack")


class Connections:
    """Checks the connections of the performer's virtual ports ten times a second.

    Threads: A thread of this class runs from `follow` to `close`. One thread calls the methods. Any thread may read
    `listeners`.
    """

    def __init__(self) -> None:
        """Create the object. It follows nothing yet."""
        self._own = own_ports("")
        self._cables: dict[str, tuple[str, ...]] = {}
        self._doubtful: dict[str, tuple[str, ...]] = {}
        self._lost: set[str] = set()
        self._is_held = self._has_to_rejoin = False
        self._wake, self._looked = threading.Event(), threading.Event()
        self._has_ended = False
        self._thread: threading.Thread | None = None

    @property
    def listeners(self) -> tuple[str, ...]:
        """The ports that were connected to the virtual output at the last check."""
        return self._cables.get(self._own[1], ())

    def follow(self, ready: Ready) -> None:
        """Follow the ports that the performer has opened, if the backend reports connections.

        If `hold` was called before, the new ports get the connections that were kept.
        """
        self._own = own_ports(ready.jam)
        if self._is_held:
            self._has_to_rejoin = True
            self._lost = {port for port, others in self._cables.items() if others}
            self._is_held = False
            self._wake.set()
        if ready.backend in _ON_JACK and self._thread is None:
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()

    def look(self) -> None:
        """Check now. The supervisor does this before it kills a performer."""
        if self._thread is not None:
            self._looked.clear()
            self._wake.set()
            self._looked.wait(_LOOKED_S)

    def hold(self) -> None:
        """Keep the list of connections: the performer has gone, and its successor's ports get them."""
        self._is_held = True

    def close(self) -> None:
        """Stop following the ports."""
        self._has_ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _follow(self) -> None:
        """Check again and again until `close` is called."""
        graph = None
        while not self._has_ended:
            # The JACK server may have been restarted. A client without callbacks is not told.
            may_stay, self._has_to_rejoin = not self._has_to_rejoin, False
            graph = _joined(graph, may_stay=may_stay)
            for port in self._own:
                if graph is not None and not self._is_held:
                    with contextlib.suppress(PortError):  # a port can vanish while its connections are listed
                        self._look(graph, port)
            self._looked.set()
            self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()
        if graph is not None:
            graph.close()

    def _look(self, graph: JackBackend, port: str) -> None:
        """Check one port. If a lost port is there again, restore its last connections.

        The list of a port that is gone does not change. A port that is about to go has already lost its connections, so
        a shorter list counts only when it is seen twice.
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
    """Return a client of the present JACK server, or None if there is no server.

    `graph` is returned if it is still connected and `may_stay` is true.
    """
    if graph is not None and may_stay and not graph.is_gone:
        return graph
    from improviser.ports.jack import open_jack  # noqa: PLC0415 - needed only on JACK

    try:
        if graph is not None:
            graph.close()
        return open_jack()
    except PortError:
        return None
