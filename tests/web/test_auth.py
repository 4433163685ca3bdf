"""Requests that are refused: wrong host, wrong origin, no token, wrong form, too many."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from improviser.protocol import Heard
from improviser.web import connection_limit as bounded
from improviser.web.address import Address, bind
from improviser.web.page import Page
from improviser.web.services import Services
from tests.web.serving import PATIENCE_S, JamState, message_of, no_take, serving, wait_until

FORBIDDEN, MISSING, OK = 403, 404, 200


def test_the_page_and_its_files_lie_below_the_token() -> None:
    """The page and all its files are served below the token; without the slash the client is redirected."""
    with serving() as served:
        code, headers, body = served.get("")
        assert (OK, True) == (code, b"<html" in body)
        assert "text/html" in headers["content-type"]
        code, headers, _ = served.get("main.js")
        assert (OK, True) == (code, "javascript" in headers["content-type"])
        assert MISSING == served.get("nothing.js")[0]
        connection = http.client.HTTPConnection("127.0.0.1", served.address.port, timeout=PATIENCE_S)
        connection.request("GET", f"/{served.address.token}")
        answer = connection.getresponse()
        assert (307, f"/{served.address.token}/") == (answer.status, answer.headers["location"])
        connection.close()


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("", {"token": "x"}),
        ("", {"token": ""}),
        ("", {"host": "evil.example:80"}),
        ("", {"host": "evil.example"}),
        ("", {"host": "127.0.0.1:1"}),
        ("", {"host": ""}),
        ("", {"origin": "http://evil.example"}),
        ("", {"origin": "null"}),
        ("take.mid", {"origin": "http://evil.example"}),
        ("doctor", {"token": "wrong"}),
        ("", {"method": "POST"}),
        ("", {"method": "PUT"}),
        ("../../../../etc/passwd", {}),
        ("..%2f..%2f..%2f..%2fetc%2fpasswd", {}),
        ("%2e%2e/%2e%2e/pyproject.toml", {}),
        ("vendor/../../server.py", {}),
        ("server.py", {}),
        ("//etc/passwd", {}),
    ],
)
def test_all_else_gets_nothing(path: str, options: dict[str, Any]) -> None:
    """Every other path returns no file and no hint at the token, with the same security headers."""
    with serving() as served:
        code, headers, body = served.get(path, **options)
        assert MISSING == code
        assert served.address.token.encode() not in body
        assert b"root:" not in body
        assert b"import" not in body
        assert {"nosniff", "DENY", "no-referrer"} <= set(headers.values())
        assert "default-src 'none'" in headers["content-security-policy"]


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    """The headers allow only our own scripts, styles and connections, no framing, and no caching."""
    with serving() as served:
        headers = served.get("")[1]
        policy = headers["content-security-policy"]
        assert f"connect-src 'self' ws://{served.host};" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "no-store" == headers["cache-control"]


@pytest.mark.parametrize(
    "options",
    [
        {"origin": "http://evil.example"},
        {"origin": None},
        {"origin": "null"},
        {"token": "wrong"},
        {"path": "nothing"},
        {"path": "main.js"},
    ],
)
def test_other_sites_open_no_socket(options: dict[str, Any]) -> None:
    """A web socket needs our own origin and the right token."""
    with serving() as served:
        with pytest.raises(InvalidStatus) as refused:
            served.connect(**options)
        assert refused.value.response.status_code in {FORBIDDEN, MISSING}
        assert [] == served.told


def test_a_take_and_the_doctor_are_asked_for() -> None:
    """The last bars or the whole take can be downloaded; an empty take and a wrong number of bars are errors."""
    asked: list[int | None] = []

    def take(bars: int | None) -> bytes:
        """Return a file."""
        asked.append(bars)
        return b"MThd"

    with serving(take=take, examine=lambda: [{"name": "disk", "status": "pass"}]) as served:
        code, headers, body = served.get("take.mid?bars=8")
        assert (OK, b"MThd", "audio/midi") == (code, body, headers["content-type"])
        assert OK == served.get("take.mid")[0]
        assert [8, None] == asked
        for wrong in ("0", "-1", "x", "1e9", "99999", "%C2%B2"):
            assert 400 == served.get(f"take.mid?bars={wrong}")[0]
        assert b'[{"name":"disk","status":"pass"}]' == served.get("doctor")[2]
    with serving() as served:
        code, _, body = served.get("take.mid")
        assert (MISSING, b"nothing was played yet. Play something first\n") == (code, body)


def test_a_thousand_connections_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections are limited in number and time, and the page is still served."""
    monkeypatch.setattr(bounded, "GREETING_S", 0.5)
    with serving() as served, served.connect() as client:
        message_of(client, "hello")
        sockets = []
        for _ in range(1000):
            one = socket.create_connection(("127.0.0.1", served.address.port), PATIENCE_S)
            one.settimeout(0.0)
            sockets.append(one)
        assert wait_until(lambda: sum(map(is_open, sockets)) <= bounded.CONNECTIONS_MAX)
        client.send('{"event": "ping", "sent_ms": 1}')
        assert 1 == message_of(client, "pong")["sent_ms"]
        assert wait_until(lambda: not any(map(is_open, sockets)))
        assert OK == served.get("")[0]
        for one in sockets:
            one.close()


