"""The performer's pipes."""

from __future__ import annotations

import io
import threading

import pytest

from improviser.performer import pipes as module
from improviser.performer.inbox import Inbox
from improviser.performer.pipes import EventWriter, read_commands
from improviser.protocol import Act, Action, Event, Failed, Knob, Notice, Stop, Summary, Turn, value_to_line
from tests.live import wait_for


class Stuck(io.StringIO):
    """A pipe that nobody reads: writing blocks."""

    def __init__(self) -> None:
        """Create the event that ends the blocking."""
        super().__init__()
        self.waits = threading.Event()
        self.let_go = threading.Event()

    def write(self, text: str) -> int:
        """Block until the event is set."""
        self.waits.set()
        self.let_go.wait(20)
        return super().write(text)


class Broken(io.StringIO):
    """A pipe whose reader is gone."""

    def write(self, text: str) -> int:
        """Raise as such a pipe does."""
        raise BrokenPipeError(text)


def test_events_are_written_as_lines() -> None:
    """When the reporter is closed, all events are in the stream, in order."""
    stream = io.StringIO()
    reporter = EventWriter(stream)
    events = [Notice("a"), Notice("b")]
    for event in events:
        reporter.write(event)
    reporter.close()
    assert "".join(map(value_to_line, events)) == stream.getvalue()


def test_a_full_pipe_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reporting never blocks: events beyond the limit are dropped and counted, except the last."""
    monkeypatch.setattr(module, "EVENTS_MAX", 10)
    monkeypatch.setattr(module, "_CLOSING_S", 0.001)
    stream = Stuck()
    reporter = EventWriter(stream)
    reporter.write(Notice("first"))
    assert stream.waits.wait(20)
    for _ in range(15):
        reporter.write(Notice("x"))
    ending: list[Event] = [Failed("why"), Summary(notes_heard=3)]
    for event in ending:
        reporter.write(event)
    assert 5 == reporter.dropped
    reporter.close()
    stream.let_go.set()
    wait_for(lambda: stream.getvalue().endswith("".join(map(value_to_line, ending))), "the end")


def test_a_broken_pipe_ends_the_writing() -> None:
    """When the reader is gone, the reporter ends without an error."""
    reporter = EventWriter(Broken())
    reporter.write(Notice("x"))
    reporter.close()
    assert 0 == reporter.dropped


def test_commands_reach_the_inbox() -> None:
    """Each command reaches the inbox, invalid lines are skipped, and the end of the stream is a stop."""
    inbox = Inbox()
    lines = [
        value_to_line(Act(Action.PANIC)),
        "nonsense\n",
        value_to_line(Notice("x")),
        value_to_line(Turn(Knob.TEMPO, 90.0)),
    ]
    read_commands(io.StringIO("".join(lines)), inbox).join()
    assert [Act(Action.PANIC), Turn(Knob.TEMPO, 90.0), Stop()] == list(inbox.take_many(9))


def test_a_broken_stream_is_its_end() -> None:
    """A stream that fails is a stop too."""
    inbox, stream = Inbox(), io.StringIO()
    stream.close()
    read_commands(stream, inbox).join()
    assert [Stop()] == list(inbox.take_many(9))
