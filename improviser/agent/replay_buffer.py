"""The replay buffer: past transitions, from which learning draws at random."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from improviser.agent.priorities import Priorities

if TYPE_CHECKING:
    from improviser.agent.config import DQNConfig, NetworkConfig

FloatArray = npt.NDArray[np.float32]
# The input of a network: observations, or the first layer's outputs for them.
Observations = npt.NDArray[np.uint8 | np.float16]


@dataclass(frozen=True, slots=True)
class Transitions:
    """Rows of (s, a, r, s', whether s' was the end, what is legal in s').

    Attributes:
        observation: (n, columns).
        action: (n,) int64.
        reward: (n, heads) float32.
        next_observation: (n, columns).
        terminated: (n,) bool; a piece that was only cut off is not terminated.
        cut: (n,) bool, whether the episode was cut off here: s' still counts, but nothing follows it.
        next_legal: (n, actions) bool.
    """

    observation: Observations
    action: npt.NDArray[np.int64]
    reward: FloatArray
    next_observation: Observations
    terminated: npt.NDArray[np.bool_]
    cut: npt.NDArray[np.bool_]
    next_legal: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """What an update learns from: s, a, the rewards of n steps, and the state after them.

    Attributes:
        observation: (n, columns).
        action: (n,) int64.
        reward: (n, heads) float32, discounted sums.
        next_observation: (n, columns), the state after the last of these rewards.
        next_legal: (n, actions) bool.
        discount: (n,) float32, weight of the next state's value; 0 where it was the end.
        weight: (n,) float32, weight of each row in the loss.
        places: (n,) int64, places of the rows in the buffer.
    """

    observation: Observations
    action: npt.NDArray[np.int64]
    reward: FloatArray
    next_observation: Observations
    next_legal: npt.NDArray[np.bool_]
    discount: FloatArray
    weight: FloatArray
    places: npt.NDArray[np.int64]


class ReplayBuffer:
    """A ring buffer of the last transitions, from `lanes` parallel environments in turn."""

    def __init__(self, network: NetworkConfig, config: DQNConfig, lanes: int = 1, features: int | None = None) -> None:
        """Start empty.

        Args:
            network: The shape of the network that learns: columns, heads, actions.
            config: How many rows are kept, and how they are drawn.
            lanes: Rows that are stored at a time; the successor of a row is this many places further on.
            features: The number of the first layer's outputs, if these are stored instead of observations.
        """
        capacity = max(1, config.buffer_size // lanes) * lanes
        self._config, self._lanes, self._capacity = config, lanes, capacity
        self._stored = 0
        self._priorities = Priorities(capacity, config.priority) if config.priority > 0 else None
        columns = capacity, features or network.columns
        kind = np.uint8 if features is None else np.float16
        self._rows = Transitions(
            observation=np.zeros(columns, dtype=kind),
            action=np.zeros(capacity, dtype=np.int64),
            reward=np.zeros((capacity, network.heads), dtype=np.float32),
            next_observation=np.zeros(columns, dtype=kind),
            terminated=np.zeros(capacity, dtype=np.bool_),
            cut=np.zeros(capacity, dtype=np.bool_),
            next_legal=np.zeros((capacity, network.actions), dtype=np.bool_),
        )

    def __len__(self) -> int:
        """Return the number of transitions in the buffer."""
        return min(self._stored, self._capacity)

    def store(self, transitions: Transitions) -> None:
        """Store transitions, one row per lane; if the buffer is full, they replace the oldest ones."""
        places = (self._stored + np.arange(len(transitions.action))) % self._capacity
        for field in fields(Transitions):
            getattr(self._rows, field.name)[places] = getattr(transitions, field.name)
        if self._priorities is not None:
            self._priorities.add(places)
        self._stored += len(places)

    @property
    def stored(self) -> int:
        """The number of rows that were ever stored."""
        return self._stored

    def reward(self, row: int, bonus: np.float32) -> None:
        """Add a bonus to all heads' rewards of a row, counted from the first row ever; ignore a row that is gone."""
        if self._stored - len(self) <= row < self._stored:
            self._rows.reward[row % self._capacity] += bonus

    def sample(self, batch_size: int, rng: np.random.Generator, progress: float = 0.0) -> Batch:
        """Return `batch_size` rows, drawn with replacement.

        Args:
            batch_size: Number of rows.
            rng: Draws the rows.
            progress: Share of the training that is over, 0-1. With it the weights rise, until they fully undo the
                bias of priorities.
        """
        if self._priorities is None:
            places = rng.integers(len(self), size=batch_size)
            return self._batch(places, np.ones(batch_size, dtype=np.float32))
        places, chances = self._priorities.draw(batch_size, rng)
        exponent = self._config.importance + progress * (1 - self._config.importance)
        weight = (chances * len(self)) ** -exponent
        return self._batch(places, (weight / weight.max()).astype(np.float32))

    def reprioritise(self, places: npt.NDArray[np.int64], errors: FloatArray) -> None:
        """Set the priorities of the rows at `places` by their errors, (n,)."""
        if self._priorities is not None:
            self._priorities.set(places, errors)

    def _batch(self, places: npt.NDArray[np.int64], weight: FloatArray) -> Batch:
        """Return a batch of the rows at `places`, with rewards summed over up to n_steps steps of the episode."""
        rows, gamma = self._rows, self._config.gamma
        reward, last = rows.reward[places], places.copy()
        discount = np.full(len(places), gamma, dtype=np.float32)
        newer = (self._stored - 1 - places) % self._capacity
        for step in range(1, self._config.n_steps):
            goes_on = ~(rows.terminated[last] | rows.cut[last]) & (newer >= step * self._lanes)
            if not goes_on.any():
                break
            last = np.where(goes_on, (places + step * self._lanes) % self._capacity, last)
            reward += (goes_on * discount)[:, None] * rows.reward[last]
            discount = np.where(goes_on, discount * gamma, discount).astype(np.float32)
        return Batch(
            observation=rows.observation[places],
            action=rows.action[places],
            reward=reward,
            next_observation=rows.next_observation[last],
            next_legal=rows.next_legal[last],
            discount=discount * ~rows.terminated[last],
            weight=weight,
            places=places,
        )
