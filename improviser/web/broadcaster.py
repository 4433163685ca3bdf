"""All pages that are open: what happens is told to each, and none can hold up another, or the music.

What a page is told waits in a queue of its own; one that does not read is let go, and may come back.
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
# A page that has not read so many messages is let go: half a minute of busy music.
WAITING_MAX: Final = 1024
# A page that comes late is told what happened since then: as much as its roll shows.
RECENT_S: Final = 16.0
_RECENT_MAX: Final = 2048
STATE_EVERY_S: Final = 0.05
LOOK_EVERY_S: Final = 1.0


class Standing(Protocol):
    """How a jam stands."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values; from any thread."""

    def now_s(self) -> float:
        """Return the moment by the clock of the events; from any thread."""


class Client:
    """A page.

    Attributes:
        port: The name of what is played on it.
        waiting: What it is still to be told.
        gone: That it is let go.
    """

    def __init__(self, port: str) -> None:
        """Wait for something to tell it."""
        self.port = port
        self.waiting: asyncio.Queue[str] = asyncio.Queue()
        self.gone = asyncio.Event()

    def queue(self, text: str) -> None:
        """Queue a message for a client; one that does not read is disconnected."""
        if self.waiting.qsize() >= WAITING_MAX:
            self.gone.set()
        elif not self.gone.is_set():
            self.waiting.put_nowait(text)


class Broadcaster:
    """Tells all pages what happens.

    Threads: the server's loop, but for `hear`, which may be called from any.
    """

    def __init__(self, standing: Standing) -> None:
        """Serve no page yet."""
        self.standing = standing
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: set[Client] = set()
        self._numbers = itertools.count(1)
        self._recent: deque[tuple[float, str]] = deque(maxlen=_RECENT_MAX)
        self._told: dict[str, Any] = {}
        self._is_due = False

    @property
    def is_watched(self) -> bool:
        """Whether any page is open; from any thread."""
        return bool(self._clients)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve in a loop from now on."""
        self._loop = loop

    def publish(self, event: Event) -> None:
        """Queue an event, if the broadcaster still runs."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._spread, event_to_text(event), isinstance(event, Ready))

    def end(self) -> None:
        """Disconnect all pages."""
        for client in self._clients:
            client.gone.set()

    def join(self) -> Client | None:
        """Process a page, which is greeted; None where there are too many."""
        if len(self._clients) >= CLIENTS_MAX:
            return None
        client = Client(f"Page {next(self._numbers)}")
        client.queue(self._greeting(client))
        self._clients.add(client)
        if len(self._clients) == 1:
            self._look()
        return client

    def leave(self, client: Client) -> None:
        """Forget a page."""
        self._clients.discard(client)

    def spread(self, text: str) -> None:
        """Send all pages a message that is not kept for later pages."""
        for client in self._clients:
            client.queue(text)

    def _greeting(self, client: Client) -> str:
        """Return what a page is told first, and anew where another performer plays."""
        since_s = time.monotonic() - RECENT_S
        recent = [text for at_s, text in self._recent if at_s >= since_s]
        greeting = {
            "event": "hello",
            "version": __version__,
            "port": client.port,
            "now_s": self.standing.now_s(),
            "state": self.standing.to_json(),
        }
        return f'{to_text(greeting)[:-1]}, "recent": [{", ".join(recent)}]}}'

    def _spread(self, text: str | None, is_new: bool) -> None:  # noqa: FBT001 - called by the loop, by place
        """Send all pages an event, and the state a moment later."""
        if is_new:  # another performer, by another clock maybe
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
        """Send what changes without an event, such as who is connected, while a page is open."""
        if self._clients:
            self._tell_state()
            asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def _tell_state(self) -> None:
        """Send all pages the state, if it has changed."""
        self._is_due = False
        state = self.standing.to_json()
        if state != self._told:
            self._told = state
            self.spread(to_text({"event": "state"} | state))
