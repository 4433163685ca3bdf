"""Learns during a jam: from its own transitions, from games with the player's music, and from the corpus.

Half of each batch comes from games with the corpus, on which the model was trained, with rewards as they are weighted
now. This keeps what the model could do before. The other half comes from the player: transitions of the improviser with
the player, and games that the learner plays with the player's recorded music. The offered weights are a moving average
of the learned ones.

Source: R. Sutton (1991), "Dyna", for learning from simulated games; B. Polyak and A. Juditsky (1992), "Acceleration of
Stochastic Approximation by Averaging", for the average.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from improviser.agent.config import FULL, DQNConfig
from improviser.agent.learner import Learner
from improviser.agent.replay_buffer import Batch, ReplayBuffer, Transitions
from improviser.agent.upper_layers import FirstLayer, UpperLayers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import FloatArray, Weights
    from improviser.engine.experience import Transition
    from improviser.training.env import Game

# Steps of games in each replay buffer before the first update.
FILL_STEPS: Final = 128
# Total reward of one like; a dislike has the opposite sign.
PRESS_REWARD: Final = 1.0


@dataclass(frozen=True, slots=True)
class OnlineSettings:
    """Settings of the learning during a jam.

    Attributes:
        dqn: Settings of the learner. Unlike FULL they are not dueling, since learning starts from trained weights.
        corpus_share: Share of a batch that comes from games with the corpus.
        imagined_share: Share of a batch that comes from games with the player's recorded music.
        lanes: Number of parallel games.
        play_every: Updates between two steps of the games.
        average: Share of the moving average that each update keeps.
    """

    dqn: DQNConfig = field(
        default_factory=lambda: replace(FULL, dueling=False, buffer_size=16_000, target_rate=0.005, epsilon_end=0.05)
    )
    corpus_share: float = 0.5
    imagined_share: float = 0.25
    lanes: int = 16
    play_every: int = 4
    average: float = 0.9995


class OnlineLearner:
    """Learns new weights above the first layer from transitions.

    Threads: belongs to one thread; an update takes about five milliseconds.

    Attributes:
        updates: Number of updates so far.
    """

    def __init__(
        self,
        config: NetworkConfig,
        networks: dict[str, Weights],
        corpus: Game | None,
        rewards: FloatArray,
        settings: OnlineSettings,
        rng: np.random.Generator,
    ) -> None:
        """Start with a trained model.

        Args:
            config: Shape of the Q-network.
            networks: Weights of `prior` and `q`.
            corpus: Games as the model was trained on; None: learn only from the jam.
            rewards: (components,) weights of the reward components.
            settings: Settings of the learning.
            rng: Random generator for all random choices.
        """
        torch.set_num_threads(1)
        self.updates = 0
        self._settings, self._rng = settings, rng
        self._config = config
        # The reward that each feedback has added, by row. A row counts all transitions stored before it.
        self._presses: list[list[tuple[int, np.float32]]] = []
        self._first = FirstLayer(config, networks["prior"], networks["q"])
        prior = UpperLayers(config.prior(), networks["prior"], is_prior=True)
        self._rewards = rewards
        self._learner = Learner(UpperLayers(config, networks["q"]), settings.dqn, prior=prior)
        self.reweigh(rewards)
        self._average = copy.deepcopy(self._learner.q_network)
        self._lived = self._buffer(1)
        self._corpus = None if corpus is None else _Games(corpus, self._buffer(settings.lanes), self._first)
        self._imagined: _Games | None = None
        if self._corpus is not None:
            self._play(self._corpus, FILL_STEPS)

    @property
    def lanes(self) -> int:
        """The number of parallel games."""
        return self._settings.lanes

    @property
    def lived(self) -> int:
        """The number of transitions of the jam in the replay buffer."""
        return len(self._lived)

    def live(self, transitions: Iterable[Transition]) -> None:
        """Store transitions of the jam."""
        for one in transitions:
            features = self._first(np.stack([one.observation, one.next_observation]))
            self._lived.store(
                Transitions(
                    observation=features[:1],
                    action=np.array([one.action]),
                    reward=self._worth(one.reward[None]),
                    next_observation=features[1:],
                    terminated=np.zeros(1, dtype=np.bool_),
                    cut=np.array([one.is_cut]),
                    next_legal=one.next_legal[None],
                )
            )

    def press(self, meant: Sequence[tuple[int, float]], *, liked: bool) -> None:
        """Add feedback to rewards; `meant` has, per transition, how many transitions ago it was and its share."""
        worth = (PRESS_REWARD if liked else -PRESS_REWARD) / self._config.heads
        self._presses.append([(self._lived.stored - 1 - back, np.float32(worth * share)) for back, share in meant])
        for row, bonus in self._presses[-1]:
            self._lived.reward(row, bonus)

    def take_back(self, *, everything: bool) -> None:
        """Remove the last feedback, or all of it, from the rewards."""
        taken, self._presses = (self._presses, []) if everything else (self._presses[-1:], self._presses[:-1])
        for row, bonus in (change for press in taken for change in press):
            self._lived.reward(row, -bonus)

    def imagine(self, game: Game) -> None:
        """Play games with the player's latest music; older games are overwritten in time."""
        if not self._settings.imagined_share:
            return
        if self._imagined is None:
            self._imagined = _Games(game, self._buffer(self._settings.lanes), self._first)
            self._play(self._imagined, FILL_STEPS)
        else:
            self._imagined.change(game)

    def reweigh(self, rewards: FloatArray) -> None:
        """Set the weights of the reward components, (components,).

        The stored rewards are reweighted too, unless the model has one head, which does not separate the components.
        """
        self._rewards = rewards
        if self._config.heads > 1:
            self._learner.reweigh(rewards)

    def learn(self, updates: int) -> float:
        """Make a number of updates, and return the mean loss."""
        loss = 0.0
        for _ in range(updates):
            if self.updates % self._settings.play_every == 0:
                for games in (self._corpus, self._imagined):
                    if games is not None:
                        self._play(games, 1)
            loss += self._learner.learn_step(self._batch())[0]
            self.updates += 1
            pairs = zip(self._average.parameters(), self._learner.q_network.parameters(), strict=True)
            with torch.no_grad():
                for old, new in pairs:
                    old.lerp_(new, 1 - self._settings.average)
        return loss / max(1, updates)

    def offer(self) -> Weights:
        """Return the learned weights: the moving average."""
        return self._average.to_weights()

    def go_back(self, weights: Weights) -> None:
        """Continue to learn from these weights, and drop what was learned since."""
        for network in (self._learner.q_network, self._learner.target_network, self._average):
            network.load_weights(weights)
        self._learner.forget_momentum()

    def _worth(self, reward: FloatArray) -> FloatArray:
        """Return rewards by component, (n, components), in the form that the heads predict, (n, heads)."""
        return reward if self._config.heads > 1 else reward @ self._rewards[:, None]

    def _buffer(self, lanes: int) -> ReplayBuffer:
        """Return an empty replay buffer for the outputs of the first layer."""
        return ReplayBuffer(self._config, self._settings.dqn, lanes, features=2 * self._config.hidden)

    def _play(self, games: _Games, steps: int) -> None:
        """Play some steps of games."""
        for _ in range(steps):
            games.play(self._learner, self._worth, self._settings.dqn.epsilon_end, self._rng)

    def _batch(self) -> Batch:
        """Draw a batch from all replay buffers, each with its share."""
        settings = self._settings
        shares = [(self._lived, 1 - settings.corpus_share - settings.imagined_share)]
        for games, share in (
            (self._corpus, settings.corpus_share),
            (self._imagined, settings.imagined_share),
        ):
            if games is not None:
                shares.append((games.replay, share))
        there = [(replay, share) for replay, share in shares if len(replay) and share > 0]
        whole = sum(share for _, share in there)
        batches = [
            replay.sample(max(1, round(settings.dqn.batch_size * share / whole)), self._rng) for replay, share in there
        ]
        columns = {
            column.name: np.concatenate([getattr(batch, column.name) for batch in batches]) for column in fields(Batch)
        }
        return Batch(**columns)


class _Games:
    """Games that the learner plays, with the replay buffer of their transitions."""

    def __init__(self, game: Game, replay: ReplayBuffer, first: FirstLayer) -> None:
        """Start `game`; `first` computes the features that are stored in place of observations."""
        self.replay = replay
        self._first = first
        self.change(game)

    def change(self, game: Game) -> None:
        """Start another game."""
        self._game = game
        game.reset()
        self._features = self._first(game.observation)

    def play(
        self,
        learner: Learner,
        worth: Callable[[FloatArray], FloatArray],
        epsilon: float,
        rng: np.random.Generator,
    ) -> None:
        """Play one step of every parallel game, epsilon-greedily, and store the transitions."""
        actions = learner.select_actions(self._features, self._game.legal, epsilon, rng)
        before = self._features
        observation, reward, over = self._game.step(actions)
        self._features = self._first(observation)
        self.replay.store(
            Transitions(
                observation=before,
                action=actions,
                reward=worth(reward),
                next_observation=self._features,
                terminated=np.zeros(len(actions), dtype=np.bool_),
                cut=np.full(len(actions), over),
                next_legal=self._game.legal.copy(),
            )
        )
        if over:
            self.change(self._game)
