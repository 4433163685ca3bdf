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
# Log-prior and Q-values, each (actions,).
Values = tuple[FloatArray, FloatArray]

NETWORKS: Final = ("prior", "q")


def fold_first_layer(config: NetworkConfig, weights: Weights) -> FloatArray:
    """Give the first layer as a table, (config.rows, hidden).

    Args:
        config: The shape.
        weights: `embedding.NAME`, (values, embedding), and `input.NAME`, (columns, embedding, hidden).
    """
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
        q_values: (actions,) Q-values.
        log_prior: (actions,) log-probabilities under the prior, of all actions, legal or not.
        log_policy: (actions,) log-probabilities under which the action was drawn; -inf where illegal.
    """

    action: int
    q_values: FloatArray
    log_prior: FloatArray
    log_policy: FloatArray


class Actor(Protocol):
    """Whatever values actions: the policy below, or a baseline that it is measured against."""

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give log-prior and Q-values, each (actions,), of one observation, (columns,)."""
        ...


class Policy:
    """Q-network and prior side by side.

    Threads: an instance belongs to one thread; values neither blocks nor does I/O.
    """

    def __init__(self, config: NetworkConfig, prior: Weights, q: Weights) -> None:
        """Fold both networks' weights, each of the shape `config`."""
        self.config = config
        self._offsets = config.row_offsets()
        self._table = np.concatenate([fold_first_layer(config, net) for net in (prior, q)], axis=1)
        self._bias = np.concatenate([net["input.bias"] for net in (prior, q)])
        self._layers = [
            (net["hidden.weight"], net["hidden.bias"], net["output.weight"], net["output.bias"])
            for net in (prior, q)
        ]

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give log-prior and Q-values, each (actions,), of one observation, (columns,)."""
        first = np.add.reduce(self._table.take(self._offsets + observation, axis=0), axis=0)
        first += self._bias
        np.maximum(first, 0, out=first)
        hidden = self.config.hidden
        prior = _tail(first[:hidden], *self._layers[0])
        return prior - _log_sum_exp(prior), _tail(first[hidden:], *self._layers[1])


def select_action(
    values: Values,
    legal: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    temperature: float,
    prior_weight: float,
) -> Choice:
    """Draw an action from softmax((Q + prior_weight x log prior) / temperature) over the legal ones.

    Args:
        values: Log-prior and Q-values, as an actor gives them.
        legal: (actions,) which actions may be taken; at least one.
        rng: Draws the action.
        temperature: Above 0; at 0 the best action is taken, and nothing is drawn.
        prior_weight: How much people's habits count beside the Q-values.
    """
    log_prior, q_values = values
    log_policy, action = draw(q_values + prior_weight * log_prior, legal, temperature, rng)
    return Choice(action, q_values, log_prior, log_policy)


def draw(
    value: FloatArray, legal: npt.NDArray[np.bool_], temperature: float, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """Give log-probabilities, (actions,), and an action drawn by a softmax of `value` over the legal ones."""
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


def _tail(
    first: FloatArray, weight: FloatArray, bias: FloatArray, out_weight: FloatArray, out_bias: FloatArray
) -> FloatArray:
    """Give the outputs of the second and third layer."""
    second = weight @ first
    second += bias
    np.maximum(second, 0, out=second)
    outputs: FloatArray = out_weight @ second + out_bias
    return outputs


def _log_sum_exp(values: FloatArray) -> np.float32:
    """Give log(sum(exp(values))) without overflow."""
    top = values.max()
    return np.float32(top + np.log(np.exp(values - top).sum()))
