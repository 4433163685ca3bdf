"""The epsilon-greedy sampling of the learner."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from improviser.agent.config import DQNConfig
from improviser.agent.learner import Learner
from tests.tiny_network import SMALL, make_network, make_observations

LANES = 20_000


@pytest.mark.parametrize(("progress", "expected"), [(0, 0.5), (0.1, 0.4), (0.2, 0.3), (0.4, 0.1), (0.7, 0.1), (1, 0.1)])
def test_epsilon_schedule(progress: float, expected: float) -> None:
    """Epsilon falls linearly over a fraction of the training, then stays constant."""
    config = DQNConfig(epsilon_start=0.5, epsilon_end=0.1, exploration_fraction=0.4)
    assert pytest.approx(expected) == config.epsilon(progress)


def test_random_actions_are_uniform_over_the_legal_ones() -> None:
    """At epsilon 1 each of three legal actions is chosen in a third of the lanes, and no other action ever."""
    legal = np.tile(np.array([True, False, True, True, False]), (LANES, 1))
    actions = _select(legal, epsilon=1.0)
    counts = np.bincount(actions, minlength=SMALL.actions)
    assert [0, 0] == counts[[1, 4]].tolist()
    # Four standard deviations of a share of 1/3.
    np.testing.assert_allclose(counts[[0, 2, 3]] / LANES, 1 / 3, atol=4 * (2 / 9 / LANES) ** 0.5)


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_actions_are_legal(epsilon: float) -> None:
    """Only legal actions are chosen at any epsilon, even if there is only one."""
    rng = np.random.default_rng(1)
    legal = rng.random((2_000, SMALL.actions)) < 0.3
    legal[np.arange(2_000), rng.integers(SMALL.actions, size=2_000)] = True
    actions = _select(legal, epsilon)
    assert legal[np.arange(2_000), actions].all()


def test_greedy_actions_are_the_best_legal_ones() -> None:
    """At epsilon 0 each lane chooses the legal action with the highest Q-value."""
    learner = Learner(make_network(), DQNConfig())
    rng = np.random.default_rng(0)
    observations = make_observations(SMALL, 200, rng)
    legal = rng.random((200, SMALL.actions)) < 0.7
    legal[:, 0] = True
    q_values = learner.q_network(torch.from_numpy(observations))[:, 0].detach().numpy()
    expected = [
        max((q, action) for action, q in enumerate(row) if legal[lane, action])[1] for lane, row in enumerate(q_values)
    ]
    assert expected == learner.select_actions(observations, legal, 0.0, rng).tolist()


def test_epsilon_is_the_share_of_random_actions() -> None:
    """With epsilon 0.4 and five legal actions, 0.4 x 4/5 of the lanes deviate from the best action."""
    legal = np.ones((LANES, SMALL.actions), dtype=np.bool_)
    best, mixed = _select(legal, 0.0), _select(legal, 0.4)
    assert pytest.approx(0.32, abs=4 * (0.32 * 0.68 / LANES) ** 0.5) == np.mean(best != mixed)


def _select(legal: npt.NDArray[np.bool_], epsilon: float) -> npt.NDArray[np.int64]:
    """Return a learner's actions in as many lanes as `legal` has rows, each for a random observation."""
    rng = np.random.default_rng(0)
    learner = Learner(make_network(), DQNConfig())
    return learner.select_actions(make_observations(SMALL, len(legal), rng), legal, epsilon, rng)
