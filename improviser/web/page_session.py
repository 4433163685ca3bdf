"""The session of one page over its websocket: runs its commands, and sends it what happens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from improviser.protocol import Receive
from improviser.protocol.command_filter import CommandFilter
from improviser.protocol.rate_limit import RateLimit
from improviser.web.connection_limit import FAREWELL_S
from improviser.web.held_keys import HeldKeys
from improviser.web.messages import MESSAGE_MAX, Ping, read_message, to_text

if TYPE_CHECKING:
    from improviser.web.broadcaster import Broadcaster, Client
    from improviser.web.services import Obey

# Enough for ten gliding fingers, two wheels and a knob that sends a hundred messages a second.
RATE_MAX: Final = 400.0
# A client that sends more invalid messages than this is disconnected.
FAULTS_MAX: Final = 20
TRY_LATER, WRONG_KIND, TOO_MUCH = 1013, 1003, 1008


class PageSession:
    """Serves one page until it leaves or is disconnected.

    Threads: the server's loop only; `obey` must not block.
    """

    def __init__(self, broadcaster: Broadcaster, obey: Obey, websocket: WebSocket) -> None:
        """Serve the page on `websocket`, and pass its commands to `obey`."""
        self._broadcaster, self._obey, self._websocket = broadcaster, CommandFilter(obey, lambda: None), websocket
        self._rate = RateLimit(RATE_MAX)
        self._faults = 0
        self._code = TRY_LATER

    async def run(self) -> None:
        """Run the session; release the keys held on the page as soon as it ends."""
        await self._websocket.accept()
        client = self._broadcaster.join()
        if client is None:
            await self._websocket.close(TRY_LATER, "too many pages are open; close one")
            return
        held = HeldKeys(client.port)
        talks = (self._listen(client, held), self._tell(client), client.gone.wait())
        tasks = [asyncio.ensure_future(each) for each in talks]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._broadcaster.leave(client)
            for lifted in held.lift():
                self._obey(lifted)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            await asyncio.wait_for(self._websocket.close(self._code), FAREWELL_S)

    async def _tell(self, client: Client) -> None:
        """Send the queued messages; a page that does not read delays only itself."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._websocket.send_text(await client.waiting.get())

    async def _listen(self, client: Client, held: HeldKeys) -> None:
        """Run the page's commands until it leaves or breaks a limit."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while self._faults <= FAULTS_MAX:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                if not isinstance(text, str):
                    self._code = WRONG_KIND
                    return
                if len(text) > MESSAGE_MAX or not self._rate.allows():
                    break
                self._do(text, client, held)
            self._code = TOO_MUCH

    def _do(self, text: str, client: Client, held: HeldKeys) -> None:
        """Run one message of the page, or refuse it."""
        try:
            said = read_message(text, client.port)
        except ValueError as error:
            self._faults += 1
            client.queue(to_text({"event": "refused", "text": str(error)}))
            return
        match said:
            case Ping(sent_ms):
                now_s = self._broadcaster.state.now_s()
                client.queue(to_text({"event": "pong", "sent_ms": sent_ms, "now_s": now_s}))
            case Receive():
                held.follow(said)
                self._obey(said)
            case _:
                self._obey(said)
