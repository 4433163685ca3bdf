"""The speed of training and decisions; deselected by default, run with `-m benchmark`."""

from __future__ import annotations

import time

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

from improviser.agent.config import DQNConfig
from improviser.agent.learner import Learner
from improviser.agent.policy import Choice, Policy, select_action
from improviser.engine.decision_values import DecisionValues
from improviser.playing.actions import ACTION_COUNT
from improviser.training.env import NETWORK, Game, playable
from improviser.training.features import player_table
from improviser.training.grid import chorale_parts, tune_parts
from tests.tiny_corpus import chorale, tune
from tests.tiny_network import make_batch, make_network, make_observations, make_weights

LANES = 64
STEPS = 512


def test_decision(benchmark: BenchmarkFixture) -> None:
    """Measure a decision from the observation: both networks in numpy, the softmax, the draw."""
    policy = Policy(NETWORK, make_weights(NETWORK, 0), make_weights(NETWORK, 1))
    rng = np.random.default_rng(0)
    observation = make_observations(NETWORK, 1, rng)[0]
    legal, mix = np.ones(ACTION_COUNT, dtype=np.bool_), DecisionValues().to_mix()

    def decide() -> Choice:
        """Decide once."""
        return select_action(policy.values(observation), legal, rng, mix)

    assert legal[benchmark(decide).action]


def test_game_steps(benchmark: BenchmarkFixture) -> None:
    """Measure steps of 64 parallel environments without a learner; extra_info has their steps per CPU second."""
    parts = playable(
        [
            *chorale_parts([chorale(bars=12), chorale(bars=9)], "chorale", 4),
            *tune_parts([tune(bars=10)], "fiddle", 4, 60),
        ]
    )
    rng = np.random.default_rng(0)
    game = Game(parts, player_table(parts), LANES, rng)
    game.reset()
    actions = rng.integers(1, ACTION_COUNT, size=(STEPS, LANES))
    spent_s: list[float] = []

    def play() -> None:
        """Play some episodes."""
        start_s = time.process_time()
        for chosen in actions:
            if game.step(chosen)[2]:
                game.reset()
        spent_s.append(time.process_time() - start_s)

    benchmark(play)
    benchmark.extra_info["steps per CPU second"] = round(STEPS * LANES / min(spent_s))


def test_learn_step(benchmark: BenchmarkFixture) -> None:
    """Measure one update of the network on a batch of the usual size."""
    config = DQNConfig()
    learner = Learner(make_network(NETWORK), config)
    batch = make_batch(NETWORK, config.batch_size, np.random.default_rng(0))
    assert np.isfinite(benchmark(learner.learn_step, batch)[0])
