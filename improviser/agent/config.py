"""The shapes of the network and the settings of deep Q-learning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

EMBEDDING_WIDE: Final = 8
EMBEDDING_NARROW: Final = 4
_FEW_VALUES: Final = 20
_TWO_VALUES: Final = 2


@dataclass(frozen=True, slots=True)
class Group:
    """Observation columns that share one embedding: how many, and how many values each can have."""

    name: str
    columns: int
    values: int

    @property
    def embedding(self) -> int:
        """The length of an embedding: 1 for two values, longer for more."""
        if self.values == _TWO_VALUES:
            return 1
        return EMBEDDING_NARROW if self.values <= _FEW_VALUES else EMBEDDING_WIDE


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of a network: groups of categorical columns in, one number an action out."""

    groups: tuple[Group, ...]
    actions: int
    hidden: int = 256

    @property
    def columns(self) -> int:
        """The columns of an observation."""
        return sum(group.columns for group in self.groups)

    @property
    def rows(self) -> int:
        """The rows of the folded first layer: one for each value of each column."""
        return sum(group.columns * group.values for group in self.groups)

    def row_offsets(self) -> npt.NDArray[np.int64]:
        """Give, for each column, the row of its value 0: (columns,)."""
        sizes = [group.values for group in self.groups for _ in range(group.columns)]
        return np.array([0, *accumulate(sizes[:-1])], dtype=np.int64)

    def to_json(self) -> str:
        """Give the shape as text, for a checkpoint's header."""
        groups = [[group.name, group.columns, group.values] for group in self.groups]
        return json.dumps({"groups": groups, "actions": self.actions, "hidden": self.hidden})


def network_config_from_json(text: str) -> NetworkConfig:
    """Give the shape that `to_json` wrote.

    Raises:
        ValueError: The text is no such shape.
    """
    try:
        data = json.loads(text)
        groups = tuple(
            Group(str(name), int(columns), int(values)) for name, columns, values in data["groups"]
        )
        return NetworkConfig(groups, int(data["actions"]), int(data["hidden"]))
    except (KeyError, TypeError, OverflowError) as error:
        msg = f"no network shape: {text[:80]}"
        raise ValueError(msg) from error


@dataclass(frozen=True, slots=True)
class DQNConfig:
    """Settings of deep Q-learning.

    Source: V. Mnih et al. (2015), "Human-level control through deep reinforcement learning", Nature 518.

    Attributes:
        gamma: Discount of the next step's value, 0-1. A step is a sixteenth: 0.9 looks a beat or three ahead.
        learning_rate: Of Adam (the paper: RMSProp).
        batch_size: Transitions in an update.
        buffer_size: Transitions that the replay buffer holds.
        learning_starts: Transitions sampled before the first update.
        train_frequency: Transitions sampled for each update.
        target_update_interval: Updates between two synchronisations of the target network.
        epsilon_start: Share of random actions at first.
        epsilon_end: Share of random actions later.
        exploration_fraction: Share of the training in which epsilon falls from start to end.
        max_grad_norm: Bound on the gradient's norm (the paper clips the error instead).
    """

    gamma: float = 0.9
    learning_rate: float = 3e-4
    batch_size: int = 256
    buffer_size: int = 200_000
    learning_starts: int = 5_000
    train_frequency: int = 64
    target_update_interval: int = 500
    epsilon_start: float = 0.5
    epsilon_end: float = 0.05
    exploration_fraction: float = 0.4
    max_grad_norm: float = 10.0

    def epsilon(self, progress: float) -> float:
        """Give the share of random actions at `progress` 0-1 of the training."""
        fallen = min(1.0, progress / self.exploration_fraction)
        return self.epsilon_start + fallen * (self.epsilon_end - self.epsilon_start)
