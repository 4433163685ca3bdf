"""Steering a jam from another program: commands in, the state out, each one JSON object on one line.

Who wants in finds the port and a token in a file that only the user can read, and sends the token first. The
socket is on the loopback interface only.

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
# A line that is longer is none of ours, and more clients than this are none either.
LINE_MAX: Final = 4096
CLIENTS_MAX: Final = 16
# A client that says nothing for so long is let go; one that asks waits so long for an answer.
_SILENT_S: Final = 60.0
# The token comes at once.
_GREETING_S: Final = 2.0
_ANSWER_S: Final = 5.0
# So long a change is waited for before the state is told.
_CHANGE_S: Final = 0.5


class ControlSocket:
    """Takes commands on a socket.

    Threads: one that accepts, and one for each client; `obey` is called in these.
    """

    def __init__(self, folder: Path, state: State, obey: Callable[[Command], None], page_url: str = "") -> None:
        """Listen, and write where into `folder`; `page_url` is where the page is, empty where there is none.

        Raises:
            OSError: That fails.
        """
        self._state, self._obey, self._page_url = state, obey, page_url
        self._token = secrets.token_urlsafe()
        self._socket = socket.create_server((HOST, 0))
        self._clients = threading.BoundedSemaphore(CLIENTS_MAX)
        self._strangers = threading.BoundedSemaphore(CLIENTS_MAX)
        self._path = folder / f"{os.getpid()}{_SUFFIX}"
        place = {"port": self._socket.getsockname()[1], "token": self._token}
        try:
            write_private(self._path, json.dumps(place))
        except OSError:
            self._socket.close()
            raise
        threading.Thread(target=self._accept, name="remote", daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
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
        """Accept a client that sends the token at once."""
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
        """Answer a client until it leaves."""
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
        """Do what a line says; return what to answer."""
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
                    "text": "unknown request; use turn, act, choose, lock, route, state or page",
                }
            version = self._state.ask()
            self._obey(command)
            self._state.wait(version, _CHANGE_S)
        return {"event": "state"} | self._state.to_json()

    def _page(self) -> dict[str, Any]:
        """Return where the page is; an error where none is served."""
        if self._page_url:
            return {"event": "page", "url": self._page_url}
        return {"event": "error", "text": "this jam has no page. Start it without --no-web"}


def ask(folder: Path, command: str, process: int | None = None) -> dict[str, Any]:
    """Send a line to the jam that runs, the newest or that of a process; return its answer.

    Raises:
        ImproviserError: None runs, or it does not answer.
    """
    paths = sorted(folder.glob(f"*{_SUFFIX}"), key=_began, reverse=True)
    for path in paths if process is None else [folder / f"{process}{_SUFFIX}"]:
        try:
            place = json.loads(path.read_text("utf-8"))
            return _asked(place["port"], place["token"], command)
        except (ConnectionError, FileNotFoundError):  # a jam that was killed
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ImproviserError(f"the jam does not answer ({error}); see: improviser ctl") from error
    raise ImproviserError("no jam is running. Start one with: improviser jam")


def _asked(port: int, token: str, command: str) -> dict[str, Any]:
    """Send a line to a port; return the answer."""
    with (
        socket.create_connection((HOST, port), _ANSWER_S) as server,
        server.makefile("rw", encoding="utf-8", newline="\n") as stream,
    ):
        stream.write(json.dumps({"token": token}) + "\n" + command.rstrip("\n") + "\n")
        stream.flush()
        answer: dict[str, Any] = json.loads(stream.readline())
        return answer


def _began(path: Path) -> float:
    """Return when a jam's file was written; one that has gone since is the oldest."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _first_line(client: socket.socket) -> str:
    """Return a client's first line; nothing where it does not come in time, or is too long."""
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
    """Return the lines of a client; one that is too long ends it."""
    while (line := stream.readline(LINE_MAX)) and line.endswith("\n"):
        yield line


def _asks_for(line: str, kind: str) -> bool:
    """Return whether a line asks for something of a kind, and for nothing else."""
    try:
        return bool(json.loads(line)["event"] == kind)
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