def test_strangers_that_ask_again_and_again_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients without the token cannot block clients that have it."""
    monkeypatch.setattr(bounded, "CONNECTIONS_MAX", 8)
    with serving() as served, contextlib.ExitStack() as stack:
        request = f"GET /wrong/ HTTP/1.1\r\nHost: {served.host}\r\n\r\n".encode()
        for _ in range(20):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", served.address.port), PATIENCE_S))
            one.sendall(request[:-2])  # not complete
        with served.connect() as client:
            message_of(client, "hello")
            assert OK == served.get("")[0]
        code, headers, _ = served.get("", token="wrong")  # noqa: S106 - it is wrong
        assert (MISSING, "close") == (code, headers["connection"])


def test_one_take_and_one_examination_at_a_time() -> None:
    """A second request for a take or the doctor is answered with 503 while the first one runs."""
    begun, goes_on = threading.Event(), threading.Event()

    def slow(_bars: int | None = None) -> bytes:
        """Wait until the test allows it to finish."""
        begun.set()
        goes_on.wait(PATIENCE_S)
        return b"MThd"

    def examine() -> list[dict[str, Any]]:
        """Wait in the same way."""
        slow()
        return []

    with serving(take=slow, examine=examine) as served:
        for path in ("take.mid", "doctor"):
            begun.clear()
            goes_on.clear()
            codes: list[int] = []
            first = threading.Thread(target=lambda to=path, got=codes: got.append(served.get(to)[0]))
            first.start()
            assert begun.wait(PATIENCE_S)
            assert 503 == served.get(path)[0]
            goes_on.set()
            first.join(PATIENCE_S)
            assert [OK] == codes


def is_open(one: socket.socket) -> bool:
    """Return whether the other side has not closed a socket."""
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_bytes_that_are_no_request_are_let_go() -> None:
    """Invalid requests are not answered with 200, and the page is served afterwards."""
    with serving() as served:
        for data in (b"\x00" * 4096, b"GET / HTTP/9.9\r\n\r\n", b"G" * 40_000, b"GET /\r\nHost\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", served.address.port), PATIENCE_S) as one:
                one.settimeout(PATIENCE_S)
                try:
                    one.sendall(data)
                    answer = one.recv(4096)
                except OSError:
                    answer = b""
                assert b"200 OK" not in answer
        assert OK == served.get("")[0]
    assert [] == served.warned


@pytest.mark.parametrize(
    ("host", "header", "is_named"),
    [
        ("127.0.0.1", "127.0.0.1:80", True),
        ("127.0.0.1", "localhost:80", True),
        ("127.0.0.1", "[::1]:80", True),
        ("0.0.0.0", "localhost:80", True),  # noqa: S104
        ("0.0.0.0", f"{socket.gethostname()}.local:80", True),  # noqa: S104
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1:81", False),
        ("127.0.0.1", "192.168.0.2:80", False),
        ("127.0.0.1", "localhost.evil.example:80", False),
        ("::1", "[::1]:80", True),
        ("0.0.0.0", "192.168.0.2:80", True),  # noqa: S104 - a user may ask for this
        ("0.0.0.0", "evil.example:80", False),  # noqa: S104
        ("0.0.0.0", f"{socket.gethostname()}:80", True),  # noqa: S104
        ("192.168.0.2", "192.168.0.2:80", True),
        ("192.168.0.2", "192.168.0.3:80", False),
    ],
)
def test_names_that_can_be_rebound_are_none_of_ours(host: str, header: str, *, is_named: bool) -> None:
    """Only addresses and the machine's own name are accepted as host, against DNS rebinding."""
    assert is_named == Address(host, 80).is_named(header)


def test_each_run_has_a_token_of_its_own_that_is_not_shown() -> None:
    """Each address has a new token of at least 32 characters, which does not appear in its repr."""
    first, second = Address("127.0.0.1", 80), Address("::1", 80)
    assert first.token != second.token
    assert len(first.token) >= 32
    assert first.token not in repr(first)
    assert f"http://127.0.0.1:80/{first.token}/" == first.url
    assert second.url.startswith("http://[::1]:80/")
    shown = Address("0.0.0.0", 80).url  # noqa: S104
    assert "0.0.0.0" not in shown  # noqa: S104
    assert shown.endswith(":80/" + shown.split("/")[3] + "/")


def test_a_machine_without_a_network_shows_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network the address shows the machine's name."""
    monkeypatch.setattr("improviser.web.address._ELSEWHERE", ("nowhere.invalid", 9))
    assert f"//{socket.gethostname()}:80/" in Address("0.0.0.0", 80).url  # noqa: S104


def test_a_port_that_is_taken_is_told_or_another_is_chosen() -> None:
    """A taken default port is replaced by a free one; a named port that is taken is an error."""
    listening, address = bind("127.0.0.1", None)
    with listening:
        other, elsewhere = bind("127.0.0.1", None)
        other.close()
        assert address.port != elsewhere.port
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", address.port)
    with pytest.raises(OSError, match="no host is named"):
        bind("", None)


def test_a_page_that_breaks_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page server that fails gives one warning, and later events are dropped."""

    def fail(*_: object) -> None:
        """Raise RuntimeError."""
        raise RuntimeError("broken")

    monkeypatch.setattr("improviser.web.server.build_app", fail)
    warned: list[str] = []
    services = Services(lambda _: None, no_take, list)
    with Page(bind("127.0.0.1", None), JamState(), services, warned.append) as page:
        assert wait_until(lambda: warned)
        for _ in range(100):
            page.publish(Heard(1.0, 0, 60, 80, "Keys"))
        assert [] == page._early  # noqa: SLF001 - events kept in vain would reach nobody
    assert ["the page is not served any more (broken); improviser ctl steers the jam"] == warned
    assert not [thread for thread in threading.enumerate() if thread.name == "page"]
