"""The replay buffer: past transitions, of which learning draws at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from improviser.agent.config import NetworkConfig


@dataclass(frozen=True, slots=True)
class Transitions:
    """Rows of (s, a, r, s', whether s' was the end, what is legal in s').

    Attributes:
        observation: (n, columns) uint8.
        action: (n,) int64.
        reward: (n,) float32.
        next_observation: (n, columns) uint8.
        terminated: (n,) bool; a piece that was only cut off is not terminated.
        next_legal: (n, actions) bool.
    """

    observation: npt.NDArray[np.uint8]
    action: npt.NDArray[np.int64]
    reward: npt.NDArray[np.float32]
    next_observation: npt.NDArray[np.uint8]
    terminated: npt.NDArray[np.bool_]
    next_legal: npt.NDArray[np.bool_]


class ReplayBuffer:
    """A ring of the last `capacity` transitions."""

    def __init__(self, config: NetworkConfig, capacity: int) -> None:
        """Start empty."""
        self._capacity = capacity
        self._stored = 0
        self._rows = Transitions(
            observation=np.zeros((capacity, config.columns), dtype=np.uint8),
            action=np.zeros(capacity, dtype=np.int64),
            reward=np.zeros(capacity, dtype=np.float32),
            next_observation=np.zeros((capacity, config.columns), dtype=np.uint8),
            terminated=np.zeros(capacity, dtype=np.bool_),
            next_legal=np.zeros((capacity, config.actions), dtype=np.bool_),
        )

    def __len__(self) -> int:
        """Give how many transitions there are to draw from."""
        return min(self._stored, self._capacity)

    def store(self, transitions: Transitions) -> None:
        """Take in transitions, over the oldest where the buffer is full."""
        places = (self._stored + np.arange(len(transitions.action))) % self._capacity
        for name in Transitions.__slots__:
            getattr(self._rows, name)[places] = getattr(transitions, name)
        self._stored += len(places)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Transitions:
        """Give `batch_size` transitions, drawn uniformly with replacement."""
        places = rng.integers(len(self), size=batch_size)
        return Transitions(*(getattr(self._rows, name)[places] for name in Transitions.__slots__))
