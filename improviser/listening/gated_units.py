"""Gated recurrent units in numpy: what is heard one after the other, and remembered.

Source: K. Cho and others, "Learning phrase representations using RNN encoder-decoder" (2014), in PyTorch's form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = npt.NDArray[np.float32]

# Reset, update and new state of a unit.
_GATES: Final = 3


def gated_shapes(name: str, inputs: int, units: int, layers: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays of `layers` layers by their names, which begin with `name`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(layers):
        shapes[f"{name}.weight_ih_l{layer}"] = _GATES * units, units if layer else inputs
        shapes[f"{name}.weight_hh_l{layer}"] = _GATES * units, units
        shapes[f"{name}.bias_ih_l{layer}"] = shapes[f"{name}.bias_hh_l{layer}"] = (_GATES * units,)
    return shapes


class GatedUnits:
    """Layers of units and their state."""

    def __init__(self, arrays: Mapping[str, Array], name: str, layers: int) -> None:
        """Take the arrays whose names begin with `name`, and begin with nothing heard."""
        kinds = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        self._layers = [[arrays[f"{name}.{kind}_l{layer}"] for kind in kinds] for layer in range(layers)]
        self._states: list[Array] = [np.zeros(known.shape[1], dtype=np.float32) for _, _, known, _ in self._layers]

    def hear(self, heard: Array) -> Array:
        """Return the last layer's state, (units,), after the next input, (inputs,)."""
        for layer, weights in enumerate(self._layers):
            heard = self._states[layer] = gated_step(weights, self._states[layer], heard)
        return heard


def gated_step(weights: Sequence[Array], state: Array, heard: Array) -> Array:
    """Return the state of a layer, (..., units), after the next input, (..., inputs).

    Args:
        weights: Of the input, its biases, of the state, its biases.
        state: (..., units) before it.
        heard: (..., inputs).
    """
    fresh, fresh_bias, known, known_bias = weights
    units = state.shape[-1]
    new, old = _product(heard, fresh) + fresh_bias, _product(state, known) + known_bias
    gates = _logistic(new[..., : 2 * units] + old[..., : 2 * units])
    reset, update = gates[..., :units], gates[..., units:]
    found: Array = (1 - update) * np.tanh(new[..., 2 * units :] + reset * old[..., 2 * units :]) + update * state
    return found


def _product(values: Array, weights: Array) -> Array:
    """Return the sums, (..., outputs), of values, (..., inputs), by (outputs, inputs): one product of two matrices."""
    found: Array = (values.reshape(-1, values.shape[-1]) @ weights.T).reshape(*values.shape[:-1], len(weights))
    return found


def _logistic(logits: Array) -> Array:
    """Return the logistic function of logits."""
    found: Array = np.float32(1) / (np.float32(1) + np.exp(-logits))
    return found


def log_softmax(values: Array) -> Array:
    """Return the logarithms of the probabilities of `values`."""
    values = values - values.max()
    found: Array = values - np.log(np.exp(values).sum())
    return found
