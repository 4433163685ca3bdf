"""Steering from another program: a socket on the loopback interface, with a token."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from improviser.errors import ImproviserError
from improviser.protocol import Act, Action, Command, Judged, Knob, Turn, Turned, value_to_line
from improviser.protocol.command_filter import CommandFilter
from improviser.remote import control_socket as remote
from improviser.remote.control_socket import CLIENTS_MAX, LINE_MAX, ControlSocket, ask
from improviser.supervisor.state import State
from tests.some import some_files

STATE = '{"event": "state"}'


class Jam:
    """A jam that executes commands at once."""

    def __init__(self, folder: Path) -> None:
        """Open the socket."""
        self.state = State()
        self.commands: list[Command] = []
        self.remote = ControlSocket(folder, self.state, self.obey, name="bass")
        self.path = some_files(folder, "*.control.json")[0]

    def obey(self, command: Command) -> None:
        """Execute a command."""
        self.commands.append(command)
        if isinstance(command, Turn):
            self.state.apply(Turned(command.knob, command.position))
        else:
            self.state.apply(Judged(1.0, liked=True, taste={"leap": -0.5}, words="less leaping"))

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.place["port"]), 5.0)

    @property
    def place(self) -> dict[str, Any]:
        """The content of the file."""
        place: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        return place


@pytest.fixture
def jam(tmp_path: Path) -> Iterator[Jam]:
    """A jam that is reached through the test's folder."""
    jam = Jam(tmp_path)
    yield jam
    jam.remote.close()


def said(jam: Jam, *lines: bytes) -> bytes:
    """Send lines unchanged; return everything that comes back until the end."""
    with jam.connect() as client:
        answer = b""
        with contextlib.suppress(OSError):  # it was disconnected before all was read
            client.sendall(b"".join(lines))
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                answer += data
        return answer


def test_a_command_is_done_and_the_state_is_the_answer(jam: Jam, tmp_path: Path) -> None:
    """The answer to a command is the state after the change."""
    answer = ask(tmp_path, value_to_line(Turn(Knob.HARMONY, 1.5)))
    assert ("state", 1.5) == (answer["event"], answer["panel"]["harmony"])
    answer = ask(tmp_path, value_to_line(Act(Action.LIKE)))
    assert (1, "less leaping", {"leap": -0.5}) == (answer["likes"], answer["words"], answer["taste"])
    assert [Turn(Knob.HARMONY, 1.5), Act(Action.LIKE)] == jam.commands
    assert 0 == ask(tmp_path, STATE)["dislikes"]


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "turn", "knob": "harmony", "position": "1.5"}',
        '{"event": "turn", "knob": "harmony", "position": 7}',
        "[" * 3000,
        '{"event": "stop"}',
        "nonsense",
        '{"event": "turn", "knob": "x", "position": 1}',
        "[]",
    ],
)
def test_what_is_no_command_is_told(jam: Jam, tmp_path: Path, line: str) -> None:
    """An invalid command is refused with a message, and the jam continues."""
    assert "error" == ask(tmp_path, line)["event"]
    assert [] == jam.commands
    assert "state" == ask(tmp_path, STATE)["event"]


@pytest.mark.parametrize(
    "token", ['{"token": "wrong"}', '{"token": 5}', "{}", "[]", "", "GET / HTTP/1.1", "\xff\xfe", "[" * 3000]
)
def test_without_the_token_nobody_comes_in(jam: Jam, token: str) -> None:
    """A client without the token gets no answer at all."""
    assert b"" == said(jam, token.encode("latin-1") + b"\n", value_to_line(Act(Action.PANIC)).encode())
    assert [] == jam.commands


def test_the_file_is_the_users_only(jam: Jam) -> None:
    """Only the user can read the file with the token."""
    assert 0o600 == stat.S_IMODE(jam.path.stat().st_mode)


def test_a_line_without_an_end_is_not_waited_for(jam: Jam) -> None:
    """A client that sends more than a command needs is disconnected."""
    token = json.dumps({"token": jam.place["token"]}).encode() + b"\n"
    assert b"" == said(jam, token, b"x" * (2 * LINE_MAX))


def test_too_many_clients_are_refused(jam: Jam, tmp_path: Path) -> None:
    """Beyond the limit new clients are refused; when one leaves there is room again."""
    clients = [jam.connect() for _ in range(CLIENTS_MAX)]
    token = json.dumps({"token": jam.place["token"]}).encode() + b"\n"
    for client in clients:
        client.sendall(token + STATE.encode() + b"\n")
        assert client.recv(65536).startswith(b'{"event": "state"')
    with pytest.raises(ImproviserError, match=r"no jam|does not answer"):
        ask(tmp_path, STATE)
    for client in clients:
        client.close()


def test_strangers_do_not_keep_others_out(jam: Jam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients without the token are disconnected soon and do not count for the limit."""
    monkeypatch.setattr(remote, "_GREETING_S", 0.2)
    strangers = [jam.connect() for _ in range(CLIENTS_MAX)]
    time.sleep(0.1)
    for stranger in strangers:
        stranger.sendall(b"x")
    time.sleep(0.3)
    assert "state" == ask(tmp_path, STATE)["event"]
    for stranger in strangers:
        stranger.close()


def test_actions_come_through_a_gate() -> None:
    """Actions beyond the rate limit are dropped and counted, and knobs are not limited."""
    passed: list[Command] = []
    dropped: list[None] = []
    gate = CommandFilter(passed.append, lambda: dropped.append(None))
    for _ in range(1000):
        gate(Act(Action.LIKE))
        gate(Turn(Knob.ECHO, 1.0))
    likes = passed.count(Act(Action.LIKE))
    assert 1000 == passed.count(Turn(Knob.ECHO, 1.0))
    assert (1000 - likes, True) == (len(dropped), likes < 60)


def test_a_jam_that_is_gone_is_told(tmp_path: Path) -> None:
    """A missing jam, or one that was killed and left its file, is reported."""
    with pytest.raises(ImproviserError, match=r"no jam is running\. Start one with"):
        ask(tmp_path, STATE)
    jam = Jam(tmp_path)
    left = jam.path.read_text("utf-8")
    jam.remote.close()
    assert not jam.path.exists()
    jam.path.write_text(left, "utf-8")
    with pytest.raises(ImproviserError, match="no jam is running"):
        ask(tmp_path, STATE)
    jam.path.write_text("{", "utf-8")
    with pytest.raises(ImproviserError, match="does not answer"):
        ask(tmp_path, STATE)


def test_one_of_several_can_be_meant(jam: Jam, tmp_path: Path) -> None:
    """One of several jams is selected by its name, or its process id."""
    number = int(jam.path.name.split(".")[0])
    for which in ("bass", str(number)):
        assert "state" == ask(tmp_path, STATE, which)["event"]
    for other in ("chords", "", str(number + 1)):
        with pytest.raises(ImproviserError, match=f"no jam with the name or number '{other}' is running"):
            ask(tmp_path, STATE, other)
