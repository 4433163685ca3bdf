"""The policy in numpy, which decides on stage. Its outputs equal those of the torch network to 1e-5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from improviser.agent.layers import (
    NORM_EPSILON,
    UPPER_LAYERS,
    first_layer,
    fold_first_layer,
    hidden_layer,
    output_layer,
)

if TYPE_CHECKING:
    from improviser.agent.config import NetworkConfig
    from improviser.agent.layers import Norm

FloatArray = npt.NDArray[np.float32]
Weights = dict[str, FloatArray]
# Log-prior, (actions,), and Q-values, (heads, actions).
Values = tuple[FloatArray, FloatArray]
# What is added to the first head's Q-values, (rows, actions), of observations, (rows, columns), and their log-priors.
Advice = Callable[[npt.NDArray[np.uint8], FloatArray], FloatArray]

NETWORKS: Final = ("prior", "q")
_NORM_EPSILON: Final = np.float32(NORM_EPSILON)


class _NumpyLibrary:
    """Computes the layers of one observation at a time, in place where possible."""

    @staticmethod
    def embed(embedding: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the product, (columns, values, hidden), of (values, embedding) and (columns, embedding, hidden)."""
        product: FloatArray = np.einsum("ve,ceh->cvh", embedding, weight)
        return product

    @staticmethod
    def stack_rows(blocks: Sequence[FloatArray]) -> FloatArray:
        """Return blocks, (columns, values, hidden) each, as one table, (rows, hidden)."""
        return np.concatenate([block.reshape(-1, block.shape[-1]) for block in blocks])

    @staticmethod
    def linear(inputs: FloatArray, weight: FloatArray, bias: FloatArray) -> FloatArray:
        """Return a layer's sums, (outputs,), from (inputs,), (outputs, inputs) and (outputs,)."""
        sums: FloatArray = weight @ inputs
        sums += bias
        return sums

    @staticmethod
    def activate(sums: FloatArray, norm: Norm[FloatArray] | None) -> FloatArray:
        """Return sums, (hidden,), normalised if there is a `norm`, and rectified; they are overwritten."""
        if norm is not None:
            count = np.float32(len(sums))
            sums -= np.add.reduce(sums) / count
            sums *= 1 / np.sqrt(sums @ sums / count + _NORM_EPSILON)
            sums *= norm[0]
            sums += norm[1]
        return np.maximum(sums, 0, out=sums)


class _NumpyRows(_NumpyLibrary):
    """Computes the layers of several observations at once."""

    @staticmethod
    def linear(inputs: FloatArray, weight: FloatArray, bias: FloatArray) -> FloatArray:
        """Return a layer's sums, (rows, outputs), from (rows, inputs), (outputs, inputs) and (outputs,)."""
        sums: FloatArray = inputs @ weight.T
        sums += bias
        return sums

    @staticmethod
    def activate(sums: FloatArray, norm: Norm[FloatArray] | None) -> FloatArray:
        """Return sums, (rows, hidden), normalised if there is a `norm`, and rectified; they are overwritten."""
        if norm is not None:
            sums -= sums.mean(axis=-1, keepdims=True)
            sums /= np.sqrt(np.square(sums).mean(axis=-1, keepdims=True) + _NORM_EPSILON)
            sums *= norm[0]
            sums += norm[1]
        return np.maximum(sums, 0, out=sums)


NUMPY: Final = _NumpyLibrary()
_ROWS: Final = _NumpyRows()


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision and the numbers behind it.

    Attributes:
        action: The action taken.
        q_values: (heads, actions) Q-values.
        log_prior: (actions,) log-probabilities under the prior, of all actions, legal or not.
        log_policy: (actions,) log-probabilities under which the action was drawn; -inf where illegal.
        mix: How the values were combined.
    """

    action: int
    q_values: FloatArray
    log_prior: FloatArray
    log_policy: FloatArray
    mix: Mix


class Actor(Protocol):
    """Anything that values actions: the policy below, or a baseline policy that it is compared with."""

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return log-prior, (actions,), and Q-values, (heads, actions), of one observation, (columns,)."""
        ...


