"""What is learned from a performance."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.beat.bar_network import BAR_SHAPES
from improviser.listening.beat.beat_grid import PERIODS, PHASES, PLACES, period_row
from improviser.listening.beat.onset_features import FEATURES
from improviser.training.beat.beat_example import (
    SEQUENCE_ONSETS,
    bar_examples,
    pulse_examples,
    sequence_example,
    true_beat,
)
from improviser.training.beat.performance import PLAIN, play_piece
from tests.beat_pieces import make_piece


def test_the_truth_of_an_onset_is_its_period_and_phase() -> None:
    """A moment a quarter of the way between two beats has that phase; beyond the last beat nothing is known."""
    beats_s = np.arange(10, dtype=np.float64) * 0.6
    period, phase, is_known = true_beat(beats_s, np.array([1.2, 1.35, 7.0, -1.0]))
    assert pytest.approx(float(period_row(0.6))) == period[1]
    assert pytest.approx(0.25 * PHASES) == phase[1]
    assert [True, True, False, False] == is_known.tolist()


def test_onsets_of_a_performance_become_examples() -> None:
    """Each example has histograms and the true beat on the grid."""
    rng = np.random.default_rng(0)
    played = play_piece(make_piece(), (0, 1), PLAIN, rng)
    found = list(pulse_examples(played, rng))
    assert found
    assert {(PERIODS, PHASES)} == {example.histograms.shape[:2] for example in found}
    assert all(example.period == pytest.approx(float(period_row(0.6))) for example in found)


def test_beats_of_a_performance_become_examples() -> None:
    """In 4/4 the places go round in fours; a beat counted wrongly breaks the row."""
    rng = np.random.default_rng(0)
    played = play_piece(make_piece(), (0, 1), PLAIN, rng)
    found = [one for one in (bar_examples(played, rng) for _ in range(30)) if one is not None]
    assert {BAR_SHAPES["bar.hidden.weight"][1]} == {one.rows.shape[1] for one in found}
    fours = {PLACES.index((4, place)) for place in range(4)}
    assert fours == {place for one in found for place in one.place.tolist() if place >= 0}
    steps = [set((np.diff(one.place) % 4).tolist()) for one in found if (one.place >= 0).all()]
    assert {1} in steps
    assert any(one.place.min() < 0 for one in found)


def test_onsets_of_a_performance_become_a_sequence() -> None:
    """All onsets have features and the true beat, from the fifth one on; what lies beyond the last one is unknown."""
    rng = np.random.default_rng(0)
    played = play_piece(make_piece(), (0, 1), PLAIN, rng)
    found = next(one for one in (sequence_example(played, rng) for _ in range(9)) if one is not None)
    known = found.known > 0
    assert (SEQUENCE_ONSETS, FEATURES) == found.features.shape
    assert not known[:4].any()
    assert known[4:].any()
    assert found.period[known] == pytest.approx(float(period_row(0.6)), abs=1e-3)
    assert not found.features[~known][4:].any()


def test_jazz_says_nothing_of_thirds() -> None:
    """The annotation of solos does not tell straight from swung beats."""
    rng = np.random.default_rng(0)
    played = play_piece(make_piece("weimar", ("solo", "bass")), (0, 1), PLAIN, rng)
    found = next(one for one in (bar_examples(played, rng) for _ in range(9)) if one is not None)
    assert {-1} == set(found.thirds.tolist())


def test_too_little_gives_no_examples() -> None:
    """A performance of few notes teaches nothing."""
    rng = np.random.default_rng(0)
    played = play_piece(make_piece(), (), PLAIN, rng)
    assert [] == list(pulse_examples(played, rng))
    assert bar_examples(played, rng) is None
    assert sequence_example(played, rng) is None
