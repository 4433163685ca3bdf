"""What pages send and receive, over real sockets."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from improviser.protocol import (
    Act,
    Action,
    Choose,
    Heard,
    Knob,
    Lock,
    Notice,
    Played,
    Receive,
    Route,
    Stepped,
    Turn,
)
from improviser.web import broadcaster as hub
from improviser.web import page_session as talk
from tests.performing import ready
from tests.web.serving import message_of, say, serving, wait_until

HEARD = Heard(1.0, 0, 60, 80, "Keys")


def test_a_page_is_greeted_with_how_it_stands_and_what_happened() -> None:
    """A new page receives the state and the recent events, with channels counted from 1."""
    with serving() as served:
        served.page.publish(HEARD)
        served.page.publish(Stepped(1.0))
        with served.connect() as client:
            hello = message_of(client, "hello")
    assert {"preset": "chorale"} == hello["state"]
    assert (12.5, [("heard", 1)]) == (
        hello["now_s"],
        [(event["event"], event["channel"]) for event in hello["recent"]],
    )


def test_what_happened_by_another_clock_is_forgotten() -> None:
    """When a new performer starts, old events are dropped and open pages are greeted again."""
    with serving() as served:
        served.page.publish(HEARD)
        with served.connect() as early:
            assert ["heard"] == [event["event"] for event in message_of(early, "hello")["recent"]]
            served.page.publish(ready())
            again = message_of(early, "hello")
            assert ("Page 1", []) == (again["port"], again["recent"])
            with served.connect() as client:
                assert ["ready"] == [event["event"] for event in message_of(client, "hello")["recent"]]


def test_who_is_connected_is_told_without_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of connected ports reaches an open page without an event."""
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.02)
    with serving() as served, served.connect() as client:
        message_of(client, "state")
        served.standing.values = {"heard_by": ["DAW"]}
        assert ["DAW"] == message_of(client, "state")["heard_by"]


def test_presses_beyond_hands_are_dropped_but_no_panic() -> None:
    """Beyond the rate limit a page's presses are dropped, except a panic; other pages are not limited."""
    with serving() as served, served.connect() as wild, served.connect() as calm:
        for _ in range(60):
            say(wild, event="act", action="tap")
        say(wild, event="act", action="panic")
        say(calm, event="act", action="like")
        assert wait_until(lambda: {Act(Action.PANIC), Act(Action.LIKE)} <= set(served.told))
    assert 18 <= served.told.count(Act(Action.TAP)) < 60


def test_all_that_steers_is_handed_on() -> None:
    """Each message of a page becomes its command; notes arrive on the page's own port."""
    said = [
        ({"event": "turn", "knob": "harmony", "position": 1.5}, Turn(Knob.HARMONY, 1.5)),
        ({"event": "act", "action": "like"}, Act(Action.LIKE)),
        ({"event": "choose", "preset": "fiddle"}, Choose("fiddle")),
        ({"event": "lock", "key": "Am"}, Lock("Am")),
        ({"event": "route", "input": None, "output": "Synth"}, Route(None, "Synth")),
        ({"event": "receive", "data": [0x90, 60, 90]}, Receive((0x90, 60, 90), "Page 1")),
        ({"event": "receive", "data": [0x80, 60, 0]}, Receive((0x80, 60, 0), "Page 1")),
    ]
    with serving() as served, served.connect() as client:
        for values, _ in said:
            client.send(json.dumps(values))
        assert wait_until(lambda: len(served.told) == len(said))
    assert [command for _, command in said] == served.told


def test_two_pages_agree() -> None:
    """Two pages receive the same events and the same changed state."""
    with serving() as served, served.connect() as first, served.connect() as second:
        for client in (first, second):
            message_of(client, "hello")
        served.standing.values = {"preset": "fiddle"}
        served.page.publish(Played(2.0, 2.0, 0, 64, 70, 0.0, "C", None))
        for client in (first, second):
            assert 64 == message_of(client, "played")["note"]
            assert "fiddle" == message_of(client, "state")["preset"]


def test_a_ping_is_answered_with_the_time() -> None:
    """A ping is answered with the page's own number and the time."""
    with serving() as served, served.connect() as client:
        say(client, event="ping", sent_ms=3.25)
        assert {"event": "pong", "sent_ms": 3.25, "now_s": 12.5} == message_of(client, "pong")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "7",
        "null",
        "{}",
        '{"event": "stop"}',
        '{"event": "turn", "knob": "harmony", "position": 9}',
        '{"event": "turn", "knob": "harmony", "position": NaN}',
        '{"event": "act", "action": "explode"}',
        '{"event": "lock", "key": 5}',
        '{"event": "choose", "preset": ["x"]}',
        '{"event": "route", "input": 3}',
        '{"event": "receive", "data": [248]}',
        '{"event": "receive", "data": [144, 60]}',
        '{"event": "receive", "data": "x", "port": 3}',
        '{"event": "ping"}',
        '{"event": "ping", "sent_ms": NaN}',
        f'{{"event": "ping", "sent_ms": {"9" * 400}}}',
        '{"event": "choose", "preset": ""}',
        '{"event": "route", "output": ""}',
        '{"event": "adopt", "number": 1, "path": "/etc/passwd", "digest": "", "model_digest": ""}',
        "[" * 2000,
    ],
)
def test_nonsense_is_refused_and_does_nothing(text: str) -> None:
    """An invalid message is refused, and the connection continues."""
    with serving() as served, served.connect() as client:
        client.send(text)
        assert "" != message_of(client, "refused")["text"]
        say(client, event="act", action="tap")
        assert wait_until(lambda: served.told)
    assert [Act(Action.TAP)] == served.told


