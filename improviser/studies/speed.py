"""How fast this machine simulates and learns, with players that walk at random."""

from __future__ import annotations

import statistics
import time
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from improviser.agent.config import DQNConfig
from improviser.agent.learner import Learner
from improviser.agent.network import Network
from improviser.agent.replay_buffer import ReplayBuffer
from improviser.listening.line import HOLD, NONE
from improviser.playing.actions import ACTION_COUNT
from improviser.training.env import NETWORK, Game, RewardWeights
from improviser.training.features import player_table
from improviser.training.grid import Part, in_known_key, sounding
from improviser.training.train import sample, update

LANES: Final = 64
GAMES: Final = 21
GAME_STEPS: Final = 512
ADDITIONS: Final = 20_000
LEARNING_STEPS: Final = 150
WARM_UP_STEPS: Final = 20


def measure_env() -> tuple[float, float, float]:
    """Return the environment's steps per CPU second, over LANES lanes, without a learner.

    Returns:
        The best and the median of GAMES episodes, which differ where other processes use the same core. And the cost of
        one step of all lanes, in additions of LANES numbers, as a median.
    """
    game = _game()
    actions = np.random.default_rng(0).integers(1, ACTION_COUNT, size=(GAME_STEPS, LANES))
    pairs = [(_steps_per_s(game, actions), _additions_per_s()) for _ in range(GAMES)]
    rates = [rate for rate, _ in pairs]
    cost = statistics.median(additions * LANES / rate for rate, additions in pairs)
    return max(rates), statistics.median(rates), cost


def _steps_per_s(game: Game, actions: npt.NDArray[np.int64]) -> float:
    """Play `actions`, (steps, LANES); return the steps of all lanes per CPU second."""
    start_s = time.process_time()
    for chosen in actions:
        if game.step(chosen)[2]:
            game.reset()
    return actions.size / (time.process_time() - start_s)


def _additions_per_s() -> float:
    """Return how many additions of LANES numbers numpy makes per CPU second."""
    numbers = np.arange(LANES, dtype=np.int16)
    start_s = time.process_time()
    for _ in range(ADDITIONS):
        _ = numbers + numbers
    return ADDITIONS / (time.process_time() - start_s)


def measure_learning() -> tuple[float, float]:
    """Return the transitions and updates per CPU second of the whole loop on one thread."""
    torch.set_num_threads(1)
    rng, weights = np.random.default_rng(0), RewardWeights().to_array()
    learner = Learner(Network(NETWORK, torch.Generator().manual_seed(0)), DQNConfig())
    game, replay = _game(), ReplayBuffer(NETWORK, learner.config, LANES)
    for _ in range(WARM_UP_STEPS):
        replay.store(sample(learner, game, 0.1, rng, weights))
    start_s = time.process_time()
    for _ in range(LEARNING_STEPS):
        replay.store(sample(learner, game, 0.1, rng, weights))
        update(learner, replay, rng)
    elapsed_s = time.process_time() - start_s
    return LEARNING_STEPS * LANES / elapsed_s, LEARNING_STEPS / elapsed_s


def _game() -> Game:
    """Return an environment of LANES lanes with players that walk at random."""
    rng = np.random.default_rng(0)
    parts = [_walk(rng) for _ in range(16)]
    game = Game(parts, player_table(parts), LANES, rng)
    game.reset()
    return game


def _walk(rng: np.random.Generator) -> Part:
    """Return a player that walks at random, in quarter notes."""
    player = np.full(256, HOLD, dtype=np.int16)
    player[::4] = 66 + np.clip(rng.integers(-2, 3, 64).cumsum(), -12, 12)
    return Part(
        name="walk",
        style=0,
        mode=0,
        meter=0,
        steps_per_beat=4,
        player=player,
        **sounding([player]),
        **in_known_key(0, len(player)),
        partner=np.full(256, NONE, dtype=np.int16),
        player_base=48,
        own_base=48,
    )
