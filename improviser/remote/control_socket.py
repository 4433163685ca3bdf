"""Lets another program steer a jam: it sends commands and receives the state, each as one JSON object on one line.

A client reads the port and a token from a file that only the user can read. It sends the token first. The socket is on
the loopback interface only.

    client  {"token": "..."}
    client  {"event": "turn", "knob": "harmony", "position": 1.5}, {"event": "act", "action": "like"},
            {"event": "choose", "preset": "fiddle"}, {"event": "lock", "key": "Am"},
            {"event": "route", "input": null, "output": "Synth"}, {"event": "state"} or {"event": "page"}
    server  {"event": "state", ...}, {"event": "page", "url": "..."}, or {"event": "error", "text": "..."}
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import socket
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final

from improviser.errors import ImproviserError
from improviser.files import write_private
from improviser.protocol import Command, Steer, line_to_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from improviser.supervisor.state import State

HOST: Final = "127.0.0.1"
_SUFFIX: Final = ".control.json"
# A longer line ends the connection, and further clients are refused.
LINE_MAX: Final = 4096
CLIENTS_MAX: Final = 16
# A client that sends nothing for _SILENT_S is disconnected. `ask` waits _ANSWER_S for an answer.
_SILENT_S: Final = 60.0
# A client has to send the token within this time.
_GREETING_S: Final = 2.0
_ANSWER_S: Final = 5.0
# After a command, wait at most this long for a change before the state is sent.
_CHANGE_S: Final = 0.5


class ControlSocket:
    """Accepts commands on a socket.

    Threads: One thread accepts clients, and each client has a thread. `obey` is called in the clients' threads.
    """

    def __init__(
        self, folder: Path, state: State, obey: Callable[[Command], None], page_url: str = "", name: str = ""
    ) -> None:
        """Listen on a free port, and write the port and the token to a file in `folder`.

        Args:
            folder: The folder for the file.
            state: The state of the jam, which is sent to clients.
            obey: Called with each command.
            page_url: The URL of the page; empty if no page is served.
            name: The jam's name; empty: none.

        Raises:
            OSError: The socket cannot be opened, or the file cannot be written.
        """
        self._state, self._obey, self._page_url = state, obey, page_url
        self._token = secrets.token_urlsafe()
        self._socket = socket.create_server((HOST, 0))
        self._clients = threading.BoundedSemaphore(CLIENTS_MAX)
        self._strangers = threading.BoundedSemaphore(CLIENTS_MAX)
        self._path = folder / f"{os.getpid()}{_SUFFIX}"
        place = {"port": self._socket.getsockname()[1], "token": self._token, "name": name}
        try:
            write_private(self._path, json.dumps(place))
        except OSError:
            self._socket.close()
            raise
        threading.Thread(target=self._accept, name="remote", daemon=True).start()

    def close(self) -> None:
        """Remove the file and close the socket."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        """Accept clients until the socket is closed."""
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            if self._strangers.acquire(blocking=False):
                threading.Thread(target=self._greet, args=(client,), daemon=True).start()
            else:
                client.close()

    def _greet(self, client: socket.socket) -> None:
        """Serve a client if it sends the token in time."""
        with client:
            try:
                is_known = self._is_known(_first_line(client))
            finally:
                self._strangers.release()
            if is_known and self._clients.acquire(blocking=False):
                try:
                    self._serve(client)
                finally:
                    self._clients.release()

    def _serve(self, client: socket.socket) -> None:
        """Answer a client until it disconnects."""
        client.settimeout(_SILENT_S)
        with (
            contextlib.suppress(OSError, ValueError),
            client.makefile("rw", encoding="utf-8", newline="\n") as stream,
        ):
            for line in _lines(stream):
                stream.write(json.dumps(self._answer(line)) + "\n")
                stream.flush()

    def _is_known(self, line: str) -> bool:
        """Return whether a client's first line holds the token."""
        try:
            token = json.loads(line)["token"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        return isinstance(token, str) and hmac.compare_digest(token.encode(), self._token.encode())

    def _answer(self, line: str) -> dict[str, Any]:
        """Carry out the request in a line. Return the answer."""
        if _asks_for(line, "page"):
            return self._page()
        if not _asks_for(line, "state"):
            try:
                command = line_to_value(line)
            except ValueError as error:
                return {"event": "error", "text": str(error)}
            if not isinstance(command, Steer):
                return {
                    "event": "error",
                    "text": "unknown request; use turn, act, choose, lock, set_timing, set_mode, set_offset, count_in, "
                    "route, state or page",
                }
            version = self._state.ask()
            self._obey(command)
            self._state.wait(version, _CHANGE_S)
        return {"event": "state"} | self._state.to_json()

    def _page(self) -> dict[str, Any]:
        """Return the page's URL, or an error if no page is served."""
        if self._page_url:
            return {"event": "page", "url": self._page_url}
        return {"event": "error", "text": "this jam has no page. Start it without --no-web"}


def ask(folder: Path, command: str, jam: str | None = None) -> dict[str, Any]:
    """Send a line to a running jam and return its answer.

    Args:
        folder: The folder in which jams write their files.
        command: The line to send.
        jam: The name of the jam, or its process number; None for the newest jam.

    Raises:
        ImproviserError: No such jam is running, or it does not answer.
    """
    paths = sorted(folder.glob(f"*{_SUFFIX}"), key=_began, reverse=True)
    for path in paths:
        try:
            place = json.loads(path.read_text("utf-8"))
            if jam not in {None, place.get("name"), path.name.removesuffix(_SUFFIX)}:
                continue
            return _asked(place["port"], place["token"], command)
        except (ConnectionError, FileNotFoundError):  # the jam was killed
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ImproviserError(f"the jam does not answer ({error}); see: improviser ctl") from error
    if jam is not None:
        raise ImproviserError(f"no jam with the name or number '{jam}' is running; see: improviser ctl")
    raise ImproviserError("no jam is running. Start one with: improviser jam")


def _asked(port: int, token: str, command: str) -> dict[str, Any]:
    """Send a line to a port and return the answer."""
    with (
        socket.create_connection((HOST, port), _ANSWER_S) as server,
        server.makefile("rw", encoding="utf-8", newline="\n") as stream,
    ):
        stream.write(json.dumps({"token": token}) + "\n" + command.rstrip("\n") + "\n")
        stream.flush()
        answer: dict[str, Any] = json.loads(stream.readline())
        return answer


def _began(path: Path) -> float:
    """Return when a jam's file was written. A file that has gone since counts as the oldest."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _first_line(client: socket.socket) -> str:
    """Return a client's first line, or an empty text if it comes too late or is too long."""
    until_s, line = time.monotonic() + _GREETING_S, b""
    with contextlib.suppress(OSError):
        while len(line) < LINE_MAX and (left_s := until_s - time.monotonic()) > 0:
            client.settimeout(left_s)
            byte = client.recv(1)
            if byte in {b"", b"\n"}:
                return line.decode(errors="replace")
            line += byte
    return ""


def _lines(stream: IO[str]) -> Iterator[str]:
    """Return the lines that a client sends, up to the first one that is too long."""
    while (line := stream.readline(LINE_MAX)) and line.endswith("\n"):
        yield line


def _asks_for(line: str, kind: str) -> bool:
    """Return whether a line is a request of this kind."""
    try:
        return bool(json.loads(line)["event"] == kind)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
