"""The shape of a network and the settings of deep Q-learning."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

EMBEDDING_WIDE: Final = 8
EMBEDDING_NARROW: Final = 4
_FEW_VALUES: Final = 20
_TWO_VALUES: Final = 2
# Units in each hidden layer of the shipped models.
WIDTH: Final = 256


@dataclass(frozen=True, slots=True)
class Group:
    """A number of observation columns that share one embedding; each column has one of `values` values."""

    name: str
    columns: int
    values: int

    @property
    def embedding(self) -> int:
        """The length of an embedding: 1 for two values, EMBEDDING_NARROW or EMBEDDING_WIDE for more."""
        if self.values == _TWO_VALUES:
            return 1
        return EMBEDDING_NARROW if self.values <= _FEW_VALUES else EMBEDDING_WIDE


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The shape of a network: its inputs are groups of categorical columns; each head has one output per action.

    Attributes:
        groups: The columns.
        actions: Number of outputs of each head.
        hidden: Width of both hidden layers.
        heads: Number of heads: one for each part of the reward that is valued separately.
        layer_norm: Whether both hidden layers are normalised (J. L. Ba et al. 2016, "Layer Normalization").
        one_hot: Whether each value of each column has its own weights in the first layer, as if columns were
            one-hot; else the columns of a group share embeddings.
    """

    groups: tuple[Group, ...]
    actions: int
    hidden: int = WIDTH
    heads: int = 1
    layer_norm: bool = False
    one_hot: bool = False

    @property
    def columns(self) -> int:
        """The number of columns of an observation."""
        return sum(group.columns for group in self.groups)

    @property
    def rows(self) -> int:
        """The number of rows of the folded first layer: one for each value of each column."""
        return sum(group.columns * group.values for group in self.groups)

    def row_offsets(self) -> npt.NDArray[np.int64]:
        """Return for each column the row of its value 0, (columns,)."""
        sizes = [group.values for group in self.groups for _ in range(group.columns)]
        return np.array([0, *accumulate(sizes[:-1])], dtype=np.int64)

    def to_json(self) -> str:
        """Return the shape as text, for a checkpoint's header."""
        groups = [[group.name, group.columns, group.values] for group in self.groups]
        shape = {"actions": self.actions, "hidden": self.hidden, "heads": self.heads}
        return json.dumps({"groups": groups, **shape, "layer_norm": self.layer_norm, "one_hot": self.one_hot})

    def prior(self) -> NetworkConfig:
        """Return the shape of the prior that belongs to a Q-network of this shape: one head, shared embeddings."""
        return replace(self, heads=1, one_hot=False)


def network_config_from_json(text: str) -> NetworkConfig:
    """Return the shape that `to_json` wrote.

    Raises:
        ValueError: The text is not such a shape.
    """
    try:
        data = json.loads(text)
        groups = tuple(Group(str(name), int(columns), int(values)) for name, columns, values in data["groups"])
        shape = int(data["actions"]), int(data["hidden"]), int(data.get("heads", 1))
        switches = bool(data.get("layer_norm", False)), bool(data.get("one_hot", False))
        return NetworkConfig(groups, *shape, *switches)
    except (KeyError, TypeError, OverflowError) as error:
        msg = f"no network shape: {text[:80]}"
        raise ValueError(msg) from error


@dataclass(frozen=True, slots=True)
class DQNConfig:
    """Settings of deep Q-learning; the defaults give the textbook algorithm.

    Source: V. Mnih et al. (2015), "Human-level control through deep reinforcement learning", Nature 518. Extensions
    are off by default; their sources are below.

    Attributes:
        gamma: Discount of the next step's value, 0-1. A step is a sixteenth: 0.9 looks one to three beats ahead.
        learning_rate: Learning rate of Adam (the paper uses RMSProp).
        batch_size: Transitions in an update.
        buffer_size: Transitions that the replay buffer holds.
        learning_starts: Transitions sampled before the first update.
        train_frequency: Transitions sampled for each update.
        target_update_interval: Updates between two synchronisations of the target network.
        epsilon_start: Share of random actions at first.
        epsilon_end: Share of random actions later.
        exploration_fraction: Share of the training in which epsilon falls from start to end.
        max_grad_norm: Bound on the gradient's norm (the paper clips the error instead).
        decomposed: Use a head for each reward component; all bootstrap at the action that their weighted sum
            prefers (Z. Juozapaitis et al. 2019, "Explainable Reinforcement Learning via Reward
            Decomposition"; H. van Seijen et al. 2017, "Hybrid Reward Architecture").
        double: The Q-network selects the next action, the target network values it (H. van Hasselt et al.
            2016, "Deep Reinforcement Learning with Double Q-learning").
        dueling: Value and advantages are learned separately (Z. Wang et al. 2016, "Dueling Network
            Architectures for Deep Reinforcement Learning").
        layer_norm: See NetworkConfig.
        one_hot: See NetworkConfig. It holds only for the Q-network, because the prior has few examples.
        n_steps: Rewards that are summed before the bootstrap (R. Sutton 1988; M. Hessel et al. 2018,
            "Rainbow").
        priority: Exponent of the error in the chance of being replayed; 0 draws uniformly (T. Schaul et al.
            2016, "Prioritized Experience Replay").
        importance: Exponent, at first, of the weights that undo the bias of priorities; it rises to 1.
        huber: Errors beyond 1 count linearly (P. J. Huber 1964).
        target_rate: Share of the Q-network that the target network takes over in each update, in place of the
            periodic synchronisation (T. Lillicrap et al. 2016); 0: periodic.
        prior_weight: Weight of the prior's log-probability beside the Q-values, for acting and bootstrapping, as on
            stage.
        prior_exploration: Draw exploring actions from the prior instead of uniformly.
        temperature: Temperature of the softmax for acting and bootstrapping; 0 takes the best action.
        soft_value: Bootstrap from the soft value, which counts the prior and the entropy of the policy, as
            KL control does (N. Jaques et al. 2017, "Sequence Tutor", Psi-learning).
        munchausen: Weight of the policy's own log-probability as a reward (N. Vieillard et al. 2020,
            "Munchausen Reinforcement Learning"); needs a temperature.
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
    decomposed: bool = False
    double: bool = False
    dueling: bool = False
    layer_norm: bool = False
    one_hot: bool = False
    n_steps: int = 1
    priority: float = 0.0
    importance: float = 0.4
    huber: bool = False
    target_rate: float = 0.0
    prior_weight: float = 0.0
    prior_exploration: bool = False
    temperature: float = 0.0
    soft_value: bool = False
    munchausen: float = 0.0

    @property
    def uses_prior(self) -> bool:
        """Whether learning uses the prior."""
        return self.prior_weight > 0 or self.prior_exploration

    def epsilon(self, progress: float) -> float:
        """Return the share of random actions at `progress` 0-1 of the training."""
        fallen = min(1.0, progress / self.exploration_fraction)
        return self.epsilon_start + fallen * (self.epsilon_end - self.epsilon_start)


# The settings of the shipped models. `docs/learning.md` says what each extension gains.
FULL: Final = DQNConfig(
    decomposed=True,
    double=True,
    dueling=True,
    n_steps=3,
    huber=True,
    prior_weight=0.12,
    prior_exploration=True,
    temperature=0.14,
    epsilon_start=0.2,
    epsilon_end=0.02,
)
