"""Training: initialise, sample, store, update, synchronise, and save the run to disk at regular intervals.

A run keeps its state in a folder and resumes from there after Ctrl-C or a crash. The replay buffer is not saved: a
resumed run fills a new one before its first update. So its weights differ from those of an uninterrupted run.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from improviser.agent.checkpoint import PLAYER, load_model, save_model
from improviser.agent.config import FULL, WIDTH, DQNConfig
from improviser.agent.layers import fold_first_layer
from improviser.agent.learner import Learner
from improviser.agent.network import Network
from improviser.agent.policy import NUMPY
from improviser.agent.replay_buffer import ReplayBuffer, Transitions
from improviser.engine.role import ROLES
from improviser.errors import CheckpointError
from improviser.rewards import COMPONENTS
from improviser.training.budget import TransitionBudget
from improviser.training.env import Game, RewardWeights, network_config
from improviser.training.features import player_table
from improviser.training.material import MOST_STEPS, GameSettings, game_parts, imitation, some_of
from improviser.training.next_event import PLAYER_NETWORK, next_events
from improviser.training.prior import PriorScore, fit_prior, score_prior
from improviser.training.run_state import RunState, load_run, save_run
from improviser.training.simulated import UNHEARD_SHARE, simulated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import FloatArray, Weights
    from improviser.corpus.piece import Piece
    from improviser.training.budget import Budget
    from improviser.training.grid import Part

# Q starts as the prior's log-odds times this factor: the prior's order of preference, on the scale of a return.
PRIOR_TO_Q: Final = 0.1
# The source files that the trained weights depend on: a change in one of them makes another run. A test checks that
# they are all the modules that this one imports, directly or indirectly.
LEARNED_FROM: Final = (
    "agent/checkpoint.py",
    "agent/config.py",
    "agent/layers.py",
    "agent/learner.py",
    "agent/network.py",
    "agent/policy.py",
    "agent/priorities.py",
    "agent/replay_buffer.py",
    "choices.py",
    "config/resources.py",
    "engine/role.py",
    "engine/preference_features.py",
    "errors.py",
    "files.py",
    "listening/gated_units.py",
    "listening/harmony/harmony_inputs.py",
    "listening/harmony/harmony_network.py",
    "listening/harmony/harmony_tracker.py",
    "listening/heard_key.py",
    "listening/line.py",
    "listening/observation.py",
    "listening/own_chords.py",
    "listening/player.py",
    "midi/message.py",
    "music/accent.py",
    "music/chord.py",
    "music/consonance.py",
    "music/expectation.py",
    "music/expectation_table.py",
    "music/meter.py",
    "music/pitch.py",
    "music/scale.py",
    "music/voice_leading.py",
    "playing/actions.py",
    "playing/chords.py",
    "rewards/__init__.py",
    "rewards/bass.py",
    "rewards/comping.py",
    "rewards/melody.py",
    "rewards/scene.py",
    "training/budget.py",
    "training/env.py",
    "training/follower.py",
    "training/grid.py",
    "training/key_by_ear.py",
    "training/chorale_harmony.py",
    "training/material.py",
    "training/part_edit.py",
    "corpus/casting.py",
    "corpus/chord_steps.py",
    "corpus/piece.py",
    "training/next_event.py",
    "training/prior.py",
    "training/run_state.py",
    "training/simulated.py",
    "training/written_parts.py",
    "training/features.py",
    "training/train.py",
)
# The data in the package that the trained weights depend on.
LEARNED_FROM_DATA: Final = ("listening/harmony/harmony.f16",)
SAVE_EVERY_S: Final = 20.0
REPORT_EVERY: Final = 20
# Layers this small lose time to threads that wait for a core: an update takes 17 ms with one thread, and 470 ms with
# two threads on two busy cores. With one thread the weights also do not depend on the number of cores.
THREADS: Final = 1


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """The settings that decide the outcome of a training run.

    Attributes:
        game: The environments that are played.
        weights: The weight of each reward component.
        seed: Random seed.
        prior_updates: Gradient steps of the prior, and of the network that predicts the player.
        transitions: Transitions that the Q-network learns from, over all lanes.
        lanes: Number of parallel environments.
        simulated: Share of players that are also added as a simulated, less tidy player; see training.simulated.
        following: Share of episodes whose players sometimes repeat what the improviser played.
        hidden: Share of the onsets of simulated players, and of those that the prior learns beside, that are heard only
            after their step was decided.
        width: Units in each hidden layer of the prior and the Q-network.
        dqn: Settings of the learner.
    """

    game: GameSettings
    weights: RewardWeights = field(default_factory=RewardWeights)
    seed: int = 0
    prior_updates: int = 6_000
    transitions: int = 500_000
    lanes: int = 64
    simulated: float = 0.4
    following: float = 0.15
    hidden: float = UNHEARD_SHARE
    width: int = WIDTH
    dqn: DQNConfig = FULL

    def network(self) -> NetworkConfig:
        """Return the shape of the Q-network; the prior's network has one head."""
        heads = len(COMPONENTS) if self.dqn.decomposed else 1
        config = replace(network_config(ROLES[self.game.role]), hidden=self.width)
        return replace(config, heads=heads, layer_norm=self.dqn.layer_norm, one_hot=self.dqn.one_hot)

    def fingerprint(self, pieces: Iterable[Piece]) -> str:
        """Return a hash that identifies the run: settings, network, corpus and training code."""
        digest = hashlib.sha256(json.dumps([asdict(self), self.network().to_json()], sort_keys=True).encode())
        for piece in pieces:
            digest.update(f"{piece.name} {piece.tonic} {piece.mode} {piece.meter} {piece.split}".encode())
            for rows in (*piece.voices, piece.chords):
                digest.update(rows.tobytes())
        package = resources.files("improviser")
        for source in (*LEARNED_FROM, *LEARNED_FROM_DATA):
            digest.update(package.joinpath(source).read_bytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well the networks that imitate people predict the validation split.

    Attributes:
        prior: The prior's score, over the partners' actions.
        player: The score of the network that predicts the player, over the players' events.
    """

    prior: PriorScore
    player: PriorScore


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `loss` and `reward` are running means over recent updates and steps."""

    stage: str
    done: int
    total: int
    loss: float
    reward: float
    steps_per_s: float

    @property
    def left_s(self) -> float:
        """The seconds that this stage still needs."""
        return max(0, self.total - self.done) / max(self.steps_per_s, 1e-9)


Report = Callable[[Progress], None]


def train(settings: TrainingSettings, pieces: list[Piece], folder: Path, report: Report) -> Scores:
    """Train the prior, then the Q-network from it, then the network of the player; write `folder`/model.safetensors.

    An interrupted run resumes where it stopped.

    Args:
        settings: What to train.
        pieces: The corpus.
        folder: Holds the run's state and, at the end, its model.
        report: Called with the progress of the run.

    Returns:
        The scores on the validation split.
    """
    torch.set_num_threads(THREADS)
    prior = fitted_prior(settings, pieces, folder, report)
    valid = imitation(
        [piece for piece in pieces if piece.split == "valid"],
        settings.game,
    )
    score = score_prior(prior, valid)
    q_weights = _q_network(settings, pieces, prior, folder, report)
    player = fitted_player(settings, pieces, folder / f"player-{settings.fingerprint(pieces)}.safetensors", report)
    networks = {"prior": prior.to_weights(), "q": q_weights, PLAYER: player.to_weights()}
    notes = _notes(settings) | {PLAYER: PLAYER_NETWORK.to_json()}
    save_model(folder / "model.safetensors", settings.network(), networks, notes)
    return Scores(score, _player_score(player, settings, pieces))


def train_player(settings: TrainingSettings, pieces: list[Piece], model: Path, report: Report) -> PriorScore:
    """Train only the network that predicts the player, and write it into `model`; all else in it stays as it is.

    Args:
        settings: What to train.
        pieces: The corpus.
        model: A model of the same style, which must exist.
        report: Called with the progress of the run.

    Returns:
        The network's score on the validation split.

    Raises:
        CheckpointError: The model is missing or broken, or cannot be written.
    """
    torch.set_num_threads(THREADS)
    config, networks, header = load_model(model)
    player = fitted_player(settings, pieces, None, report)
    notes = {name: text for name, text in header.items() if name not in {"format", "network"}}
    notes[PLAYER] = PLAYER_NETWORK.to_json()
    save_model(model, config, networks | {PLAYER: player.to_weights()}, notes)
    return _player_score(player, settings, pieces)


def _player_score(player: Network, settings: TrainingSettings, pieces: list[Piece]) -> PriorScore:
    """Return how well a network predicts the players of the validation split."""
    held_out = game_parts([piece for piece in pieces if piece.split == "valid"], settings.game)
    return score_prior(player, next_events(held_out))


def _notes(settings: TrainingSettings) -> dict[str, str]:
    """Return the training notes for the model's header: style and settings."""
    return {"style": settings.game.style, "settings": json.dumps(asdict(settings), sort_keys=True)}


def fitted_prior(settings: TrainingSettings, pieces: list[Piece], folder: Path, report: Report) -> Network:
    """Return the prior; read it from the folder if it was fitted before."""
    config = settings.network().prior()
    network = Network(config, torch.Generator().manual_seed(settings.seed))
    path = folder / f"prior-{settings.fingerprint(pieces)}.safetensors"
    if was_fitted(network, path):
        return network
    rng = np.random.default_rng([settings.seed, 1])
    train_pieces = [piece for piece in pieces if piece.split == "train"]
    data = imitation(train_pieces, settings.game, rng, settings.hidden)
    pace = StagePace("prior", settings.prior_updates, 0, report)
    fit_prior(network, data, settings.prior_updates, rng, pace.tell)
    _keep_fitted(network, path, settings)
    return network


def fitted_player(settings: TrainingSettings, pieces: list[Piece], path: Path | None, report: Report) -> Network:
    """Return the network that predicts the player; read it from `path` if it was fitted before, and else keep it there.

    With None it is fitted, and not kept.
    """
    rng = np.random.default_rng([settings.seed, 5])
    network = Network(PLAYER_NETWORK, torch.Generator().manual_seed(int(rng.integers(2**31))))
    if path is not None and was_fitted(network, path):
        return network
    pace = StagePace(PLAYER, settings.prior_updates, 0, report)
    fit_prior(network, next_events(_training_parts(settings, pieces)), settings.prior_updates, rng, pace.tell)
    if path is not None:
        _keep_fitted(network, path, settings)
    return network


def was_fitted(network: Network, path: Path) -> bool:
    """Load into a network what was kept at `path`; return whether that was possible."""
    with suppress(CheckpointError):  # not fitted yet, or the file is damaged: fit it again
        _, networks, _ = load_model(path)
        network.load_weights(networks["prior"])
        return True
    return False


def _keep_fitted(network: Network, path: Path, settings: TrainingSettings) -> None:
    """Keep a fitted network of one head at `path`."""
    weights = network.to_weights()
    save_model(path, network.config, {"prior": weights, "q": weights}, _notes(settings))


def _q_network(
    settings: TrainingSettings, pieces: list[Piece], prior: Network, folder: Path, report: Report
) -> Weights:
    """Return the trained Q-network's weights."""
    learner = make_learner(settings, from_prior(prior, settings), prior)
    fingerprint = settings.fingerprint(pieces)
    state = load_run(folder, fingerprint, learner) or RunState(0, 0)
    rng = np.random.default_rng([settings.seed, 2, state.restarts])
    game = training_game(settings, pieces, rng)
    pace = StagePace("Q-network", settings.transitions, state.transitions, report)
    saved_s = time.monotonic()

    def save(sampled: int) -> None:
        """Save the run to disk."""
        save_run(folder, fingerprint, learner, RunState(sampled, state.restarts + 1))

    def tell(sampled: int, loss: float, reward: float) -> None:
        """Report the progress, and save the run every SAVE_EVERY_S seconds."""
        nonlocal saved_s
        pace.tell(sampled, loss, reward)
        if time.monotonic() - saved_s > SAVE_EVERY_S:
            save(sampled)
            saved_s = time.monotonic()

    budget = TransitionBudget(settings.transitions, state.transitions)
    save(learn(learner, game, settings, rng, budget, tell))
    return learner.publish_weights()


def training_game(settings: TrainingSettings, pieces: Iterable[Piece], rng: np.random.Generator) -> Game:
    """Return the training environments, reset."""
    parts = _training_parts(settings, pieces)
    game = Game(parts, player_table(parts), settings.lanes, rng, settings.following)
    game.reset()
    return game


def _training_parts(settings: TrainingSettings, pieces: Iterable[Piece]) -> list[Part]:
    """Return the players of the training split, and simulated players."""
    rng = np.random.default_rng([settings.seed, 3])
    tidy = game_parts([piece for piece in pieces if piece.split == "train"], settings.game)
    fewer = some_of(tidy, round(MOST_STEPS / (1 + settings.simulated)), rng)
    return simulated(fewer, settings.simulated, rng, settings.hidden)


def make_learner(settings: TrainingSettings, network: Network, prior: Network) -> Learner:
    """Return the learner of a Q-network, with the prior and the head weights that the settings ask for."""
    return Learner(
        network,
        settings.dqn,
        prior=prior if settings.dqn.uses_prior else None,
        weights=settings.weights.to_array() if settings.dqn.decomposed else None,
    )


def from_prior(prior: Network, settings: TrainingSettings) -> Network:
    """Return a Q-network with the prior's layers, its outputs scaled to returns."""
    config = settings.network()
    network = Network(config, torch.Generator().manual_seed(0), dueling=settings.dqn.dueling)
    weights = prior.to_weights()
    if config.one_hot:
        weights["input.weight"] = fold_first_layer(prior.config, weights, NUMPY)
    for name in ("output.weight", "output.bias"):
        share = weights[name] * np.float32(PRIOR_TO_Q / config.heads)
        weights[name] = np.concatenate([share] * config.heads)
    network.load_weights(weights)
    return network


def learn(
    learner: Learner,
    game: Game,
    settings: TrainingSettings,
    rng: np.random.Generator,
    budget: Budget,
    tell: Callable[[int, float, float], None],
) -> int:
    """Run the loop of deep Q-learning until the budget is spent.

    Args:
        learner: The learner.
        game: The environments, as many lanes as the settings say.
        settings: The settings of the run.
        rng: Makes all random choices.
        budget: The budget of the run.
        tell: Called after each step of all lanes with the transitions so far, the loss and the reward per step.

    Returns:
        The number of transitions sampled, including those before this run.
    """
    dqn, weights = settings.dqn, settings.weights.to_array()
    replay = ReplayBuffer(settings.network(), dqn, settings.lanes)
    sampled, loss, mean_reward = budget.done, 0.0, 0.0
    while (progress := budget.progress(sampled)) < 1:
        transitions = sample(learner, game, dqn.epsilon(progress), rng, weights)
        replay.store(transitions)
        before, sampled = sampled, sampled + settings.lanes
        reward = float(transitions.reward.mean(axis=0) @ learner.weights)
        mean_reward += (reward - mean_reward) * 0.01
        if len(replay) >= min(dqn.learning_starts, dqn.buffer_size):
            for _ in range(sampled // dqn.train_frequency - before // dqn.train_frequency):
                loss += (update(learner, replay, rng, progress) - loss) * 0.01
        tell(sampled, loss, mean_reward)
    return sampled


def update(learner: Learner, replay: ReplayBuffer, rng: np.random.Generator, progress: float = 0.0) -> float:
    """Learn from one batch of the replay buffer; return the loss."""
    batch = replay.sample(learner.config.batch_size, rng, progress)
    loss, errors = learner.learn_step(batch)
    replay.reprioritise(batch.places, errors)
    return loss


def sample(learner: Learner, game: Game, epsilon: float, rng: np.random.Generator, weights: FloatArray) -> Transitions:
    """Play one step in every lane, epsilon-greedily; return the transitions.

    Args:
        learner: Chooses the actions.
        game: The environments to play in.
        epsilon: The probability of a random action.
        rng: Draws the random actions.
        weights: (components,) weights of the components. A network with one head learns from their weighted sum.
    """
    observation = game.observation.copy()
    actions = learner.select_actions(observation, game.legal, epsilon, rng)
    next_observation, reward, over = game.step(actions)
    if not learner.config.decomposed:
        reward = reward @ weights[:, None]
    transitions = Transitions(
        observation=observation,
        action=actions,
        reward=reward,
        next_observation=next_observation.copy(),
        terminated=np.zeros(len(actions), dtype=np.bool_),
        cut=np.full(len(actions), over),
        next_legal=game.legal.copy(),
    )
    if over:
        game.reset()
    return transitions


class StagePace:
    """Reports the speed of a stage, every REPORT_EVERY calls."""

    def __init__(self, stage: str, total: int, done: int, report: Report) -> None:
        """Start timing, with `done` of `total` already done."""
        self.done = done
        self._stage, self._total, self._from, self._report = stage, total, done, report
        self._calls, self._start_s = 0, time.monotonic()

    def tell(self, done: int, loss: float, reward: float = 0.0) -> None:
        """Report how far the stage is."""
        self.done = done
        self._calls += 1
        if self._calls % REPORT_EVERY and done < self._total:
            return
        elapsed_s = max(time.monotonic() - self._start_s, 1e-9)
        self._report(Progress(self._stage, done, self._total, loss, reward, (done - self._from) / elapsed_s))
