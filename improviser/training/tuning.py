"""Fine-tunes a model to one's own music, mixed with the corpus that the model comes from.

The prior and the Q-network go on from the model's. Half of what they learn from is one's own. A run keeps its state in
a folder and resumes from there after Ctrl-C.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch

from improviser.agent.checkpoint import load_grown, save_model
from improviser.agent.network import Network
from improviser.engine.role import ROLES
from improviser.errors import CorpusError
from improviser.listening.observation import LATER
from improviser.training.budget import TransitionBudget
from improviser.training.env import EPISODE_BEATS, Game, playable
from improviser.training.features import player_table
from improviser.training.material import game_parts, imitation
from improviser.training.prior import Imitation, PriorScore, fit_prior, score_prior
from improviser.training.run_state import RunState, load_run, save_run
from improviser.training.simulated import simulated
from improviser.training.train import THREADS, StagePace, learn, make_learner, was_fitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import Weights
    from improviser.corpus.piece import Piece
    from improviser.training.grid import Part
    from improviser.training.train import Report, TrainingSettings

LEARNING_RATE: Final = 3e-4
# Parts of the corpus that are mixed in, and rows to imitate of each side at most.
CORPUS_PARTS: Final = 150
CORPUS_PIECES: Final = 120
MOST_ROWS: Final = 200_000
# Random actions at first and later: the model has explored already.
_EPSILON: Final = (0.05, 0.02)
_SAVE_EVERY: Final = 300


@dataclass(frozen=True, slots=True)
class OwnMusic:
    """One's own pieces, apart from those that are held out.

    Attributes:
        learnt: What is learned from.
        held_out: The last tenth.
    """

    learnt: list[Piece]
    held_out: list[Piece]


class _Mixture(NamedTuple):
    """What is learned from: one's own pieces, and those of the corpus."""

    own: list[Piece]
    corpus: list[Piece]


@dataclass(frozen=True, slots=True)
class Networks:
    """The weights of a model.

    Attributes:
        config: The shape of the Q-network.
        weights: Those of `prior`, `q` and perhaps `player`.
        notes: The header's other entries.
    """

    config: NetworkConfig
    weights: dict[str, Weights]
    notes: dict[str, str]

    def towards(self, other: Networks, share: float) -> Networks:
        """Return the model on the way to another one of its shape: 0 is this one, 1 the other."""
        mixed = {
            network: {
                name: weight + np.float32(share) * (other.weights[network][name] - weight)
                for name, weight in own.items()
            }
            for network, own in self.weights.items()
        }
        return replace(self, weights=mixed)

    def save(self, path: Path) -> None:
        """Write the model. Raise CheckpointError if that is impossible."""
        save_model(path, self.config, self.weights, self.notes)


def read_networks(path: Path, settings: TrainingSettings) -> Networks:
    """Return the weights of a model that plays the role of the settings. Raise CheckpointError if it is missing."""
    config, weights, header = load_grown(path, ROLES[settings.game.role].groups, LATER)
    return Networks(config, weights, {name: text for name, text in header.items() if name not in {"format", "network"}})


def split_own(pieces: Sequence[Piece]) -> OwnMusic:
    """Return pieces with the last tenth held out, and what shares a family with it left out.

    Raises:
        CorpusError: Fewer than two families of pieces can be used.
    """
    fit = [piece for piece in pieces if piece.parts]
    held_out = fit[-max(1, round(len(fit) / 10)) :]
    families = {piece.family for piece in held_out}
    learnt = [piece for piece in fit if piece.family not in families]
    if not learnt:
        raise CorpusError("too little music: at least two different pieces of eight bars or more are needed")
    return OwnMusic(learnt, held_out)


def own_imitation(pieces: Sequence[Piece], settings: TrainingSettings) -> Imitation:
    """Return what there is to imitate in pieces of named parts.

    Raises:
        CorpusError: There is nothing for the role: chord symbols for comping, tunes for a melody.
    """
    try:
        return imitation(pieces, settings.game)
    except (IndexError, ValueError) as error:
        what = "a tune in 2/4, 3/4, 4/4 or 6/8"
        what += " with chord symbols" if settings.game.role == "comping" else ""
        raise CorpusError(f"nothing to learn from: no piece has {what}") from error


def fingerprint(base: Path, settings: TrainingSettings, own: OwnMusic, corpus: Sequence[Piece]) -> str:
    """Return a hash that identifies the run: model, settings and music."""
    digest = hashlib.sha256(base.read_bytes())
    digest.update(settings.fingerprint([*own.learnt, *own.held_out, *corpus]).encode())
    return digest.hexdigest()[:16]


