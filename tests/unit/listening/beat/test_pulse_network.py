"""The network that judges period and phase."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.beat.beat_grid import OCTAVE_ROWS, PERIODS, PHASES
from improviser.listening.beat.pulse_histogram import CHANNELS
from improviser.listening.beat.pulse_network import RELATED, WEIGHT_SHAPES, PulseNetwork, related_rows


def random_weights(seed: int = 0) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Return weights of the right shapes."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) / 4 for name, shape in WEIGHT_SHAPES.items()}


def random_histograms(seed: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return histograms of the right shape."""
    return np.random.default_rng(seed).random((PERIODS, PHASES, CHANNELS)).astype(np.float32)


def test_the_judgement_is_a_distribution() -> None:
    """The probabilities of all periods and phases add up to one."""
    found = PulseNetwork(random_weights()).judge(random_histograms(), np.zeros(PERIODS, dtype=np.float32))
    assert (PERIODS, PHASES) == found.shape
    assert pytest.approx(1, abs=1e-4) == np.exp(found).sum()


def test_rotated_histograms_rotate_the_judgement() -> None:
    """What lies two columns later is judged alike, two columns later; longer and shorter beats see it too."""
    weights = random_weights()
    weights["cell.weight"][:, WEIGHT_SHAPES["cell.weight"][1] // 3 :] = 0
    network, dense = PulseNetwork(weights), np.zeros(PERIODS, dtype=np.float32)
    plain = network.judge(random_histograms(), dense)
    turned = network.judge(np.roll(random_histograms(), 2, axis=1), dense)
    np.testing.assert_allclose(np.roll(plain, 2, axis=1), turned, atol=1e-4)


def test_each_row_is_compared_with_its_octave() -> None:
    """The rows in comparison are an octave away; outside of the grid there is none."""
    rows = related_rows()
    octave = rows[RELATED.index(OCTAVE_ROWS)]
    assert (OCTAVE_ROWS, PERIODS) == (octave[0], octave[-1])
