"""The performer process: its input on stdin, and its events."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from improviser.performer import __main__ as performer
from improviser.performer import assembly as performance
from improviser.ports import priority
from improviser.ports.loopback import LoopbackBackend
from improviser.protocol import PerformerSettings, PortSettings, Stop, Value, value_to_line
from tests.live import wait_for
from tests.performing import ENGINE, BarNote

PORTS = PortSettings("loopback")


@pytest.fixture(autouse=True)
def _no_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the test process' own signal handlers, threads and garbage collector."""
    monkeypatch.setattr(performer, "_SIGNALS", ("SIGNOTHING",))
    monkeypatch.setattr(priority, "slim_threads", lambda: None)
    monkeypatch.setattr(priority, "still_collector", lambda: None)


def perform(monkeypatch: pytest.MonkeyPatch, *told: Value | str) -> tuple[int, list[dict[str, Any]]]:
    """Run the performer with these input lines; return its exit code and events."""
    lines = "".join(value if isinstance(value, str) else value_to_line(value) for value in told)
    answers = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    monkeypatch.setattr(sys, "stdout", answers)
    code = performer.main()
    return code, [json.loads(line) for line in answers.getvalue().splitlines()]


@pytest.mark.parametrize("told", [(), (Stop(),), (PORTS,), (PORTS, Stop())])
def test_a_parent_that_thinks_better_of_it_is_no_fault(
    told: tuple[Value, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of stdin or a stop before the music gives exit code 0 and no event."""
    assert (0, []) == perform(monkeypatch, *told)


@pytest.mark.parametrize("told", ["nonsense\n", Stop().event + "\n", value_to_line(PerformerSettings("x", "m", {}))])
def test_other_lines_are_wrong_usage(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first line that is not port settings gives exit code 2 and an error."""
    code, (error,) = perform(monkeypatch, told)
    assert (2, "error", 2) == (code, error["event"], error["code"])


def test_a_missing_model_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing model is an error with exit code 1, and the ports are closed."""
    closed: list[str] = []
    monkeypatch.setattr(LoopbackBackend, "close", lambda backend: closed.append(backend.name))
    code, (error,) = perform(monkeypatch, PORTS, PerformerSettings("x", "/no/model", {"tempo_bpm": 1.0}))
    assert (1, ["loopback"]) == (code, closed)
    assert "no model at /no/model" in error["text"]


def test_missing_ports_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port error is reported with exit code 1, although the ports are opened in a thread."""
    settings = PerformerSettings("x", "m", ENGINE)
    monkeypatch.setattr(performance, "engine_maker", lambda _: None)
    code, (error,) = perform(monkeypatch, PortSettings("loopback", input_pattern="Keys"), settings)
    assert (1, "no MIDI input matches 'Keys' (available: none); see: improviser ports") == (
        code,
        error["text"],
    )


def test_a_performance_without_priority_gives_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without real-time priority one warning is reported; the summary comes last and the exit code is 0."""
    monkeypatch.setattr(priority, "raise_priority", lambda *_: False)
    monkeypatch.setattr(performance, "load_actor", lambda *_: BarNote())
    code, events = perform(monkeypatch, PORTS, PerformerSettings("x", "m", ENGINE))
    assert (0, ["ready", "warning", "silenced", "summary"]) == (code, [event["event"] for event in events])
    assert "rtprio" in events[1]["text"] or "late" in events[1]["text"]
    assert not events[0]["realtime"]


def test_the_summary_is_told_before_the_ports_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary is written before the ports close, because a MIDI system can take seconds to close them."""
    told_first: list[bool] = []

    def close(_backend: LoopbackBackend) -> None:
        """Wait until the summary is written, then close."""
        stream = sys.stdout
        assert isinstance(stream, io.StringIO)
        wait_for(lambda: '"summary"' in stream.getvalue(), "the summary")
        told_first.append(True)

    monkeypatch.setattr(LoopbackBackend, "close", close)
    monkeypatch.setattr(performance, "load_actor", lambda *_: BarNote())
    code, events = perform(monkeypatch, PORTS, PerformerSettings("x", "m", ENGINE))
    assert (0, [True], "summary") == (code, told_first, events[-1]["event"])
