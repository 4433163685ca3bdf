"""The talk with one page over its websocket: what it says is done, what happens is told."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from improviser.control import Receive
from improviser.control.rate import RateLimit
from improviser.web.held import Held
from improviser.web.messages import MESSAGE_MAX, Ping, read_message, to_text

if TYPE_CHECKING:
    from improviser.web.hub import Client, Hub
    from improviser.web.services import Obey

# Ten fingers that glide, two wheels and a knob at a hundred messages a second.
RATE_MAX: Final = 400.0
# A page that says so much nonsense is none of ours.
FAULTS_MAX: Final = 20
TRY_LATER, WRONG_KIND, TOO_MUCH = 1013, 1003, 1008


class Talk:
    """Serves one page until it leaves.

    Threads: the server's loop only; `obey` must not block.
    """

    def __init__(self, hub: Hub, obey: Obey, websocket: WebSocket) -> None:
        """Talk over `websocket`, and hand on to `obey` what it says."""
        self._hub, self._obey, self._websocket = hub, obey, websocket
        self._rate = RateLimit(RATE_MAX)
        self._faults = 0

    async def run(self) -> None:
        """Talk; when the page is gone, its keys are lifted."""
        await self._websocket.accept()
        client = self._hub.join()
        if client is None:
            await self._websocket.close(TRY_LATER, "too many pages are open; close one")
            return
        telling = asyncio.create_task(self._tell(client))
        held = Held(client.port)
        try:
            await self._listen(client, held)
        finally:
            self._hub.leave(client)
            for lifted in held.lift():
                self._obey(lifted)
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

    async def _tell(self, client: Client) -> None:
        """Tell the page what waits for it; one that does not read waits here alone."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while (text := await client.waiting.get()) is not None:
                await self._websocket.send_text(text)
            await self._websocket.close(TRY_LATER)

    async def _listen(self, client: Client, held: Held) -> None:
        """Do what the page says until it leaves, or is let go."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while not client.is_let_go:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                code = self._fault_of(text)
                if code is None and isinstance(text, str):
                    self._do(text, client, held)
                    code = TOO_MUCH if self._faults > FAULTS_MAX else None
                if code is not None:
                    await self._websocket.close(code)
                    return

    def _fault_of(self, text: object) -> int | None:
        """Give with which code a message ends the talk; None: it does not."""
        if not isinstance(text, str):
            return WRONG_KIND
        return TOO_MUCH if len(text) > MESSAGE_MAX or not self._rate.allows() else None

    def _do(self, text: str, client: Client, held: Held) -> None:
        """Do what the page says."""
        try:
            said = read_message(text)
        except ValueError as error:
            self._faults += 1
            client.tell(to_text({"event": "refused", "text": str(error)}))
            return
        match said:
            case Ping(sent_ms):
                now_s = self._hub.standing.now_s()
                client.tell(to_text({"event": "pong", "sent_ms": sent_ms, "now_s": now_s}))
            case Receive(data):
                self._obey(held.note(data))
            case _:
                self._obey(said)
