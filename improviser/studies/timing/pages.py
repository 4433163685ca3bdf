"""Browser pages that are open during a timing run, and many idle connections.

Some pages only listen. One turns a knob as often as the rate limit allows. One floods the jam until the jam disconnects
it.

Started as `python -m improviser.studies.timing.pages TOLD COUNT`. The file TOLD holds what the jam prints, including
the address of its page. The program speaks as a browser does, and runs until it is ended.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_EVERY_S: Final = 0.05
# A page that was disconnected connects again after this time.
_AGAIN_S: Final = 0.1
_PATIENCE_S: Final = 1.0
# The number of idle connections, and how often a new one is opened.
_CROWD: Final = 1000
_CROWD_EVERY_S: Final = 0.005
_TURN: Final = '{"event": "turn", "knob": "echo", "position": 1.0}'
_TURN_EVERY_S: Final = 1 / 380
# Sent without a pause until the jam disconnects the page; half of the messages are valid.
_FLOOD: Final = ('{"event": "ping", "sent_ms": 1.0}', '{"event": "nonsense"}')


def main() -> None:
    """Open the pages and connections, and keep them open."""
    told, count = Path(sys.argv[1]), int(sys.argv[2])
    url = _address(told)
    talks = [_listen] * (count - 2) + [_turn, _flood]
    pages = [threading.Thread(target=_stay, args=(url, talk)) for talk in talks]
    pages.append(threading.Thread(target=_crowd, args=(url,)))
    for page in pages:
        page.start()
    for page in pages:
        page.join()


def _address(told: Path) -> str:
    """Wait for the page's address and return it."""
    while True:
        for line in told.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):  # a line that is not complete yet
                event = json.loads(line)
                if event["event"] == "page":
                    return str(event["url"])
        time.sleep(_LOOK_EVERY_S)


def _stay(url: str, talk: Callable[[ClientConnection], None]) -> None:
    """Open a page that runs `talk`, and open it again whenever it is disconnected."""
    origin = Origin(url[: url.index("/", len("http://"))])
    while True:
        with (
            contextlib.suppress(WebSocketException, OSError),
            # Without a limit on unread messages: a page that only sends would otherwise never see that it was
            # disconnected.
            connect(f"{url.replace('http', 'ws', 1)}ws", origin=origin, max_queue=None) as page,
        ):
            talk(page)
        time.sleep(_AGAIN_S)


def _crowd(url: str) -> None:
    """Hold a thousand idle connections, and open another one for each that is closed."""
    host, _, port = url.removeprefix("http://").partition("/")[0].rpartition(":")
    waiting: deque[socket.socket] = deque()
    while True:
        with contextlib.suppress(OSError):
            waiting.append(socket.create_connection((host, int(port)), _PATIENCE_S))
        if len(waiting) > _CROWD:
            waiting.popleft().close()
        time.sleep(_CROWD_EVERY_S)


def _listen(page: ClientConnection) -> None:
    """Read all messages."""
    for _ in page:
        pass


def _turn(page: ClientConnection) -> None:
    """Turn a knob to its present position, as often as the rate limit allows."""
    while True:
        page.send(_TURN)
        time.sleep(_TURN_EVERY_S)


def _flood(page: ClientConnection) -> None:
    """Send more messages than the jam can process."""
    while True:
        for message in _FLOOD:
            page.send(message)


if __name__ == "__main__":
    main()