def test_keys_that_are_down_are_lifted_when_a_page_goes() -> None:
    """When a page disconnects, its held keys, pedals and bends are released, and only those."""
    with serving() as served:
        with served.connect() as client:
            held = ([0x90, 64, 90], [0xB0, 64, 127], [0xB0, 66, 127], [0xE0, 0, 100])
            at_rest = ([0x90, 60, 90], [0x80, 60, 0], [0xB1, 64, 0], [0xE1, 0, 64], [0xB0, 7, 100])
            for data in (*held, *at_rest):
                say(client, event="receive", data=data)
            assert wait_until(lambda: len(served.told) == 9)
        assert wait_until(lambda: len(served.told) == 13)
    lifted = ((0x80, 64, 0), (0xB0, 64, 0), (0xB0, 66, 0), (0xE0, 0, 64))
    assert [Receive(data, "Page 1") for data in lifted] == served.told[9:]


@pytest.mark.parametrize(
    ("message", "code"), [(b"\x90\x3c\x5a", talk.WRONG_KIND), ("x" * 5000, 1009)], ids=["bytes", "oversize"]
)
def test_what_is_no_message_ends_the_talk(message: str | bytes, code: int) -> None:
    """Binary data or an oversized message closes the connection."""
    with serving() as served, served.connect() as client:
        client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            message_of(client, "summary")
        assert closed.value.rcvd is not None
        assert code == closed.value.rcvd.code
    assert [] == served.told


def test_a_flood_ends_the_talk_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of messages closes that page's connection, and another page continues."""
    monkeypatch.setattr(talk, "RATE_MAX", 50.0)
    with serving() as served, served.connect() as quiet, served.connect() as flood:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(2000):
                say(flood, event="act", action="tap")
        with pytest.raises(ConnectionClosed):
            message_of(flood, "summary")
        assert len(served.told) < 120
        say(quiet, event="ping", sent_ms=1.0)
        assert 1.0 == message_of(quiet, "pong")["sent_ms"]


def test_much_nonsense_ends_the_talk() -> None:
    """Too many invalid messages close the connection."""
    with serving() as served, served.connect() as client:
        for _ in range(talk.FAULTS_MAX + 1):
            client.send("nonsense")
        with pytest.raises(ConnectionClosed) as closed:
            message_of(client, "summary")
        assert closed.value.rcvd is not None
        assert talk.TOO_MUCH == closed.value.rcvd.code


def test_a_page_that_reads_nothing_is_let_go_and_its_keys_are_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that does not read is disconnected and its keys are released, while other pages receive everything."""
    monkeypatch.setattr(hub, "WAITING_MAX", 200)
    with serving() as served, served.connect() as reader, served.connect(max_queue=1) as deaf:
        message_of(reader, "hello")
        say(deaf, event="receive", data=[0x90, 60, 90])
        assert wait_until(lambda: len(served.told) == 1)
        for place in range(4000):
            served.page.publish(Notice(f"{place} " + "x" * 4000))
            assert message_of(reader, "notice")["text"].startswith(f"{place} ")
            if len(served.told) > 1:
                break
        assert wait_until(lambda: len(served.told) == 2)
        assert Receive((0x80, 60, 0), "Page 2") == served.told[1]
        assert wait_until(lambda: served.page._broadcaster is not None and len(served.page._broadcaster._clients) == 1)  # noqa: SLF001


def test_so_many_pages_and_no_more() -> None:
    """One page more than the limit is told to try later; after another one leaves there is room."""
    with serving() as served, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(hub.CLIENTS_MAX)]
        for client in clients:
            message_of(client, "hello")
        with served.connect() as late, pytest.raises(ConnectionClosed) as closed:
            message_of(late, "hello")
        assert closed.value.rcvd is not None
        assert talk.TRY_LATER == closed.value.rcvd.code
        clients.pop().close()
        assert wait_until(lambda: served.page._broadcaster is not None and len(served.page._broadcaster._clients) < 8)  # noqa: SLF001
        with served.connect() as client:
            assert "hello" == message_of(client, "hello")["event"]


def test_the_end_lets_all_pages_go() -> None:
    """At the end of the jam the web sockets are closed."""
    with contextlib.ExitStack() as stack:
        with serving() as served:
            client = stack.enter_context(served.connect())
            message_of(client, "hello")
        with pytest.raises(ConnectionClosed):
            message_of(client, "summary")
    assert [] == served.warned


def test_the_pages_of_a_trial_stay_and_flood(tmp_path: Path) -> None:
    """The pages of a timing run connect: one turns a knob to its position, one is disconnected again and again."""
    told = tmp_path / "told.jsonl"
    told.write_text("", "utf-8")
    command = [sys.executable, "-m", "improviser.studies.timing.pages", str(told), "4"]
    with serving() as served, subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        told.write_text(json.dumps({"event": "page", "url": served.address.url}) + "\n", "utf-8")
        visits = itertools.count(1)

        def others() -> int:
            """Connect as a page too; return how many other pages have connected so far."""
            with served.connect() as client:
                return int(message_of(client, "hello")["port"].split()[1]) - next(visits)

        has_come = wait_until(lambda: len(served.told) > 100 and others() >= 5)
        process.terminate()
    assert has_come
    assert {Turn(Knob.ECHO, 1.0)} == set(served.told)
