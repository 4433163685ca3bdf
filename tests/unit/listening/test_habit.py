"""The player's habitual offset from the grid."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.habit import LIMIT_STEPS, Habit


def habit(offsets: list[float], steps: int = 1) -> float:
    """Return the habit after onsets at these offsets, one every so many steps."""
    learned = Habit()
    for count, offset in enumerate(offsets):
        learned.add_onset(count * steps + offset, 4)
    return learned.steps


@pytest.mark.parametrize("offset", [-0.2, 0.1, 0.3, 0.45])
def test_a_constant_offset_is_learned(offset: float) -> None:
    """After a bar or two of eighths, the offset is known to a hundredth of a step or two."""
    assert offset == pytest.approx(habit([offset] * 24, 2), abs=0.03)


def test_a_player_on_the_grid_has_none() -> None:
    """Exact onsets, and hardly noticeable offsets, are no habit; neither is a single late note."""
    assert 0.0 == habit([])
    assert 0.0 == habit([0.0] * 20)
    assert 0.0 == habit([0.02, -0.03] * 20)
    assert abs(habit([0.0] * 20 + [0.4])) < 0.05


def test_with_jitter_the_mean_is_learned() -> None:
    """With 20 ms of jitter beside sixteenths of 125 ms, an offset of 30 ms is found within 8 ms."""
    rng = np.random.default_rng(0)
    found = [habit([0.24 + float(each) for each in rng.normal(0, 0.16, 64)]) for _ in range(20)]
    assert 0.24 == pytest.approx(np.mean(found), abs=0.03)
    assert np.std(found) < 0.07


def test_scattered_onsets_are_no_habit() -> None:
    """Onsets that are spread over the whole step have no mean."""
    assert 0.0 == habit([float(each) for each in np.linspace(0, 1, 40)])


def test_swing_is_no_habit() -> None:
    """With offbeats a third of a step early, as in triplet swing, the offset is nearly none."""
    assert abs(habit([0.0, -1 / 3] * 24, 2)) < 0.1


def test_the_limit_is_just_before_the_middle() -> None:
    """An offset of more than half a step is taken as the limit; a quarter early is the earliest."""
    assert LIMIT_STEPS == habit([0.6] * 24)
    assert habit([0.8] * 24) < 0


def test_a_chord_counts_once() -> None:
    """Notes struck together count as one onset."""
    alone, together = Habit(), Habit()
    for beat in range(6):
        alone.add_onset(4 * beat + 0.2, 4)
        for _ in range(5):
            together.add_onset(4 * beat + 0.2, 4)
    assert alone.steps == together.steps
