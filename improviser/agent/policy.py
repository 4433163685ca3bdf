"""The policy in numpy: what decides on stage.

A network's first layer is folded to a table with a row for each value of each observation column, so that it
costs one gather and one sum. The numbers equal the torch network's to 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from improviser.agent.config import NetworkConfig

FloatArray = npt.NDArray[np.float32]
Weights = dict[str, FloatArray]
# Log-prior, (actions,), and Q-values, (heads, actions).
Values = tuple[FloatArray, FloatArray]

NETWORKS: Final = ("prior", "q")
# What stands before the dot in the names of the weights above the first layer.
UPPER: Final = ("hidden", "hidden_norm", "output")
# Source: torch.nn.LayerNorm's default; `agent.network` has the same.
_NORM_EPSILON: Final = np.float32(1e-5)


def fold_first_layer(config: NetworkConfig, weights: Weights) -> FloatArray:
    """Return the first layer as a table, (config.rows, hidden).

    Args:
        config: The shape.
        weights: `embedding.NAME`, (values, embedding), and `input.NAME`, (columns, embedding, hidden); or
            `input.weight`, the table itself, where the layer is one-hot.
    """
    if config.one_hot:
        return weights["input.weight"]
    blocks = [
        np.einsum("ve,ceh->cvh", weights[f"embedding.{group.name}"], weights[f"input.{group.name}"])
        for group in config.groups
    ]
    return np.concatenate([block.reshape(-1, config.hidden) for block in blocks])


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision and the numbers behind it.

    Attributes:
        action: The action taken.
        q_values: (heads, actions) Q-values.
        log_prior: (actions,) log-probabilities under the prior, of all actions, legal or not.
        log_policy: (actions,) log-probabilities under which the action was drawn; -inf where illegal.
        mix: What the values came to.
    """

    action: int
    q_values: FloatArray
    log_prior: FloatArray
    log_policy: FloatArray
    mix: Mix


class Actor(Protocol):
    """Whatever values actions: the policy below, or a baseline that it is measured against."""

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return log-prior, (actions,), and Q-values, (heads, actions), of one observation, (columns,)."""
        ...


class Policy:
    """Q-network and prior side by side.

    Threads: an instance belongs to one thread; values neither blocks nor does I/O.
    """

    def __init__(self, config: NetworkConfig, prior: Weights, q: Weights, table: FloatArray | None = None) -> None:
        """Fold both networks' weights: the Q-network's shape is `config`, the prior's has one head.

        Args:
            config: The shape.
            prior: The prior's weights.
            q: The Q-network's.
            table: (config.rows, 2 * hidden) both folded first layers, where they are known.
        """
        self.config = config
        self._offsets = config.row_offsets()
        if table is None:
            tables = fold_first_layer(config.prior(), prior), fold_first_layer(config, q)
            table = np.concatenate(tables, axis=1)
        self._table = table
        self._bias = np.concatenate([net["input.bias"] for net in (prior, q)])
        self._tails = [_Tail(net) for net in (prior, q)]
        self._above = [{name: net[name] for name in net if not _is_folded(name)} for net in (prior, q)]

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return log-prior, (actions,), and Q-values, (heads, actions), of one observation, (columns,)."""
        first = np.add.reduce(self._table.take(self._offsets + observation, axis=0), axis=0)
        first += self._bias
        hidden = self.config.hidden
        prior, q_values = self._tails[0](first[:hidden]), self._tails[1](first[hidden:])
        return prior - _log_sum_exp(prior), q_values.reshape(self.config.heads, -1)

    @property
    def upper(self) -> Weights:
        """The Q-network's weights above its first layer."""
        return {name: weight for name, weight in self._above[1].items() if name.split(".")[0] in UPPER}

    def with_upper(self, weights: Weights) -> Policy:
        """Return the policy whose Q-network has other weights above its first layer, which both share."""
        prior, q = self._above
        return Policy(self.config, prior, q | weights, self._table)


