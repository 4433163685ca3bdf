"""The learner learns, and learns the same way with the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from improviser.agent.config import DQNConfig, Group, NetworkConfig
from improviser.agent.learner import Learner
from improviser.agent.policy import Weights
from improviser.agent.replay_buffer import ReplayBuffer, Transitions
from tests.tiny_network import SMALL, as_batch, make_batch, make_network, make_observations, make_transitions

# The task: name the note shown among others that have no meaning.
NOTES = 5
TASK = NetworkConfig((Group("shown", 1, NOTES), Group("other", 3, NOTES)), actions=NOTES, hidden=32)
LANES = 16


def test_one_batch_is_learned_by_heart() -> None:
    """Over 200 updates on one batch of final transitions, the loss falls below a tenth."""
    learner = Learner(make_network(), DQNConfig(learning_rate=1e-2))
    rows = make_transitions(SMALL, 32, np.random.default_rng(0))
    rows.terminated[:] = True
    losses = [learner.learn_step(as_batch(rows))[0] for _ in range(200)]
    assert losses[0] / 10 > losses[-1]


def test_a_task_is_learned() -> None:
    """After 200 updates the greedy action names the note in more than 95 of 100 cases."""
    learner = train_on_task(seed=0, updates=200)
    rng = np.random.default_rng(99)
    observations = make_observations(TASK, 1_000, rng)
    actions = learner.select_actions(observations, np.ones((1_000, NOTES), dtype=np.bool_), 0.0, rng)
    assert np.mean(actions == observations[:, 0]) > 0.95


def test_learned_values_are_returns() -> None:
    """A reward of 1 at every step, discounted by a half, is worth 1 + 1/2 + 1/4 + ... = 2."""
    learner = train_on_task(seed=0, updates=400)
    rng = np.random.default_rng(99)
    observations = make_observations(TASK, 200, rng)
    values = learner.q_network(torch.from_numpy(observations)).detach().numpy()
    assert pytest.approx(2, abs=0.15) == values.max(axis=2).mean()


def test_learning_follows_the_seed() -> None:
    """Two runs with the same seed end with identical weights, and another seed with others."""
    first, again, other = (train_on_task(seed, updates=40).publish_weights() for seed in (1, 1, 2))
    assert is_equal(first, again)
    assert not is_equal(first, other)


def test_published_weights_are_a_copy() -> None:
    """Published weights do not change with further learning."""
    learner = train_on_task(seed=0, updates=1)
    published = learner.publish_weights()
    kept = {name: weight.copy() for name, weight in published.items()}
    learner.learn_step(make_batch(TASK, 8, np.random.default_rng(0)))
    assert is_equal(kept, published)
    assert not is_equal(published, learner.publish_weights())


def train_on_task(seed: int, updates: int) -> Learner:
    """Run the five steps of deep Q-learning on the task."""
    config = DQNConfig(gamma=0.5, learning_rate=5e-3, target_update_interval=10, buffer_size=4_000)
    learner = Learner(make_network(TASK, seed), config)
    replay, rng = ReplayBuffer(TASK, config, LANES), np.random.default_rng(seed)
    observation = make_observations(TASK, LANES, rng)
    legal = np.ones((LANES, NOTES), dtype=np.bool_)
    for update in range(updates):
        action = learner.select_actions(observation, legal, config.epsilon(update / updates), rng)
        reward = (action == observation[:, 0]).astype(np.float32)[:, None]
        next_observation = make_observations(TASK, LANES, rng)
        end = np.zeros(LANES, dtype=np.bool_)
        replay.store(Transitions(observation, action, reward, next_observation, end, end, legal))
        learner.learn_step(replay.sample(64, rng))
        observation = next_observation
    return learner


def is_equal(one: Weights, other: Weights) -> bool:
    """Return whether two sets of weights are identical, bit for bit."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
