"""Limits the number of connections, so that a flood cannot lock out clients that know the token."""

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

# A browser opens six connections for a page's files, and each open page keeps one.
CONNECTIONS_MAX: Final = 64
# A client that sends no request within this time is disconnected.
GREETING_S: Final = 5.0
# Seconds in which a disconnected client may still receive the close message.
FAREWELL_S: Final = 2.0


class BoundedProtocol(H11Protocol):
    """HTTP protocol that accepts at most CONNECTIONS_MAX connections and disconnects silent clients.

    When the limit is reached, the oldest connection that has not used the token is ended.

    Threads: the server's loop only.
    """

    prefix: ClassVar[str] = "/"
    anonymous: ClassVar[dict[BoundedProtocol, None]] = {}

    @classmethod
    def below(cls, token: str) -> type[Self]:
        """Return a protocol class for a server whose paths all begin with the token."""
        return type(cls.__name__, (cls,), {"prefix": f"/{token}", "anonymous": {}})

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Handle one connection."""
        super().__init__(config, server_state, app_state, _loop)
        self._greeting: asyncio.TimerHandle | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether the client has not yet requested a path below the token."""
        scope: HTTPScope | None = self.scope  # None before the first request
        return scope is None or not scope["path"].startswith(self.prefix)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection; abort it if all CONNECTIONS_MAX others know the token."""
        taken = cast("asyncio.Transport", transport)
        if len(self.connections) >= CONNECTIONS_MAX and not self._make_room():
            taken.abort()
            return
        # asyncio sets TCP_NODELAY only on sockets that report the protocol TCP; those of create_server do not.
        # Without it, Nagle's algorithm delays a message that follows another within 40 ms until that is acknowledged.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(taken)
        self.anonymous[self] = None
        self._greeting = self.loop.call_later(GREETING_S, self._end_silence)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release a connection that had been accepted."""
        if self._greeting is not None:
            self._forget()
            super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over to the websocket's protocol."""
        self._forget()
        super().handle_websocket_upgrade(event)

    def _make_room(self) -> bool:
        """End the oldest connection that does not know the token; return whether there was one."""
        oldest = next((one for one in self.anonymous if one.is_anonymous), None)
        if oldest is None:
            return False
        oldest._forget()  # noqa: SLF001 - of the same class
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def _forget(self) -> None:
        """Cancel the greeting's timeout, and remove the connection from the anonymous."""
        self.anonymous.pop(self, None)
        if self._greeting is not None:
            self._greeting.cancel()

    def _end_silence(self) -> None:
        """End a connection that has sent no request."""
        if self.cycle is None and not self.transport.is_closing() and self in self.connections:
            self.transport.abort()


class BoundedSocket(WebSocketsSansIOProtocol):
    """A websocket that closes on time, even if the client does not read what is still to be sent.

    Threads: the server's loop only.
    """

    async def run_asgi(self) -> None:
        """Run the session, then abort the connection after FAREWELL_S."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(FAREWELL_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Abort the connection at once when the client does not answer a ping."""
        super().keepalive_timeout()
        self.transport.abort()