@runtime_checkable
class ForeseeingActor(Actor, Protocol):
    """An actor that also knows what the player will probably do, and values several observations at once."""

    def anticipate(self, observation: npt.NDArray[np.uint8]) -> FloatArray | None:
        """Return the probability of each event of the player's next step, (events,); None if it cannot tell.

        Args:
            observation: (columns,) the player's columns of an observation, before that step.
        """
        ...

    def values_of(self, observations: npt.NDArray[np.uint8]) -> Values:
        """Return log-priors, (rows, actions), and Q-values, (rows, heads, actions), of (rows, columns)."""
        ...


class Anticipator:
    """A network that predicts the player's next event from the columns of an observation that describe the player.

    Threads: an instance belongs to one thread; `chances` neither blocks nor does I/O.
    """

    def __init__(self, config: NetworkConfig, weights: Weights) -> None:
        """Fold the weights of a network of the shape `config`; its columns are the first ones of an observation."""
        self._columns = config.columns
        self._offsets = config.row_offsets()
        self._table = fold_first_layer(config, weights, NUMPY)
        self._weights = {name: weight for name, weight in weights.items() if not _is_folded(name)}

    def chances(self, observation: npt.NDArray[np.uint8]) -> FloatArray:
        """Return the probability of each event, (events,), after one observation, (columns,) or more of them."""
        rows = self._offsets + observation[: self._columns]
        sums = np.add.reduce(self._table.take(rows, axis=0), axis=0)
        sums += self._weights["input.bias"]
        hidden = hidden_layer(self._weights, first_layer(self._weights, sums, NUMPY), NUMPY)
        logits = output_layer(self._weights, hidden, NUMPY)
        chances: FloatArray = np.exp(logits - _log_sum_exp(logits))
        return chances


class Policy:
    """A policy that values actions by a Q-network and a prior.

    Threads: an instance belongs to one thread; `values` neither blocks nor does I/O.
    """

    def __init__(
        self,
        config: NetworkConfig,
        prior: Weights,
        q: Weights,
        table: FloatArray | None = None,
        anticipator: Anticipator | None = None,
        advice: Advice | None = None,
    ) -> None:
        """Fold the weights of both networks.

        Args:
            config: The shape of the Q-network; that of the prior has one head.
            prior: The prior's weights.
            q: The Q-network's weights.
            table: (config.rows, 2 * hidden) both folded first layers, if they are known already.
            anticipator: Predicts what the player does next; None if the model has no such network.
            advice: What is known of the first reward at once, beside the Q-values; None: nothing.
        """
        self.config = config
        self._advice = advice
        self._anticipator = anticipator
        self._offsets = config.row_offsets()
        if table is None:
            tables = [fold_first_layer(*net, NUMPY) for net in ((config.prior(), prior), (config, q))]
            table = np.concatenate(tables, axis=1)
        self._table = table
        self._bias = np.concatenate([net["input.bias"] for net in (prior, q)])
        self._layers = [{name: net[name] for name in net if not _is_folded(name)} for net in (prior, q)]

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return log-prior, (actions,), and Q-values, (heads, actions), of one observation, (columns,)."""
        first = np.add.reduce(self._table.take(self._offsets + observation, axis=0), axis=0)
        first += self._bias
        hidden = self.config.hidden
        prior, q_values = (
            output_layer(net, hidden_layer(net, first_layer(net, sums, NUMPY), NUMPY), NUMPY)
            for net, sums in zip(self._layers, (first[:hidden], first[hidden:]), strict=True)
        )
        log_prior, q_values = prior - _log_sum_exp(prior), q_values.reshape(self.config.heads, -1)
        if self._advice is not None:
            q_values[0] += self._advice(observation[None], log_prior[None])[0]
        return log_prior, q_values

    def values_of(self, observations: npt.NDArray[np.uint8]) -> Values:
        """Return log-priors, (rows, actions), and Q-values, (rows, heads, actions), of (rows, columns)."""
        first = np.add.reduce(self._table.take(self._offsets + observations, axis=0), axis=1)
        first += self._bias
        hidden = self.config.hidden
        prior, q_values = (
            output_layer(net, hidden_layer(net, first_layer(net, sums, _ROWS), _ROWS), _ROWS)
            for net, sums in zip(self._layers, (first[:, :hidden], first[:, hidden:]), strict=True)
        )
        normalised = np.stack([row - _log_sum_exp(row) for row in prior])
        q_values = q_values.reshape(len(observations), self.config.heads, -1)
        if self._advice is not None:
            q_values[:, 0] += self._advice(observations, normalised)
        return normalised, q_values

    def anticipate(self, observation: npt.NDArray[np.uint8]) -> FloatArray | None:
        """Return the probability of each event of the player's next step; None without a network for that."""
        return None if self._anticipator is None else self._anticipator.chances(observation)

    @property
    def upper_layers(self) -> Weights:
        """The Q-network's weights above its first layer."""
        return {name: weight for name, weight in self._layers[1].items() if name.split(".")[0] in UPPER_LAYERS}

    def with_upper_layers(self, weights: Weights) -> Policy:
        """Return a policy with other weights above the Q-network's first layer; both policies share that layer."""
        prior, q = self._layers
        return Policy(self.config, prior, q | weights, self._table, self._anticipator, self._advice)

    def with_advice(self, advice: Advice) -> Policy:
        """Return a policy of the same networks that takes an advice."""
        prior, q = self._layers
        return Policy(self.config, prior, q, self._table, self._anticipator, advice)


