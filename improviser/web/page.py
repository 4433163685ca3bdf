"""Serves the page of a jam in a thread beside the jam."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from improviser.protocol import Event
    from improviser.web.address import PageSocket
    from improviser.web.broadcaster import Broadcaster, JamState
    from improviser.web.services import Services

_CLOSING_S: Final = 2.0
# A client that disappears without closing is noticed after these times. A laptop that wakes up connects again.
_PING_S, _PONG_S = 5.0, 10.0
# Maximum size in bytes of a request's path and headers.
_REQUEST_MAX: Final = 16 * 1024


class Page:
    """A context that serves the page until it is closed.

    Attributes:
        address: Address of the page.

    Threads: created, called and closed in the supervisor's thread. It serves in its own thread, so that loading the
        server's libraries delays nothing.
    """

    def __init__(
        self, page_socket: PageSocket, state: JamState, services: Services, warn: Callable[[str], None]
    ) -> None:
        """Prepare to serve on a listening socket; `warn` receives errors, in any thread."""
        self._socket, self.address = page_socket
        self._state, self._services, self._warn = state, services, warn
        self._broadcaster: Broadcaster | None = None
        self._early: list[Event] = []
        self._has_ended = False
        self._stop: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving, and disconnect all pages."""
        self._stop()
        self._thread.join(_CLOSING_S)
        self._socket.close()

    @property
    def is_watched(self) -> bool:
        """Whether any page is open."""
        return self._broadcaster is not None and self._broadcaster.is_watched

    def publish(self, event: Event) -> None:
        """Send an event to all pages; events before the start are sent when the server runs."""
        with self._lock:
            if self._broadcaster is not None:
                self._broadcaster.publish(event)
            elif not self._has_ended:
                self._early.append(event)

    def _serve(self) -> None:
        """Run the server; report an error and let the music go on."""
        try:
            asyncio.run(self._run())
        except Exception as error:  # noqa: BLE001 - the page must not end the jam
            self._warn(f"the page is not served any more ({error}); improviser ctl steers the jam")
        finally:
            with self._lock:
                self._has_ended = True
                self._early.clear()

    async def _run(self) -> None:
        """Build the server, send the early events, and serve until `stop` is called."""
        import uvicorn  # noqa: PLC0415 - here, so that it delays only this thread

        from improviser.web.broadcaster import Broadcaster  # noqa: PLC0415
        from improviser.web.connection_limit import BoundedProtocol, BoundedSocket  # noqa: PLC0415
        from improviser.web.messages import MESSAGE_MAX  # noqa: PLC0415
        from improviser.web.server import build_app  # noqa: PLC0415

        broadcaster = Broadcaster(self._state)
        config = uvicorn.Config(
            build_app(broadcaster, self._services, self.address),
            http=BoundedProtocol.below(self.address.token),
            ws=BoundedSocket,
            ws_max_size=MESSAGE_MAX,
            ws_ping_interval=_PING_S,
            ws_ping_timeout=_PONG_S,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=_REQUEST_MAX,
        )
        _quieten()
        server, loop = uvicorn.Server(config), asyncio.get_running_loop()
        broadcaster.begin(loop)

        def stop() -> None:
            """Disconnect all pages, and stop the server."""
            broadcaster.end()
            server.should_exit = True

        with self._lock:
            self._stop = lambda: _call(loop, stop)
            self._broadcaster = broadcaster
            for event in self._early:
                broadcaster.publish(event)
            self._early.clear()
        await server.serve(sockets=[self._socket])


def _call(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Schedule a call on a loop, if the loop still runs."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)


def _quieten() -> None:
    """Silence the logs of the server's libraries, which are about clients, not about the jam."""
    for name in ("uvicorn", "websockets", "asyncio"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
