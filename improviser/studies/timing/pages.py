"""Pages that are open while a trial runs, and a crowd at the door.

Some only listen, one turns a knob as often as a page may, one says more than anybody can take and is let go.

Started as `python -m improviser.studies.timing.pages TOLD COUNT`, where the file TOLD is what the jam prints,
the address of its page among it. It speaks as a browser does, and ends when it is ended.
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
# As soon as this after it was let go, a page comes again.
_AGAIN_S: Final = 0.1
_PATIENCE_S: Final = 1.0
# So many that say nothing; a new one comes so often.
_CROWD: Final = 1000
_CROWD_EVERY_S: Final = 0.005
_TURN: Final = '{"event": "turn", "knob": "echo", "position": 1.0}'
_TURN_EVERY_S: Final = 1 / 380
# Sent without a pause, until it is let go: half of it is understood.
_FLOOD: Final = ('{"event": "ping", "sent_ms": 1.0}', '{"event": "nonsense"}')


def main() -> None:
    """Open pages, and keep them open."""
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
    """Wait for the page's address."""
    while True:
        for line in told.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):  # a line that is being written
                event = json.loads(line)
                if event["event"] == "page":
                    return str(event["url"])
        time.sleep(_LOOK_EVERY_S)


def _stay(url: str, talk: Callable[[ClientConnection], None]) -> None:
    """Be a page that talks so, and one again whenever it was let go."""
    origin = Origin(url[: url.index("/", len("http://"))])
    while True:
        with (
            contextlib.suppress(WebSocketException, OSError),
            # Without a bound to what is not read yet: who only says would never hear that it is let go.
            connect(f"{url.replace('http', 'ws', 1)}ws", origin=origin, max_queue=None) as page,
        ):
            talk(page)
        time.sleep(_AGAIN_S)


def _crowd(url: str) -> None:
    """Hold a thousand connections that say nothing, and open another for each that is let go."""
    host, _, port = url.removeprefix("http://").partition("/")[0].rpartition(":")
    waiting: deque[socket.socket] = deque()
    while True:
        with contextlib.suppress(OSError):
            waiting.append(socket.create_connection((host, int(port)), _PATIENCE_S))
        if len(waiting) > _CROWD:
            waiting.popleft().close()
        time.sleep(_CROWD_EVERY_S)


def _listen(page: ClientConnection) -> None:
    """Read all that is told."""
    for _ in page:
        pass


def _turn(page: ClientConnection) -> None:
    """Turn a knob to where it stands, as often as a page may."""
    while True:
        page.send(_TURN)
        time.sleep(_TURN_EVERY_S)


def _flood(page: ClientConnection) -> None:
    """Say more than anybody can take."""
    while True:
        for message in _FLOOD:
            page.send(message)


if __name__ == "__main__":
    main()
