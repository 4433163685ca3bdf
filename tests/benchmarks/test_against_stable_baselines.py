"""The learner compared with stable-baselines3's DQN: the same environment and CPU time, one thread each.

Both begin from random weights without the prior; both are evaluated greedily on players that neither has heard. Two
further results are shown that are not a like-for-like comparison: stable-baselines3 with one-hot columns, and the
learner as the shipped models use it, from the prior and with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
import torch

from improviser.agent.config import FULL
from improviser.cli.corpus import load_corpus
from improviser.evaluation.evaluate import spread
from improviser.playing.actions import HOLD_ACTION, REST_ACTION
from improviser.studies.ablation import Variant, train_variant
from improviser.training.budget import CpuBudget
from improviser.training.env import NETWORK, Game, ImproviserEnv
from improviser.training.features import player_table
from improviser.training.material import GameSettings, game_parts, held_out_parts
from improviser.training.train import TrainingSettings, fitted_prior

if TYPE_CHECKING:
    from improviser.agent.network import Network
    from improviser.corpus.piece import Piece
    from improviser.training.grid import Part

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
SECONDS: Final = 75.0
SEEDS: Final = 3
SETTINGS: Final = TrainingSettings(GameSettings("chorale", 4, 40), simulated=0.0, following=0.0)
WEIGHTS: Final = SETTINGS.weights.to_array()
# Without a prior the values alone decide: greedy apart from epsilon, as in stable-baselines3.
PRIORLESS: Final = replace(
    FULL,
    one_hot=True,
    prior_weight=0.0,
    prior_exploration=False,
    temperature=0.0,
    epsilon_start=0.5,
    epsilon_end=0.05,
)
NOTHING: Final = Variant("from nothing", PRIORLESS, has_prior_weights=False)
SHIPPED: Final = Variant("as shipped", FULL)
GREEDY_PARTS: Final = 24
# As many parallel environments as the learner uses.
LANES: Final = 64
Choose = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.bool_]], int]


def test_at_least_twice_its_reward(tmp_path: Path) -> None:
    """After the same CPU time the learner earns at least twice the reward on unheard players, over three seeds."""
    pytest.importorskip("stable_baselines3", reason="to compare: pip install -e .[compare]")
    torch.set_num_threads(1)
    pieces = load_corpus()
    parts = game_parts([piece for piece in pieces if piece.split == "train"], SETTINGS.game)
    table = player_table(parts)
    unheard = spread(held_out_parts(pieces, SETTINGS.game), GREEDY_PARTS)
    prior = fitted_prior(SETTINGS, pieces, tmp_path, lambda _progress: None)
    rewards = np.array(
        [
            [
                _greedy_reward(choose, unheard)
                for choose in (
                    _ours(NOTHING, prior, pieces, seed),
                    _theirs(lambda: ImproviserEnv(parts, table), seed),
                    _theirs(lambda: _Categories(ImproviserEnv(parts, table)), seed),
                    _ours(SHIPPED, prior, pieces, seed),
                )
            ]
            for seed in range(SEEDS)
        ]
    )
    # What it is for:
    print(f"reward a step: ours, theirs, theirs one-hot, ours as shipped; a row a seed:\n{rewards}")  # noqa: T201
    ours, theirs, *_ = rewards.mean(axis=0)
    assert ours >= 2 * theirs


def _ours(variant: Variant, prior: Network, pieces: list[Piece], seed: int) -> Choose:
    """Train the learner for SECONDS."""
    settings = replace(SETTINGS, seed=seed, dqn=variant.dqn)
    network = train_variant(variant, settings, prior, pieces, lambda: CpuBudget(SECONDS))[0]

    def choose(observation: npt.NDArray[np.uint8], legal: npt.NDArray[np.bool_]) -> int:
        """Return the best legal action."""
        with torch.no_grad():
            q_values = network(torch.from_numpy(observation[None]))[0].numpy()
        return int(np.where(legal, WEIGHTS @ q_values, -np.inf).argmax())

    return choose


class _Categories(gymnasium.ObservationWrapper):
    """Declares the columns as categories, which stable-baselines3 turns into one-hot vectors."""

    def __init__(self, env: ImproviserEnv) -> None:
        """Declare each column's values."""
        super().__init__(env)
        values = [group.values for group in NETWORK.groups for _ in range(group.columns)]
        self.observation_space = gymnasium.spaces.MultiDiscrete(values)

    def observation(self, observation: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the observation unchanged."""
        return observation


def _theirs(make_env: Callable[[], gymnasium.Env[npt.NDArray[np.uint8], np.int64]], seed: int) -> Choose:
    """Train stable-baselines3 for SECONDS, with the same network width, batch, buffer and discount."""
    from stable_baselines3 import DQN  # noqa: PLC0415 - a development dependency, skipped where it is missing
    from stable_baselines3.common.callbacks import BaseCallback  # noqa: PLC0415
    from stable_baselines3.common.vec_env import DummyVecEnv  # noqa: PLC0415

    class Clock(BaseCallback):  # type: ignore[misc]  # without types
        """Lowers exploration by the share of time used, as the learner does, and stops the training in time."""

        def _on_training_start(self) -> None:
            """Start timing."""
            self.start_s = time.process_time()

        def _on_step(self) -> bool:
            """Return whether to continue."""
            progress = (time.process_time() - self.start_s) / SECONDS
            self.model.exploration_schedule = lambda _remaining: PRIORLESS.epsilon(progress)
            return progress < 1

    model = DQN(
        "MlpPolicy",
        DummyVecEnv([make_env] * LANES),
        learning_rate=FULL.learning_rate,
        buffer_size=FULL.buffer_size,
        learning_starts=FULL.learning_starts,
        batch_size=FULL.batch_size,
        gamma=FULL.gamma,
        train_freq=1,
        target_update_interval=FULL.target_update_interval * LANES,
        policy_kwargs={"net_arch": [256, 256]},
        seed=seed,
        device="cpu",
    )
    model.learn(total_timesteps=10**9, callback=Clock())

    def choose(observation: npt.NDArray[np.uint8], legal: npt.NDArray[np.bool_]) -> int:
        """Return the best action; an illegal hold becomes a rest."""
        action = int(model.predict(observation, deterministic=True)[0])
        return action if action != HOLD_ACTION or legal[HOLD_ACTION] else REST_ACTION

    return choose


def _greedy_reward(choose: Choose, parts: list[Part]) -> float:
    """Return the mean reward per step over the parts, played from their beginning."""
    table, earned, steps = player_table(parts), 0.0, 0
    for index, part in enumerate(parts):
        game = Game(parts, table, 1, np.random.default_rng(0))
        game.play_whole(index)
        for _ in range(len(part.player)):
            action = choose(game.observation[0], game.legal[0])
            earned += float(game.step(np.array([action]))[1][0] @ WEIGHTS)
            steps += 1
    return earned / steps
