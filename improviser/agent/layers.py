"""The network's forward pass, written once: numpy computes it on stage, torch in training.

A network has a first layer, which sums a row of a table for each column of an observation, a hidden layer and an
output layer. The table is folded from embeddings, so that the first layer costs one gather and one sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from improviser.agent.config import NetworkConfig

# Source: torch.nn.LayerNorm's default.
NORM_EPSILON: Final = 1e-5
INPUT: Final = "input"
HIDDEN: Final = "hidden"
OUTPUT: Final = "output"
# The part before the dot in the names of the weights above the first layer.
UPPER_LAYERS: Final = (HIDDEN, f"{HIDDEN}_norm", OUTPUT)

Array = TypeVar("Array")
Norm = tuple[Array, Array]


class ArrayLibrary(Protocol[Array]):
    """The operations that a numeric library has to provide."""

    def embed(self, embedding: Array, weight: Array) -> Array:
        """Return the product, (columns, values, hidden), of (values, embedding) and (columns, embedding, hidden)."""
        ...

    def stack_rows(self, blocks: Sequence[Array]) -> Array:
        """Return blocks, (columns, values, hidden) each, as one table, (rows, hidden)."""
        ...

    def linear(self, inputs: Array, weight: Array, bias: Array) -> Array:
        """Return a layer's sums, (..., outputs), from (..., inputs), (outputs, inputs) and (outputs,)."""
        ...

    def activate(self, sums: Array, norm: Norm[Array] | None) -> Array:
        """Return `sums`, normalised if there is a `norm`, and then rectified; `sums` may be overwritten."""
        ...


def fold_first_layer(config: NetworkConfig, weights: Mapping[str, Array], library: ArrayLibrary[Array]) -> Array:
    """Return the first layer as a table, (config.rows, hidden).

    Args:
        config: The network's shape.
        weights: `embedding.NAME`, (values, embedding), and `input.NAME`, (columns, embedding, hidden); or
            `input.weight`, the table itself, where the layer is one-hot.
        library: The numeric library.
    """
    if config.one_hot:
        return weights[f"{INPUT}.weight"]
    names = [group.name for group in config.groups]
    return library.stack_rows(
        [library.embed(weights[f"embedding.{name}"], weights[f"{INPUT}.{name}"]) for name in names]
    )


def first_layer(weights: Mapping[str, Array], sums: Array, library: ArrayLibrary[Array]) -> Array:
    """Return the first layer's outputs, (..., hidden), from its sums, which include the bias."""
    return library.activate(sums, _norm(weights, INPUT))


def hidden_layer(weights: Mapping[str, Array], features: Array, library: ArrayLibrary[Array]) -> Array:
    """Return the hidden layer's outputs, (..., hidden), from those of the first layer, (..., hidden)."""
    sums = library.linear(features, weights[f"{HIDDEN}.weight"], weights[f"{HIDDEN}.bias"])
    return library.activate(sums, _norm(weights, HIDDEN))


def output_layer(weights: Mapping[str, Array], hidden: Array, library: ArrayLibrary[Array]) -> Array:
    """Return the network's outputs, (..., heads * actions), from those of the hidden layer."""
    return library.linear(hidden, weights[f"{OUTPUT}.weight"], weights[f"{OUTPUT}.bias"])


def _norm(weights: Mapping[str, Array], layer: str) -> Norm[Array] | None:
    """Return the weight and bias of a layer's normalisation; None if it has none."""
    name = f"{layer}_norm.weight"
    return (weights[name], weights[f"{layer}_norm.bias"]) if name in weights else None
