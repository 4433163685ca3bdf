"""The differences that a replay finds."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.errors import UsageError
from improviser.protocol import Heard, Played, Ready, Silenced, Stepped, Summary
from improviser.session.replay import Replay, replay
from improviser.session.session_log import Session
from tests.performing import ENGINE, BarNote, performer_settings

READY = Ready("jack", {}, "x", 1, 120.0, True, None, "Out", True, ahead_s=0.005)  # noqa: FBT003 - its fields
NOTE = (1.0, True, 0, 60, 80)


def make_engine(ahead_s: float) -> Engine:
    """Return an engine that plays one note a bar."""
    settings = EngineSettings(**ENGINE, temperature=0.0, ahead_s=ahead_s)
    return Engine(settings, BarNote(), np.random.default_rng(0))


def test_the_first_difference_is_told() -> None:
    """The position of the first difference is reported, also where one of the two is shorter."""
    other = (1.0, True, 0, 61, 80)
    assert Replay((NOTE, NOTE), (NOTE, NOTE)).difference is None
    assert 1 == Replay((NOTE, NOTE), (NOTE, other)).difference
    assert 1 == Replay((NOTE, NOTE), (NOTE,)).difference
    assert 0 == Replay((), (NOTE,)).difference


def test_a_note_that_was_played_otherwise_is_found() -> None:
    """A note in the journal that differs from the replayed one is found."""
    steps = [Heard(10.0, 0, 60, 80, "A"), Stepped(0.0), Stepped(10.0), Silenced(10.3, 10.3)]
    steps.append(Summary())
    played = replay(Session(performer_settings(), [READY, *steps]), make_engine).again
    assert [(10.005, True), (10.3, False)] == [note[:2] for note in played]
    wrong = Played(10.0, 10.0, 0, played[0][3] + 1, played[0][4], 0.0, "C", None)
    assert 0 == replay(Session(performer_settings(), [READY, *steps, wrong]), make_engine).difference


def test_a_session_without_steps_cannot_be_replayed() -> None:
    """A session of an earlier version is reported as such, and not as different."""
    session = Session(performer_settings(), [READY, Played(10.0, 10.0, 0, 60, 80, 0.0, "C", None)])
    with pytest.raises(UsageError, match="recorded by a version that kept no steps"):
        replay(session, make_engine)
