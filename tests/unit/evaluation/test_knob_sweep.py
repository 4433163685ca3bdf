"""The effect of each knob, measured on invented players."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from improviser.agent.policy import Values
from improviser.engine.decision_values import DecisionValues
from improviser.engine.role import COMPING
from improviser.evaluation.baselines import Conditions
from improviser.evaluation.estimate import Estimate
from improviser.evaluation.evaluate import Plan
from improviser.evaluation.knob_sweep import MEASURES, SETTINGS, Sweep, sweep
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION
from improviser.training.env import RewardWeights
from improviser.training.grid import DUETS, chorale_parts, comping_parts
from tests.tiny_corpus import chorale

KNOBS = DecisionValues(temperature=0.3, prior_weight=0.0)


@dataclass(frozen=True)
class Undecided:
    """An actor that values an onset as much as a hold, so that only density decides."""

    actions: int = ACTION_COUNT

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the same value for one onset and for hold, and 0 for the others."""
        del observation
        log_prior = np.full(self.actions, -9.0, dtype=np.float32)
        q_values = np.full((3, self.actions), -9.0, dtype=np.float32)
        q_values[:, [HOLD_ACTION, FIRST_ONSET + 12]] = 0.0
        return log_prior, q_values


def test_density_moves_the_onsets() -> None:
    """Each knob is turned through all settings; with density the onsets rise from setting to setting."""
    parts = list(chorale_parts([chorale(bars=4)], "chorale", 4, casts=(DUETS[0], DUETS[3])))
    plan = Plan(parts, parts, Conditions(KNOBS, RewardWeights()), 0, "x")
    told: list[tuple[int, int]] = []
    sweeps = {one.knob: one for one in sweep(Undecided(), plan, lambda *done: told.append(done))}
    assert list(MEASURES) == list(sweeps)
    assert {len(SETTINGS)} == {len(one.values) for one in sweeps.values()}
    assert (len(MEASURES) * len(SETTINGS),) * 2 == told[-1]
    assert sweeps["density"].is_monotonic
    least, most = (sweeps["density"].values[place].mean for place in (0, -1))
    assert 2 * least < most


def test_chords_have_a_measure_of_harmony_of_their_own() -> None:
    """For chords harmony is measured by the chords that hold the player's note; density also changes chords."""
    parts = list(comping_parts([chorale(bars=4)], "chorale", 4, 48, ((0,), (1,))))
    plan = Plan(parts, parts, Conditions(KNOBS, RewardWeights()), 0, "x")
    sweeps = {one.knob: one for one in sweep(Undecided(COMPING.action_count), plan, lambda *_: None)}
    assert "note in chord %" == sweeps["harmony"].measure
    assert sweeps["density"].is_monotonic


@pytest.mark.parametrize(
    ("means", "share", "is_kept"),
    [([1, 2, 3, 4, 5], 0.4, True), ([1, 2, 2, 4, 5], 0.4, False), ([1, 1.1, 1.2, 1.3, 1.4], 0.04, False)],
)
def test_what_a_knob_shall_do(means: list[float], share: float, *, is_kept: bool) -> None:
    """A knob must rise from setting to setting, and in all by 30 % of the gap between people and random notes."""
    one = Sweep("k", "m", tuple(Estimate(mean, mean, mean) for mean in means), human=20.0, random=10.0)
    assert pytest.approx(share) == one.share
    assert is_kept == one.is_kept