@dataclass(frozen=True, slots=True)
class Mix:
    """What the values come to in a decision.

    Attributes:
        weights: (heads,) how much each head counts; a model with one head takes no notice.
        temperature: Of the softmax over the values; at 0 the best action is taken, and nothing is drawn.
        prior_weight: How much people's habits count beside the Q-values.
        preference: (actions,) what is added for each action; None: nothing.
    """

    weights: FloatArray
    temperature: float
    prior_weight: float
    preference: FloatArray | None = None

    def value(self, values: Values) -> FloatArray:
        """Return what each action is worth, (actions,): the weighted Q-values, the prior and the preference."""
        log_prior, q_values = values
        value: FloatArray = self.weights @ q_values if len(q_values) > 1 else q_values[0].copy()
        value += np.float32(self.prior_weight) * log_prior
        if self.preference is not None:
            value += self.preference
        return value


def select_action(values: Values, legal: npt.NDArray[np.bool_], rng: np.random.Generator, mix: Mix) -> Choice:
    """Draw an action from softmax(value / temperature) over the legal ones.

    Args:
        values: Log-prior and Q-values, as an actor gives them.
        legal: (actions,) which actions may be taken; at least one.
        rng: Draws the action.
        mix: What the values come to.
    """
    log_prior, q_values = values
    log_policy, action = draw(mix.value(values), legal, mix.temperature, rng)
    return Choice(action, q_values, log_prior, log_policy, mix)


def draw(
    value: FloatArray, legal: npt.NDArray[np.bool_], temperature: float, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """Return log-probabilities, (actions,), and an action drawn by a softmax of `value` over the legal ones."""
    masked = np.where(legal, value, -np.inf).astype(np.float32)
    best = int(masked.argmax())
    if temperature <= 0:
        return np.where(np.arange(len(value)) == best, 0.0, -np.inf).astype(np.float32), best
    masked -= masked[best]
    masked /= np.float32(temperature)
    chances = np.exp(masked)
    ladder = chances.cumsum()
    action = int(ladder.searchsorted(rng.random() * ladder[-1], side="right"))
    # In float32 a draw just below 1 rounds to the top of the ladder, beyond every legal action.
    return masked - np.log(ladder[-1]), action if action < len(value) else best


class _Tail:
    """A network behind the sums of its first layer."""

    def __init__(self, weights: Weights) -> None:
        """Take the weights, of which those of the norms may be missing."""
        self._hidden = weights["hidden.weight"], weights["hidden.bias"]
        self._output = weights["output.weight"], weights["output.bias"]
        self._norms = [
            (weights[f"{layer}.weight"], weights[f"{layer}.bias"]) if f"{layer}.weight" in weights else None
            for layer in ("input_norm", "hidden_norm")
        ]

    def __call__(self, first: FloatArray) -> FloatArray:
        """Return the outputs, (heads * actions,), and overwrite `first`."""
        second = self._hidden[0] @ _activated(first, self._norms[0])
        second += self._hidden[1]
        outputs: FloatArray = self._output[0] @ _activated(second, self._norms[1]) + self._output[1]
        return outputs


def _activated(layer: FloatArray, norm: tuple[FloatArray, FloatArray] | None) -> FloatArray:
    """Return a layer, (hidden,), normalised where it is to be, without what is below 0, in its own place."""
    if norm is not None:
        count = np.float32(len(layer))
        layer -= np.add.reduce(layer) / count
        layer *= 1 / np.sqrt(layer @ layer / count + _NORM_EPSILON)
        layer *= norm[0]
        layer += norm[1]
    return np.maximum(layer, 0, out=layer)


def _is_folded(name: str) -> bool:
    """Return whether a weight is in the table of the first layer."""
    return name.startswith(("embedding.", "input.")) and name != "input.bias"


def _log_sum_exp(values: FloatArray) -> np.float32:
    """Return log(sum(exp(values))) without overflow."""
    top = values.max()
    return np.float32(top + np.log(np.exp(values - top).sum()))
