"""A jam with online training over JACK: a real learner process and real ports, on a corpus of a few bars."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from improviser.config.resources import CACHE_DIR_VARIABLE
from tests.cli.corpus import write_tiny_corpus
from tests.live import Command, Partner, Run, wait_for

pytestmark = pytest.mark.jack
# A bar of four beats lasts 0.7 s; an acceptance test runs every eight bars.
TEMPO, BEAT_S = "340", 60 / 340


@pytest.fixture(autouse=True)
def small_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus of the acceptance tests."""
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path / "cache"))
    write_tiny_corpus(tmp_path / "cache")


def learning_jam(run: Run, partner: Partner) -> Command:
    """Start a jam with online training, and connect to it."""
    learns = "--learn", "--preset", "fiddle", "--tempo", TEMPO, "--seed", "5"
    jam = run("jam", "--json", "--in", "Improviser In", *learns)
    jam.wait_until_told("ready")
    partner.connect()
    return jam


def learner_of(jam: Command) -> int:
    """Return the id of the learner process."""
    pid = jam.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    for child in children:
        if b"improviser.app.learner_process" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError(children)


def play_until(partner: Partner, condition: Any, what: str) -> None:  # noqa: ANN401 - any condition
    """Play until a condition holds."""
    for _ in range(80):
        partner.play([48, 55, 60, 55] * 4, beat_s=BEAT_S)
        if condition():
            return
    pytest.fail(f"waited in vain for: {what}")


def test_a_jam_that_learns_is_replayed(run: Run, partner: Partner, tmp_path: Path) -> None:
    """Each acceptance test is reported, accepted weights are used and saved, and the session replays identically."""
    jam = learning_jam(run, partner)
    play_until(partner, lambda: jam.told("learned"), "a judgement")
    assert jam.told("learned")[0]["lived"] > 100
    jam.process.send_signal(signal.SIGTERM)
    code, error = jam.end()
    assert (0, "") == (code, error)
    learned = jam.told("learned")
    assert [256 * number for number in range(1, len(learned) + 1)] == [one["updates"] for one in learned]
    adopted, (summary,) = jam.told("adopted"), jam.told("summary")
    assert (0, 0) == (summary["stuck_notes"], summary["late_decisions"])
    accepted = [one["number"] for one in learned if one["accepted"]]
    assert [one["number"] for one in adopted] in (
        accepted,
        accepted[:-1],
    )  # the bar of the last ones may not have come
    assert [] == [one["path"] for one in adopted if not Path(one["path"]).is_file()]
    (session,) = (tmp_path / "state" / "sessions").glob("*.session.jsonl")
    again = run("replay", str(session), "--json")
    assert 0 == again.end()[0]
    assert again.told("replayed")[0]["identical"]
    assert set() == partner.sounding


def test_without_its_learner_the_music_goes_on(run: Run, partner: Partner) -> None:
    """The jam plays on after its learner is stopped and then killed; it reports that, and no note hangs."""
    jam = learning_jam(run, partner)
    partner.play([60, 64, 67, 72] * 4, beat_s=BEAT_S)
    learner, before = learner_of(jam), len(partner.ons)
    os.kill(learner, signal.SIGSTOP)
    partner.play([60, 64, 67, 72] * 2, beat_s=BEAT_S)
    os.kill(learner, signal.SIGKILL)
    partner.play([60, 64, 67, 72] * 2, beat_s=BEAT_S)
    wait_for(lambda: jam.told("warning"), "a warning")
    assert "background learning stopped" in jam.told("warning")[-1]["text"]
    assert len(partner.ons) > before
    jam.process.send_signal(signal.SIGTERM)
    code, error = jam.end()
    assert (0, "") == (code, error)
    (summary,) = jam.told("summary")
    assert (0, 0) == (summary["stuck_notes"], summary["late_decisions"])
    assert set() == partner.sounding
