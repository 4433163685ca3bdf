"""The learner's process as a jam sees it: whatever becomes of it, the music is not told to wait."""

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
ADOPT = Adopt(1, "/tmp/1.safetensors", "digest", "model")  # noqa: S108 - no file


class Jam(Supervisor):
    """Keeps what a supervisor would hand on."""

    def __init__(self) -> None:
        """Start nothing."""
        self.told: list[object] = []
        self.inserted: list[Event] = []

    def send(self, command: object) -> None:
        """Keep a command."""
        self.told.append(command)

    def insert(self, event: Event) -> None:
        """Keep an event."""
        self.inserted.append(event)


Start = Callable[[str], tuple[Jam, LearnerClient]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """Start a learner that is a script; its lines are `lines`, it says by `say`."""

    def started(script: str) -> tuple[Jam, LearnerClient]:
        """Start it."""
        head = "import sys, os, time\nlines = sys.stdin\nsay = lambda line: print(line, flush=True)\n"
        monkeypatch.setattr(learning, "COMMAND", (sys.executable, "-c", head + script))
        jam = Jam()
        return jam, LearnerClient(jam, SETTINGS, WeightMailbox.make(), tmp_path)

    return started


def test_what_it_offers_and_says_is_handed_on(start: Start) -> None:
    """Offers to the performer, words among the events; noise is passed over."""
    values = ADOPT, LEARNED, Notice("it learns")
    lines = "\n".join(f"say({value_to_line(value).strip()!r})" for value in values)
    jam, process = start(f"say('noise'); say('{{\"event\": \"stop\"}}')\n{lines}\nlines.read()")
    with process:
        wait_for(lambda: len(jam.inserted) == 2, "words")
    assert ([ADOPT], [LEARNED, Notice("it learns")]) == (jam.told, jam.inserted)


def test_it_is_told_what_the_engine_was_told(start: Start) -> None:
    """Where to put what it learns and what is played by first; not what the improviser says itself."""
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
    """With its last words, or how it ended; what happens later is not for it."""
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
    """Its pulse stands still for too long; one whose pulse goes on is left alone."""
    monkeypatch.setattr(learning, "STILL_S", 0.3)
    monkeypatch.setattr(learning, "_LOOK_EVERY_S", 0.02)
    jam, process = start("time.sleep(60)")
    with process:
        wait_for(lambda: jam.inserted, "a warning")
    assert "it has not answered" in getattr(jam.inserted[0], "text", "")
    jam, process = start("time.sleep(60)")
    exchange = process._mailbox  # noqa: SLF001 - beats in its stead
    beats = 0

    def beat() -> bool:
        """Beat on."""
        nonlocal beats
        exchange.beat()
        beats += 1
        return beats > 60

    with process:
        wait_for(beat, "some beats")
        assert [] == jam.inserted


def test_nothing_is_left_behind(start: Start) -> None:
    """The process is gone; the memory is removed by whoever made it. One may have ended by itself."""
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
    """And one whose memory is gone."""
    monkeypatch.setattr(learner, "_give_way", lambda: None)
    for told in ("", value_to_line(SETTINGS) * 2):
        monkeypatch.setattr(sys, "stdin", io.StringIO(told))
        assert 1 == learner.main()
    lines = value_to_line(LearnerSettings("/nowhere", "/nowhere")) + value_to_line(SETTINGS)
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert 1 == learner.main()
    assert "cannot open shared memory" in capsys.readouterr().err


def test_a_stopped_one_is_no_matter(start: Start) -> None:
    """What is told to it waits in a queue; nobody waits for it."""
    _, process = start("lines.read()")
    with process:
        os.kill(process._process.pid, signal.SIGSTOP)  # noqa: SLF001
        for _ in range(20_000):
            process.forward(Stepped(0.0))
