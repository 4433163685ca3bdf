"""Connections, at most so many: a flood takes a few sockets, and none from those who know the token."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, ClassVar, Final, Self, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    import asyncio

    import h11
    from uvicorn._types import HTTPScope
    from uvicorn.config import Config
    from uvicorn.server import ServerState

# A browser opens six for a page's files, and each page keeps one.
CONNECTIONS_MAX: Final = 64
# The first request comes at once.
GREETING_S: Final = 5.0
# A page that is let go, or is gone, is waited for so long, to take its farewell.
FAREWELL_S: Final = 2.0


class BoundedProtocol(H11Protocol):
    """HTTP that lets in so many connections at a time, and lets go of those that ask for nothing.

    Where there are too many, the oldest that did not know the token makes room.

    Threads: the server's loop only.
    """

    prefix: ClassVar[str] = "/"
    strangers: ClassVar[dict[BoundedProtocol, None]] = {}

    @classmethod
    def below(cls, token: str) -> type[Self]:
        """Return the protocol of a server whose paths all begin with a token."""
        return type(cls.__name__, (cls,), {"prefix": f"/{token}", "strangers": {}})

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

    @property
    def is_stranger(self) -> bool:
        """Whether it has not asked for anything below the token."""
        scope: HTTPScope | None = self.scope  # none before the first request
        return scope is None or not scope["path"].startswith(self.prefix)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, unless there are too many that know the token."""
        taken = cast("asyncio.Transport", transport)
        if len(self.connections) >= CONNECTIONS_MAX and not self._make_room():
            taken.abort()
            return
        # asyncio does so only for sockets that say that they are TCP's, which those of create_server do not.
        # Without, what follows a message within 40 ms waits for it to be acknowledged (Nagle's algorithm).
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(taken)
        self.strangers[self] = None
        self._greeting = self.loop.call_later(GREETING_S, self._end_silence)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release a connection that had been accepted."""
        if self._greeting is not None:
            self._forget()
            super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on to the websocket's protocol."""
        self._forget()
        super().handle_websocket_upgrade(event)

    def _make_room(self) -> bool:
        """End the oldest connection that does not know the token; return whether there was one."""
        oldest = next((one for one in self.strangers if one.is_stranger), None)
        if oldest is None:
            return False
        oldest._forget()  # noqa: SLF001 - of the same class
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _forget(self) -> None:
        """Wait for nothing any more."""
        self.strangers.pop(self, None)
        if self._greeting is not None:
            self._greeting.cancel()

    def _end_silence(self) -> None:
        """End a connection that has not said what it wants."""
        if self.cycle is None and not self.transport.is_closing() and self in self.connections:
            self.transport.abort()


class BoundedSocket(WebSocketsSansIOProtocol):
    """A websocket that ends when it is to end, even where nobody reads what is still to be sent.

    Threads: the server's loop only.
    """

    async def run_asgi(self) -> None:
        """Talk, then end."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(FAREWELL_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """End at once, where nobody has answered."""
        super().keepalive_timeout()
        self.transport.abort()
