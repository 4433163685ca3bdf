"""The learner process as a jam sees it: whatever happens to it, the music never waits."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.app import learner_process as learner
from improviser.ipc.weight_mailbox import WeightMailbox
from improviser.online import learner_client as learning
from improviser.online.learner_client import LearnerClient
from improviser.protocol import (
    Adopt,
    Event,
    Heard,
    Learned,
    LearnerSettings,
    Notice,
    PerformerSettings,
    Played,
    Stepped,
    Warned,
    value_to_line,
)
from improviser.supervisor.supervisor import Supervisor
from tests.live import wait_for

SETTINGS = PerformerSettings(preset="test", model="none", engine={})
LEARNED = Learned(256, 128, 0.4, accepted=True, number=1, words="better", kept=1, gain=0.03, drift=0)
ADOPT = Adopt(1, "/tmp/1.safetensors", "digest", "model")  # noqa: S108 - no file is used


class Jam(Supervisor):
    """Records what a supervisor would pass on."""

    def __init__(self) -> None:
        """Start with no commands and no events."""
        self.told: list[object] = []
        self.inserted: list[Event] = []

    def send(self, command: object) -> None:
        """Record a command."""
        self.told.append(command)

    def insert(self, event: Event) -> None:
        """Record an event."""
        self.inserted.append(event)


Start = Callable[[str], tuple[Jam, LearnerClient]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """Start a learner that is a script; it reads input with `lines` and writes with `say`."""

    def started(script: str) -> tuple[Jam, LearnerClient]:
        """Start the script."""
        head = "import sys, os, time\nlines = sys.stdin\nsay = lambda line: print(line, flush=True)\n"
        monkeypatch.setattr(learning, "COMMAND", (sys.executable, "-c", head + script))
        jam = Jam()
        return jam, LearnerClient(jam, SETTINGS, WeightMailbox.make(), tmp_path)

    return started


def test_what_it_offers_and_says_is_handed_on(start: Start) -> None:
    """Offers go to the performer, events to the journal, and other output is ignored."""
    values = ADOPT, LEARNED, Notice("it learns")
    lines = "\n".join(f"say({value_to_line(value).strip()!r})" for value in values)
    jam, process = start(f"say('noise'); say('{{\"event\": \"stop\"}}')\n{lines}\nlines.read()")
    with process:
        wait_for(lambda: len(jam.inserted) == 2, "words")
    assert ([ADOPT], [LEARNED, Notice("it learns")]) == (jam.told, jam.inserted)


def test_it_is_told_what_the_engine_was_told(start: Start) -> None:
    """The learner receives its folder and the present weights first, then the engine's input, not its output."""
    jam, process = start(
        """for line in lines:
    say('{"event": "notice", "text": "%s"}' % line.split('"')[3])"""
    )
    with process:
        for event in (
            Heard(0.0, 0, 60, 80, "Keys"),
            Played(0.0, 0.0, 0, 60, 80, 0.0, "C major", None),
            Notice("no matter"),
            LEARNED,
            Stepped(0.0),
        ):
            process.forward(event)
        wait_for(lambda: len(jam.inserted) == 4, "what was told")
    assert [*map(Notice, ("learner", "settings", "heard", "step"))] == jam.inserted


def test_one_that_dies_is_told_of_once(start: Start) -> None:
    """A learner that dies is reported once, with its last words or its exit; later input is dropped."""
    jam, process = start("print('Oops\\nNo memory\\n', file=sys.stderr); sys.exit(3)")
    with process:
        wait_for(lambda: jam.inserted, "a warning")
        process.forward(Stepped(0.0))
    (warned,) = jam.inserted
    assert Warned("background learning stopped: No memory. The jam goes on") == warned
    jam, process = start("lines.readline(); os.kill(os.getpid(), 9)")
    with process:
        wait_for(lambda: jam.inserted, "a warning")
    assert "code -9" in getattr(jam.inserted[0], "text", "")


def test_one_that_hangs_is_killed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner without a heartbeat is killed; one with a heartbeat is left alone."""
    monkeypatch.setattr(learning, "STILL_S", 0.3)
    monkeypatch.setattr(learning, "_LOOK_EVERY_S", 0.02)
    jam, process = start("time.sleep(60)")
    with process:
        wait_for(lambda: jam.inserted, "a warning")
    assert "it has not answered" in getattr(jam.inserted[0], "text", "")
    jam, process = start("time.sleep(60)")
    exchange = process._mailbox  # noqa: SLF001 - sends the heartbeat instead of the learner
    beats = 0

    def beat() -> bool:
        """Send another heartbeat."""
        nonlocal beats
        exchange.beat()
        beats += 1
        return beats > 60

    with process:
        wait_for(beat, "some beats")
        assert [] == jam.inserted


def test_nothing_is_left_behind(start: Start) -> None:
    """The process ends, and the mailbox is removed by its creator, also if the process ended by itself."""
    jam, process = start("lines.read()")
    with process:
        pid, path = process._process.pid, process._mailbox.path  # noqa: SLF001
        assert path.exists()
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    path.unlink()
    assert [] == jam.inserted
    jam, process = start("")
    with process:
        wait_for(lambda: jam.inserted, "a warning")


def test_a_learner_without_settings_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A learner without settings, or without its mailbox, reports an error."""
    monkeypatch.setattr(learner, "_give_way", lambda: None)
    for told in ("", value_to_line(SETTINGS) * 2):
        monkeypatch.setattr(sys, "stdin", io.StringIO(told))
        assert 1 == learner.main()
    lines = value_to_line(LearnerSettings("/nowhere", "/nowhere")) + value_to_line(SETTINGS)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert 1 == learner.main()
    assert "cannot open shared memory" in capsys.readouterr().err


def test_a_stopped_one_is_no_matter(start: Start) -> None:
    """Input for a stopped learner waits in a queue, and nothing blocks."""
    _, process = start("lines.read()")
    with process:
        os.kill(process._process.pid, signal.SIGSTOP)  # noqa: SLF001
        for _ in range(20_000):
            process.forward(Stepped(0.0))
