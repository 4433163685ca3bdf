"""Broadcasts the events and the state of the jam to all open pages.

Each client has its own queue of messages, so a slow client delays neither the others nor the music. A client that
does not read its messages is disconnected. It may connect again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from improviser.protocol import Ready
from improviser.version import __version__
from improviser.web.messages import event_to_text, to_text

if TYPE_CHECKING:
    from improviser.protocol import Event

CLIENTS_MAX: Final = 8
# A client with this many unread messages is disconnected. Busy music fills the queue in half a minute.
WAITING_MAX: Final = 1024
# A client that connects late receives the events of the last RECENT_S seconds, which is what its piano roll shows.
RECENT_S: Final = 16.0
_RECENT_MAX: Final = 2048
STATE_EVERY_S: Final = 0.05
LOOK_EVERY_S: Final = 1.0


class JamState(Protocol):
    """Where the state and the clock of a jam are read."""

    def to_json(self) -> dict[str, Any]:
        """Return the state of the jam as plain values. Any thread may call it."""

    def now_s(self) -> float:
        """Return the current time in seconds, on the clock of the events. Any thread may call it."""


class Client:
    """A connected page.

    Attributes:
        port: Name of the input port for the notes that are played on the page.
        waiting: Messages that are still to be sent.
        gone: Set when the client is to be disconnected.
    """

    def __init__(self, port: str) -> None:
        """Start with an empty queue."""
        self.port = port
        self.waiting: asyncio.Queue[str] = asyncio.Queue()
        self.gone = asyncio.Event()

    def queue(self, text: str) -> None:
        """Queue a message; disconnect the client if it has WAITING_MAX unread messages."""
        if self.waiting.qsize() >= WAITING_MAX:
            self.gone.set()
        elif not self.gone.is_set():
            self.waiting.put_nowait(text)


class Broadcaster:
    """Sends events and the state to all clients.

    Threads: the server's loop only, except for `publish` and `is_watched`, which any thread may use.
    """

    def __init__(self, state: JamState) -> None:
        """Start without clients."""
        self.state = state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: set[Client] = set()
        self._numbers = itertools.count(1)
        self._recent: deque[tuple[float, str]] = deque(maxlen=_RECENT_MAX)
        self._told: dict[str, Any] = {}
        self._is_due = False

    @property
    def is_watched(self) -> bool:
        """Whether any page is open. Any thread may read it."""
        return bool(self._clients)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the event loop that sends the messages."""
        self._loop = loop

    def publish(self, event: Event) -> None:
        """Queue an event, if the loop still runs. Any thread may call it."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._spread, event_to_text(event), isinstance(event, Ready))

    def end(self) -> None:
        """Disconnect all clients."""
        for client in self._clients:
            client.gone.set()

    def join(self) -> Client | None:
        """Return a new client with its greeting queued; None if CLIENTS_MAX are connected."""
        if len(self._clients) >= CLIENTS_MAX:
            return None
        client = Client(f"Page {next(self._numbers)}")
        client.queue(self._greeting(client))
        self._clients.add(client)
        if len(self._clients) == 1:
            self._look()
        return client

    def leave(self, client: Client) -> None:
        """Remove a client."""
        self._clients.discard(client)

    def spread(self, text: str) -> None:
        """Send all clients a message without keeping it for later clients."""
        for client in self._clients:
            client.queue(text)

    def _greeting(self, client: Client) -> str:
        """Return the first message for a client. It is sent again when a new performer starts."""
        since_s = time.monotonic() - RECENT_S
        recent = [text for at_s, text in self._recent if at_s >= since_s]
        greeting = {
            "event": "hello",
            "version": __version__,
            "port": client.port,
            "now_s": self.state.now_s(),
            "state": self.state.to_json(),
        }
        return f'{to_text(greeting)[:-1]}, "recent": [{", ".join(recent)}]}}'

    def _spread(self, text: str | None, is_new: bool) -> None:  # noqa: FBT001 - called by the loop, by place
        """Send all clients an event, and the state STATE_EVERY_S later."""
        if is_new:  # a new performer may use another clock
            self._recent.clear()
            for client in self._clients:
                client.queue(self._greeting(client))
        if text is not None:
            self._recent.append((time.monotonic(), text))
            self.spread(text)
        if self._clients and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(STATE_EVERY_S, self._tell_state)

    def _look(self) -> None:
        """Send the state every LOOK_EVERY_S while a page is open: some changes, such as connections, have no event."""
        if self._clients:
            self._tell_state()
            asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def _tell_state(self) -> None:
        """Send all clients the state, if it has changed."""
        self._is_due = False
        state = self.state.to_json()
        if state != self._told:
            self._told = state
            self.spread(to_text({"event": "state"} | state))
