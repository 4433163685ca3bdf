"""Q-learning without replay and target network: its returns, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from improviser.agent.config import DQNConfig
from improviser.agent.network import Network
from improviser.engine.role import MELODY
from improviser.training.budget import TransitionBudget
from improviser.training.env import Game, RewardWeights, network_config
from improviser.training.features import player_table
from improviser.training.material import GameSettings, game_parts
from improviser.training.pqn import LAMBDA, STEPS, lambda_returns, learn_pqn
from tests.tiny_corpus import tiny_corpus


def test_returns_are_those_worked_by_hand() -> None:
    """The last return has one step, the one before mixes one step and two; after a cut it begins anew."""
    rewards, following = np.array([[1.0], [2.0], [3.0]]), np.array([[10.0], [20.0], [30.0]])
    last = 3 + 0.5 * 30
    middle = 2 + 0.5 * (LAMBDA * last + (1 - LAMBDA) * 20)
    first = 1 + 0.5 * (LAMBDA * middle + (1 - LAMBDA) * 10)
    found = lambda_returns(rewards, following, np.array([False, False, False]), 0.5)
    assert pytest.approx([first, middle, last]) == found[:, 0].tolist()
    cut = lambda_returns(rewards, following, np.array([False, True, False]), 0.5)
    assert pytest.approx(2 + 0.5 * 20) == cut[1, 0]


def test_it_learns_and_repeats() -> None:
    """Some rounds raise the reward of the games; the same seed gives the same network."""
    torch.set_num_threads(1)
    parts = game_parts([piece for piece in tiny_corpus() if piece.split == "train"], GameSettings("chorale"))
    config = DQNConfig(layer_norm=True, gamma=0.5, epsilon_start=0.3)
    weights = RewardWeights(1.0, 0.0, 0.0).to_array()
    shapes, gained = [], []
    for _ in range(2):
        rng = np.random.default_rng(0)
        game = Game(parts, player_table(parts), 16, rng)
        game.reset()
        shape = network_config(MELODY)
        network = Network(
            type(shape)(shape.groups, shape.actions, 64, layer_norm=True), torch.Generator().manual_seed(0)
        )
        rewards = []
        for _ in range(2):
            budget = TransitionBudget(8 * 16 * STEPS)
            sampled, updates = learn_pqn(network, game, config, weights, rng, budget)
            assert 8 * 16 * STEPS == sampled
            assert updates > 0
            rewards.append(_greedy_reward(network, parts, weights))
        shapes.append(network.to_weights())
        gained.append(rewards)
    assert gained[0] == gained[1]
    for name, array in shapes[0].items():
        np.testing.assert_array_equal(array, shapes[1][name])
    assert gained[0][1] > 0.1


def _greedy_reward(network: Network, parts: list, weights: np.ndarray) -> float:  # type: ignore[type-arg]
    """Return the mean reward of an episode that is played greedily."""
    game = Game(parts, player_table(parts), 16, np.random.default_rng(1))
    game.reset()
    total, over = 0.0, False
    while not over:
        with torch.no_grad():
            values = network(torch.from_numpy(game.observation))[:, 0].numpy()
        _, reward, over = game.step(np.where(game.legal, values, -np.inf).argmax(axis=1))
        total += float((reward @ weights).mean())
    return total / game.episode_steps
