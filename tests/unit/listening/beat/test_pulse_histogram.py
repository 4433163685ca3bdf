"""Where past onsets lie in the beat."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.beat.beat_grid import OCTAVE_ROWS, PERIODS, PERIODS_S, PHASES, period_row
from improviser.listening.beat.pulse_histogram import CHANNELS, NOW, pulse_histograms

ROW = 30


def test_onsets_a_period_apart_have_the_lag_phase_zero() -> None:
    """If a note begins on each beat, all of the histogram of that period is in its first bin."""
    at_s = np.arange(12) * PERIODS_S[ROW]
    histograms, dense = pulse_histograms(at_s, np.ones(12), np.ones(12))
    assert (PERIODS, PHASES, CHANNELS) == histograms.shape
    assert 0.75 < histograms[ROW, 0, 0] < 1
    assert pytest.approx(0, abs=1e-5) == histograms[ROW, 2 : PHASES - 1, 0].sum()
    assert dense[ROW + OCTAVE_ROWS] > dense[ROW]


def test_a_beat_twice_as_long_has_two_peaks() -> None:
    """Seen from twice the period, the same onsets lie on the beat and half-way."""
    at_s = np.arange(12) * PERIODS_S[ROW]
    histograms, _ = pulse_histograms(at_s, np.ones(12), np.ones(12))
    phases = histograms[ROW + OCTAVE_ROWS, :, 0]
    assert {0, PHASES // 2} == set(np.argsort(phases)[-2:].tolist())


def test_the_first_onset_has_no_past() -> None:
    """Only the channels of the onset that is now are filled at the first one."""
    histograms, _ = pulse_histograms(np.array([3.0]), np.array([0.5]), np.array([0.25]))
    assert [1.0, 0.5, 0.25] == histograms[ROW, 0, -NOW:].tolist()
    assert 0.0 == histograms[..., :-NOW].sum()


def test_a_scaled_performance_is_moved_by_rows() -> None:
    """At half the tempo the histograms are the same, an octave of rows further."""
    at_s = np.cumsum(np.random.default_rng(0).uniform(0.1, 0.6, 30))
    weights = np.random.default_rng(1).random((2, 30))
    fast, slow = (pulse_histograms(at_s * factor, *weights)[0] for factor in (1, 2))
    np.testing.assert_allclose(fast[:-OCTAVE_ROWS], slow[OCTAVE_ROWS:], atol=1e-5)


def test_a_period_has_its_row() -> None:
    """The row of a period of the grid is its index."""
    assert pytest.approx(np.arange(PERIODS)) == period_row(PERIODS_S)
