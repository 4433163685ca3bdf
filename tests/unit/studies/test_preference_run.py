"""Simulated listeners with a hidden preference: their presses, the measures, and the whole study."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import pytest

from improviser.engine import EngineSettings
from improviser.engine.preference_features import TUNE_TRAITS
from improviser.studies import preference_run as taste_trial
from improviser.studies import preference_study as taste_study
from improviser.studies.preference_plot import write_preference_curve
from improviser.studies.preference_run import (
    DELAY_S,
    PAUSE_S,
    PreferenceSession,
    PreferenceStep,
    SimulatedListener,
    change_after_presses,
    gain,
    measures,
    usual_scores,
    utility,
)
from improviser.studies.preference_study import PreferenceStudy
from improviser.training.grid import Part
from improviser.training.material import GameSettings, held_out_parts
from tests.actors import random_policy
from tests.tiny_corpus import chorale

SETTINGS = EngineSettings(key="C", tempo_bpm=120.0, temperature=0.3)


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    """Players for the sessions."""
    return held_out_parts([chorale(split="test")], GameSettings("chorale", 4, 48, "melody"))


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the bars that determine what is usual."""
    monkeypatch.setattr(taste_trial, "USUAL_BARS", 4)
    monkeypatch.setattr(taste_trial, "USUAL_SEEDS", 1)


def session(parts: list[Part], seed: int = 0) -> PreferenceSession:
    """A session that has played some bars."""
    played = PreferenceSession(random_policy(4), SETTINGS, parts[0], seed)
    played.play_bars(4)
    return played


def heard(**traits: float) -> PreferenceStep:
    """Return an onset with some features."""
    values = [traits.get(name, 0.0) for name in TUNE_TRAITS.names]
    return PreferenceStep(0.0, is_onset=True, traits=np.array(values, dtype=np.float32))


def kept_presses(played: PreferenceSession) -> list[tuple[float, bool]]:
    """Record presses instead of learning from them; return the list of (time, whether a like)."""
    presses: list[tuple[float, bool]] = []

    def judge(at_s: float, *, liked: bool) -> bool:
        """Record a press."""
        presses.append((at_s, liked))
        return True

    played.engine.preferences.judge = judge  # type: ignore[method-assign] # presses are kept
    return presses


def test_measures_are_shares() -> None:
    """Onsets are a share of all steps, and the other measures a share of all onsets."""
    rest = PreferenceStep(0.0, is_onset=False, traits=np.zeros(len(TUNE_TRAITS.names), dtype=np.float32))
    found = measures([heard(leap=0.5, colour=1.0), heard(high=0.2), heard(high=-0.2, leap=0.1), rest])
    assert {"onset": 0.75, "leap": 1 / 3, "high": 1 / 3, "colour": 1 / 3} == pytest.approx(found)
    assert measures([]) == dict.fromkeys(found, 0.0)
    assert utility([heard(leap=1.0)], {"leap": -1.0}) == -utility([heard(leap=1.0)], {"leap": 1.0}) < 0


def test_a_fork_goes_on_by_its_own_chances(parts: list[Part]) -> None:
    """A fork with the same seed plays the same, another seed differs, and the original session is unchanged."""
    played = session(parts)
    before = len(played.heard)
    one, other, third = played.fork(1), played.fork(1), played.fork(3)
    notes = [[step.traits.tolist() for step in fork.play_bars(2)] for fork in (one, other, third)]
    assert notes[0] == notes[1] != notes[2]
    assert before == len(played.heard)


def test_a_listener_presses_for_what_stands_out(parts: list[Part]) -> None:
    """A listener dislikes much of a measure and likes little of it, late, and not too often."""
    played = session(parts)
    taste = {"onset": -1.0}
    low, high = usual_scores(played, taste)
    assert low < high
    presses = kept_presses(played)
    listener = SimulatedListener(taste, (low, high), np.random.default_rng(0))
    for is_onset in (True, False):
        played.heard = deque([PreferenceStep(played.now_s - 0.5, is_onset, heard().traits)] * 16)
        listener.listen(played)
        played.step_number += round(PAUSE_S / 0.125) + 1
    listener.listen(played)
    assert [False, True] == [liked for _, liked in presses]
    assert presses[1][0] - presses[0][0] > PAUSE_S - DELAY_S[1]
    assert 2 == listener.presses


def test_some_presses_are_wrong(parts: list[Part]) -> None:
    """The requested share of presses is wrong."""
    played = session(parts)
    listener = SimulatedListener({"onset": 1.0}, (-1.0, 0.0), np.random.default_rng(0), errors=1.0)
    presses = kept_presses(played)
    for _ in range(200):
        played.play()
        listener.listen(played)
    assert presses
    assert not any(liked for _, liked in presses)


def test_a_taste_gains(parts: list[Part]) -> None:
    """The oracle gains, and a session that has learned nothing gains nothing."""
    without, learned, oracle = gain(session(parts), {"onset": -1.0}, 2, range(2))
    assert without == learned
    assert learned.utility < oracle.utility
    assert all(-1 <= outcome.reward <= 1 for outcome in (without, learned, oracle))


def test_dislikes_change_what_they_are_about(parts: list[Part]) -> None:
    """Dislikes give a relative change of their measure."""
    change = change_after_presses(session(parts), "onset", np.random.default_rng(1), seeds=4)
    assert change is not None
    assert change < 0


def test_nothing_to_dislike_is_none(parts: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an occasion to press within the time the result is None."""
    monkeypatch.setattr(taste_trial, "LONGEST_S", 0.5)
    assert change_after_presses(session(parts), "leap", np.random.default_rng(0)) is None


def test_a_study_has_all_rows(parts: list[Part], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A study has each measure and each point of the curve in order, and can be drawn."""
    monkeypatch.setattr(taste_study, "ERRORS", (0.0, 0.3))
    monkeypatch.setattr(taste_study, "MARKS", (1, 2))
    monkeypatch.setattr(taste_study, "PATIENCE_S", 30.0)
    reports: list[int] = []
    study = PreferenceStudy(random_policy(1), SETTINGS, parts, 1)
    changes = study.changes(lambda: reports.append(1))
    curve = study.curve(lambda: reports.append(1))
    assert ["leap", "onset", "high", "colour"] == [change.measure for change in changes]
    assert all(-1 <= change.mean and 0 <= change.moved <= 1 for change in changes if change.trials)
    assert [(0.0, 1), (0.0, 2), (0.3, 1), (0.3, 2)] == [(point.errors, point.presses) for point in curve]
    assert study.count == len(reports)
    assert write_preference_curve(curve, tmp_path).read_bytes().startswith(b"\x89PNG")