def tuned(
    base: Networks, settings: TrainingSettings, own: OwnMusic, corpus: Sequence[Piece], folder: Path, report: Report
) -> Networks:
    """Return a model fine-tuned to one's own music.

    Args:
        base: The model to go on from.
        settings: How long, and for which game.
        own: One's own music.
        corpus: The pieces that are mixed in.
        folder: Holds the run's state, whose name identifies it.
        report: Called with the progress.
    """
    torch.set_num_threads(THREADS)
    known = [piece for piece in corpus if piece.split == "train"]
    rng = np.random.default_rng([settings.seed, 6])
    chosen = [known[index] for index in rng.permutation(len(known))[:CORPUS_PIECES]]
    mixture = _Mixture(own.learnt, chosen)
    prior = _tuned_prior(base, settings, mixture, folder, report)
    q_weights = _tuned_q(base, prior, settings, mixture, folder, report)
    weights = base.weights | {"prior": prior.to_weights(), "q": q_weights}
    return replace(base, weights=weights)


def score(networks: Networks, data: Imitation) -> PriorScore:
    """Return how well a model's prior predicts people."""
    network = _network(networks.config.prior(), networks.weights["prior"])
    return score_prior(network, data)


def _network(config: NetworkConfig, weights: Weights, *, dueling: bool = False) -> Network:
    """Return a network with these weights."""
    network = Network(config, torch.Generator().manual_seed(0), dueling=dueling)
    network.load_weights(weights)
    return network


def _tuned_prior(
    base: Networks,
    settings: TrainingSettings,
    mixture: _Mixture,
    folder: Path,
    report: Report,
) -> Network:
    """Return the fine-tuned prior; read it from the folder if it was fitted before."""
    network = _network(base.config.prior(), base.weights["prior"])
    path = folder / "prior.safetensors"
    if was_fitted(network, path):
        return network
    rng = np.random.default_rng([settings.seed, 7])
    data = _mixed(
        own_imitation(mixture.own, settings), imitation(mixture.corpus, settings.game, rng, settings.hidden), rng
    )
    pace = StagePace("prior", settings.prior_updates, 0, report)
    fit_prior(network, data, settings.prior_updates, rng, pace.tell, LEARNING_RATE)
    weights = network.to_weights()
    save_model(path, network.config, {"prior": weights, "q": weights}, {})
    return network


def _mixed(own: Imitation, other: Imitation, rng: np.random.Generator) -> Imitation:
    """Return rows of which half are one's own."""
    count = min(MOST_ROWS, len(other.actions))
    rows = rng.permutation(len(other.actions))[:count]
    again = rng.integers(len(own.actions), size=count)
    return Imitation(
        np.concatenate([own.observations[again], other.observations[rows]]),
        np.concatenate([own.actions[again], other.actions[rows]]),
        own.action_count,
    )


def _tuned_q(
    base: Networks,
    prior: Network,
    settings: TrainingSettings,
    mixture: _Mixture,
    folder: Path,
    report: Report,
) -> Weights:
    """Return the fine-tuned Q-network's weights."""
    first, last = _EPSILON
    how = replace(settings, dqn=replace(settings.dqn, epsilon_start=first, epsilon_end=last))
    learner = make_learner(how, _network(base.config, base.weights["q"], dueling=settings.dqn.dueling), prior)
    state = load_run(folder, folder.name, learner) or RunState(0, 0)
    rng = np.random.default_rng([settings.seed, 8, state.restarts])
    parts = _game_parts(how, mixture, rng)
    game = Game(parts, player_table(parts), how.lanes, rng, how.following)
    game.reset()
    pace = StagePace("Q-network", how.transitions, state.transitions, report)
    calls = 0

    def save(sampled: int) -> None:
        """Save the run to disk."""
        save_run(folder, folder.name, learner, RunState(sampled, state.restarts + 1))

    def tell(sampled: int, loss: float, reward: float) -> None:
        """Report the progress, and save the run now and then."""
        nonlocal calls
        calls += 1
        pace.tell(sampled, loss, reward)
        if calls % _SAVE_EVERY == 0:
            save(sampled)

    save(learn(learner, game, how, rng, TransitionBudget(how.transitions, state.transitions), tell))
    return learner.publish_weights()


def _game_parts(settings: TrainingSettings, mixture: _Mixture, rng: np.random.Generator) -> list[Part]:
    """Return players, of which about half are one's own.

    Raises:
        CorpusError: None of one's own is long enough for an episode.
    """
    mine = simulated(game_parts(mixture.own, settings.game), settings.simulated, rng, settings.hidden)
    if not playable(mine):
        raise CorpusError(f"too little music: no tune lasts {EPISODE_BEATS} beats in one meter and key")
    others = game_parts(mixture.corpus, settings.game)
    chosen = [others[index] for index in rng.permutation(len(others))[:CORPUS_PARTS]]
    return [*(mine[index] for index in rng.integers(len(mine), size=max(1, len(chosen)))), *chosen]
