"""Connections, at most so many, none of which may keep silent: a flood takes no more than a few sockets."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

# A browser opens six for a page's files, and each page keeps one.
CONNECTIONS_MAX: Final = 64
# The first request comes at once.
GREETING_S: Final = 5.0


class BoundedProtocol(H11Protocol):
    """HTTP that lets in so many connections at a time, and lets go of those that ask for nothing.

    Threads: the server's loop only.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Serve one connection."""
        super().__init__(config, server_state, app_state, _loop)
        self._greeting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, unless there are too many."""
        if len(self.connections) >= CONNECTIONS_MAX:
            cast("asyncio.Transport", transport).abort()
            return
        # asyncio does so only for sockets that say that they are TCP's, which those of create_server do not.
        # Without, what follows a message within 40 ms waits for it to be acknowledged (Nagle's algorithm).
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(cast("asyncio.Transport", transport))
        self._greeting = self.loop.call_later(GREETING_S, self._end_silence)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection that had been taken."""
        if self._greeting is not None:
            self._greeting.cancel()
            super().connection_lost(exc)

    def _end_silence(self) -> None:
        """End a connection that has not said what it wants."""
        if self.cycle is None and not self.transport.is_closing() and self in self.connections:
            self.transport.abort()
