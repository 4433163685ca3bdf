"""A real page server with a simulated jam, and simulated browsers."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from improviser.errors import UsageError
from improviser.protocol import Command
from improviser.web.address import Address, bind
from improviser.web.page import Page
from improviser.web.services import Services
from tests.event_names import checked

PATIENCE_S = 10.0


@dataclass
class JamState:
    """The simulated state of a jam."""

    values: dict[str, Any] = field(default_factory=lambda: {"preset": "chorale"})

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain values."""
        return dict(self.values)

    def now_s(self) -> float:
        """Return a fixed time."""
        return 12.5


@dataclass
class Served:
    """A page that is served.

    Attributes:
        page: The page.
        standing: The state of its jam.
        told: The commands sent by pages.
        warned: The warnings.
    """

    page: Page
    standing: JamState
    told: list[Command]
    warned: list[str]

    @property
    def address(self) -> Address:
        """The address of the page."""
        return self.page.address

    @property
    def host(self) -> str:
        """The host name that a browser uses."""
        return f"127.0.0.1:{self.address.port}"

    def get(
        self, path: str, *, token: str | None = None, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Request a path below the token; return the response's code, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=PATIENCE_S)
        wanted = f"/{self.address.token if token is None else token}/{path}"
        connection.putrequest(method, wanted, skip_host=True)
        for name, value in ({"host": self.host} | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        result = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return result

    def connect(
        self, *, origin: str | None = "", path: str = "ws", token: str | None = None, max_queue: int = 64
    ) -> ClientConnection:
        """Open a page's web socket; by default with our own origin."""
        named = origin if origin != "" else f"http://{self.host}"
        wanted = None if named is None else Origin(named)
        url = f"ws://{self.host}/{self.address.token if token is None else token}/{path}"
        return connect(
            url, origin=wanted, open_timeout=PATIENCE_S, max_size=None, compression=None, max_queue=max_queue
        )


@contextmanager
def serving(
    take: Callable[[int | None], bytes] | None = None,
    examine: Callable[[], list[dict[str, Any]]] = list,
) -> Iterator[Served]:
    """Serve a page while the block runs."""
    told: list[Command] = []
    warned: list[str] = []
    standing = JamState()
    services = Services(told.append, take or no_take, examine)
    with Page(bind("127.0.0.1", None), standing, services, warned.append) as page:
        yield Served(page, standing, told, warned)


def no_take(_bars: int | None) -> bytes:
    """Report that nothing was played."""
    raise UsageError("nothing was played yet. Play something first")


def message_of(client: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of one kind that a page receives."""
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s:
        message: dict[str, Any] = json.loads(client.recv(timeout=PATIENCE_S))
        if message["event"] == checked(kind):
            return message
    raise TimeoutError(kind)


def say(client: ClientConnection, **values: object) -> None:
    """Send a message from a page."""
    client.send(json.dumps(values))


def wait_until(condition: Any) -> bool:  # noqa: ANN401 - whatever can be called
    """Wait until a condition holds; return whether it held in time."""
    pause = threading.Event()
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > give_up_s:
            return False
        pause.wait(0.005)
    return True
