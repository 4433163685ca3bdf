"""Lets only requests with the token, for our own host name and from our own page, reach the server.

Source: OWASP Cheat Sheet Series, "Content Security Policy", "HTTP Security Response Headers" and "WebSocket
Security". The origin is checked when a websocket opens, since browsers let any page open one.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from improviser.web.address import Address

_METHODS: Final = frozenset({"GET", "HEAD"})
_NOT_HERE: Final = "Nothing is here. Open the address that improviser jam has printed, all of it.\n"
_CLOSED: Final = 1008


class AuthMiddleware:
    """Passes on requests below the token, and adds the security headers.

    Threads: the server's loop only.
    """

    def __init__(self, app: ASGIApp, address: Address) -> None:
        """Protect `app`."""
        self._app, self._address = app, address
        self._token = address.token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        token, slash, rest = scope["path"].removeprefix("/").partition("/")
        if not self._may_ask(scope, headers, host) or not hmac.compare_digest(token.encode(), self._token):
            await self._refuse(scope, receive, send)
        elif not slash:
            await RedirectResponse(f"/{self._address.token}/")(scope, receive, self._with_headers(send, host))
        else:
            inner = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), "root_path": ""}
            await self._app(inner, receive, self._with_headers(send, host))

    def _may_ask(self, scope: Scope, headers: Headers, host: str) -> bool:
        """Return whether the request names our host and does not come from another site's page."""
        if not self._address.is_named(host):
            return False
        origin = headers.get("origin")
        if scope["type"] == "websocket":
            return origin == f"http://{host}"
        return scope["method"] in _METHODS and origin in {None, f"http://{host}"}

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404, whatever the reason, so that a stranger learns nothing."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _CLOSED})
        else:
            answer = PlainTextResponse(_NOT_HERE, 404, headers={"connection": "close"})
            await answer(scope, receive, self._with_headers(send, ""))

    def _with_headers(self, send: Send, host: str) -> Send:
        """Return a `send` that adds the security headers to an answer."""

        async def send_with_headers(message: Message) -> None:
            """Add the headers to the start of the answer."""
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_headers(host))
            await send(message)

        return send_with_headers


def _headers(host: str) -> dict[str, str]:
    """Return the headers of every answer; `host` is the Host header of the request."""
    # Older versions of Safari do not count the websocket as 'self'.
    sources = {
        "default": "'none'",
        "script": "'self'",
        "style": "'self'",
        "img": "'self'",
        "manifest": "'self'",
        "connect": f"'self' ws://{host}" if host else "'self'",
    }
    policy = [f"{kind}-src {allowed}" for kind, allowed in sources.items()]
    policy += [f"{kind} 'none'" for kind in ("base-uri", "form-action", "frame-ancestors", "object-src")]
    return {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "midi=(self), camera=(), microphone=(), geolocation=()",
        "cache-control": "no-store",
    }