@dataclass(frozen=True, slots=True)
class Mix:
    """How the values of a decision are combined.

    Attributes:
        weights: (heads,) weight of each head; it has no effect on a model with one head.
        temperature: Temperature of the softmax over the values; at 0 the best action is taken, and nothing is drawn.
        prior_weight: Weight of the log-prior beside the Q-values.
        preference: (actions,) what is added to the value of each action; None: nothing.
    """

    weights: FloatArray
    temperature: float
    prior_weight: float
    preference: FloatArray | None = None

    def value(self, values: Values) -> FloatArray:
        """Return the value of each action, (actions,): the weighted Q-values, the prior and the preference."""
        log_prior, q_values = values
        value: FloatArray = self.weights @ q_values if len(q_values) > 1 else q_values[0].copy()
        value += np.float32(self.prior_weight) * log_prior
        if self.preference is not None:
            value += self.preference
        return value


def select_action(values: Values, legal: npt.NDArray[np.bool_], rng: np.random.Generator, mix: Mix) -> Choice:
    """Draw an action from softmax(value / temperature) over the legal actions.

    Args:
        values: Log-prior and Q-values, as an actor returns them.
        legal: (actions,) which actions may be taken; at least one.
        rng: Draws the action.
        mix: How the values are combined.
    """
    log_prior, q_values = values
    log_policy, action = draw(mix.value(values), legal, mix.temperature, rng)
    return Choice(action, q_values, log_prior, log_policy, mix)


def chance_of(action: int, values: Values, legal: npt.NDArray[np.bool_], mix: Mix) -> float:
    """Return the probability with which `select_action` would draw `action`."""
    _, chances = _softmax(mix.value(values), legal, mix.temperature)
    return float(chances[action] / chances.sum())


def draw(
    value: FloatArray, legal: npt.NDArray[np.bool_], temperature: float, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """Return log-probabilities, (actions,), and an action drawn by the softmax of `value` over legal actions."""
    masked, chances = _softmax(value, legal, temperature)
    best = int(chances.argmax())
    if temperature <= 0:
        return np.where(np.arange(len(value)) == best, 0.0, -np.inf).astype(np.float32), best
    ladder = chances.cumsum()
    action = int(ladder.searchsorted(rng.random() * ladder[-1], side="right"))
    # In float32 a draw just below 1 rounds up to the last sum, beyond every legal action.
    return masked - np.log(ladder[-1]), action if action < len(value) else best


def _softmax(value: FloatArray, legal: npt.NDArray[np.bool_], temperature: float) -> tuple[FloatArray, FloatArray]:
    """Return the scaled values of the legal actions, and numbers in proportion to the probabilities of all."""
    masked = np.where(legal, value, -np.inf).astype(np.float32)
    best = int(masked.argmax())
    if temperature <= 0:
        return masked, (np.arange(len(value)) == best).astype(np.float32)
    masked -= masked[best]
    masked /= np.float32(temperature)
    return masked, np.exp(masked)


def _is_folded(name: str) -> bool:
    """Return whether a weight is folded into the table of the first layer."""
    return name.startswith(("embedding.", "input.")) and name != "input.bias"


def _log_sum_exp(values: FloatArray) -> np.float32:
    """Return log(sum(exp(values))) without overflow."""
    top = values.max()
    return np.float32(top + np.log(np.exp(values - top).sum()))
