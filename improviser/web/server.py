"""The paths below the token: the page's files, its websocket, the take as a MIDI file, the doctor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from improviser.errors import ImproviserError
from improviser.web.auth import AuthMiddleware
from improviser.web.page_session import PageSession

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

    from improviser.web.address import Address
    from improviser.web.broadcaster import Broadcaster
    from improviser.web.services import Services

STATIC: Final = Path(__file__).parent / "static"
BARS_MAX: Final = 10_000


def build_app(broadcaster: Broadcaster, services: Services, address: Address) -> ASGIApp:
    """Return the application that serves the page."""
    taking, examining = asyncio.Lock(), asyncio.Lock()

    async def talk(websocket: WebSocket) -> None:
        """Run the session of a page."""
        await PageSession(broadcaster, services.obey, websocket).run()

    async def take(request: Request) -> Response:
        """Return what was played as a MIDI file; only one request at a time."""
        bars = request.query_params.get("bars")
        if bars is not None and not (bars.isascii() and bars.isdigit() and 0 < int(bars) <= BARS_MAX):
            return PlainTextResponse(f"bars is a number from 1 to {BARS_MAX}\n", 400)
        if taking.locked():
            return PlainTextResponse("another take is being written; try again\n", 503)
        try:
            async with taking:
                data = await run_in_threadpool(services.take, None if bars is None else int(bars))
        except ImproviserError as error:
            return PlainTextResponse(f"{error}\n", 404)
        name = "improviser-take.mid" if bars is None else f"improviser-last-{int(bars)}-bars.mid"
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(data, media_type="audio/midi", headers=disposition)

    async def examine(_request: Request) -> Response:
        """Return the findings about this machine; only one request at a time."""
        if examining.locked():
            return PlainTextResponse("this machine is being examined; try again\n", 503)
        async with examining:
            return JSONResponse(await run_in_threadpool(services.examine))

    routes = [
        WebSocketRoute("/ws", talk),
        Route("/take.mid", take),
        Route("/doctor", examine),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return AuthMiddleware(Starlette(routes=routes), address)
