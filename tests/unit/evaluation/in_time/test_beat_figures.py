"""Scores of the beats that are found."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.config.beat_model import load_beat_weights
from improviser.engine import EngineSettings
from improviser.evaluation.in_time.beat_figures import beat_figures, beat_scores
from improviser.evaluation.in_time.feel_figures import Subject
from tests.actors import Indifferent
from tests.beat_pieces import make_piece

SUBJECT = Subject(EngineSettings(temperature=1.0), Indifferent())
TRUTH = np.arange(24, dtype=np.float64) * 0.6


def test_beats_told_in_time_score_fully() -> None:
    """Beats within 70 ms count from the fifth on; what comes before does not."""
    told = np.concatenate([[0.3, 1.1], TRUTH[4:] + 0.03])
    scores = beat_scores(TRUTH, told)
    assert pytest.approx([1, 1, 1]) == [scores[name] for name in ("f", "cmlt", "amlt")]
    assert pytest.approx(0.6 * 7) == scores["lock_s"]


def test_half_tempo_is_told_apart() -> None:
    """Every other beat scores two thirds, and fully against half the tempo."""
    scores = beat_scores(TRUTH, TRUTH[::2])
    assert pytest.approx(2 / 3, abs=0.02) == scores["f"]
    assert pytest.approx(1) == scores["half_f"]
    assert pytest.approx(2 / 5, abs=0.02) == scores["double_f"]
    assert float("inf") == scores["lock_s"]


def test_nothing_told_scores_nothing() -> None:
    """Without a beat all scores are zero."""
    scores = beat_scores(TRUTH, np.zeros(0))
    assert [0, 0, 0, 0, 0] == [scores[name] for name in ("f", "cmlt", "amlt", "half_f", "double_f")]
    assert float("inf") == scores["lock_s"]


def test_each_kind_of_player_has_its_row() -> None:
    """Only players whose set has pieces are in the table, and done is reported for all."""
    seen: list[tuple[int, int]] = []
    figures = beat_figures([make_piece("openewld")], load_beat_weights(), SUBJECT, 3, lambda *done: seen.append(done))
    assert ["lead sheet"] == list(figures)
    assert 1.0 == figures["lead sheet"]["pieces"]
    assert 0.0 <= figures["lead sheet"]["f"] <= 1.0
    assert seen[-1][0] == seen[-1][1]
