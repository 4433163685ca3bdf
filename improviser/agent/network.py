"""The network in torch: embeddings of categorical columns, two hidden layers, one output per head and action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from improviser.agent.checkpoint import weight_shapes
from improviser.agent.layers import NORM_EPSILON, first_layer, fold_first_layer, hidden_layer, output_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.config import NetworkConfig
    from improviser.agent.layers import Norm
    from improviser.agent.policy import Weights


class _TorchLibrary:
    """Computes the layers of a batch, with gradients."""

    @staticmethod
    def embed(embedding: Tensor, weight: Tensor) -> Tensor:
        """Return the product, (columns, values, hidden), of (values, embedding) and (columns, embedding, hidden)."""
        return torch.einsum("ve,ceh->cvh", embedding, weight)

    @staticmethod
    def stack_rows(blocks: Sequence[Tensor]) -> Tensor:
        """Return blocks, (columns, values, hidden) each, as one table, (rows, hidden)."""
        return torch.cat([block.reshape(-1, block.shape[-1]) for block in blocks])

    @staticmethod
    def linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return a layer's sums, (batch, outputs), from (batch, inputs), (outputs, inputs) and (outputs,)."""
        return functional.linear(inputs, weight, bias)

    @staticmethod
    def activate(sums: Tensor, norm: Norm[Tensor] | None) -> Tensor:
        """Return sums, (batch, hidden), normalised if there is a `norm`, and rectified."""
        if norm is not None:
            sums = functional.layer_norm(sums, (sums.shape[-1],), *norm, NORM_EPSILON)
        return functional.relu(sums)


TORCH: Final = _TorchLibrary()


class Network(nn.Module):
    """Maps observations, (batch, columns) integers, to outputs, (batch, heads, actions).

    The first layer is folded before it is applied (see `agent.layers`). This costs less than a dense first layer over
    the embeddings, and training computes the same as the stage. `to_weights` folds the two streams of a dueling
    network into one, because they are linear in the last layer.
    """

    def __init__(self, config: NetworkConfig, generator: torch.Generator, *, dueling: bool = False) -> None:
        """Draw the weights from `generator` (He et al. 2015; those of the output layer are small)."""
        super().__init__()
        self.config = config
        self.dueling = dueling
        self._offsets = torch.from_numpy(config.row_offsets())
        fan_in = sum(group.columns * (1 if config.one_hot else group.embedding) for group in config.groups)
        scales = {"input": (2 / fan_in) ** 0.5, "hidden": (2 / config.hidden) ** 0.5, "output": 0.01}
        self._weights = nn.ParameterDict()
        self._names = tuple(weight_shapes(config))
        self._folded: tuple[tuple[tuple[int, int], ...], Tensor] | None = None
        for name, shape in weight_shapes(config).items():
            scale = 0.0 if name.endswith("bias") else scales.get(name.split(".")[0], 1.0)
            weight = torch.randn(shape, generator=generator) * scale
            self._weights[_key(name)] = nn.Parameter(torch.ones(shape) if name.endswith("norm.weight") else weight)
        if dueling:
            self._value = nn.Linear(config.hidden, config.heads)
            nn.init.zeros_(self._value.weight)
            nn.init.zeros_(self._value.bias)

    def forward(self, observations: Tensor) -> Tensor:
        """Return the outputs, (batch, heads, actions)."""
        weights = {name: self._get(name) for name in self._names}
        sums = functional.embedding_bag(observations.long() + self._offsets, self._table(weights), mode="sum")
        features = first_layer(weights, sums + weights["input.bias"], TORCH)
        hidden = hidden_layer(weights, features, TORCH)
        outputs = output_layer(weights, hidden, TORCH).reshape(len(hidden), self.config.heads, self.config.actions)
        if not self.dueling:
            return outputs
        value: Tensor = self._value(hidden)[:, :, None]
        return value + outputs - outputs.mean(dim=2, keepdim=True)

    def to_weights(self) -> Weights:
        """Return the weights as numpy arrays, by the names of `weight_shapes`."""
        weights = {name: self._get(name).detach().numpy().copy() for name in weight_shapes(self.config)}
        if self.dueling:
            value = self._value.weight.detach().numpy()[:, None], self._value.bias.detach().numpy()[:, None]
            for name, stream in zip(("output.weight", "output.bias"), value, strict=True):
                advantage = weights[name].reshape(self.config.heads, self.config.actions, *stream.shape[2:])
                centred = advantage - advantage.mean(axis=1, keepdims=True)
                weights[name] = (centred + stream).reshape(weights[name].shape)
        return weights

    def load_weights(self, weights: Weights) -> None:
        """Load weights from `to_weights`; a dueling network uses the mean of each head as its value."""
        with torch.no_grad():
            for name in weight_shapes(self.config):
                self._get(name).copy_(torch.from_numpy(np.asarray(weights[name])))
            if self.dueling:
                shape = self.config.heads, self.config.actions
                self._value.weight.copy_(self._get("output.weight").reshape(*shape, -1).mean(dim=1))
                self._value.bias.copy_(self._get("output.bias").reshape(shape).mean(dim=1))

    def _table(self, weights: dict[str, Tensor]) -> Tensor:
        """Return the folded first layer, (rows, hidden); without gradients, the last one if no weight has changed."""
        if torch.is_grad_enabled():
            return fold_first_layer(self.config, weights, TORCH)
        # Where the weights lie, and how often torch has counted a change of them: a copy lies elsewhere.
        state = tuple((weight.data_ptr(), weight._version) for weight in weights.values())  # noqa: SLF001
        if self._folded is None or self._folded[0] != state:
            self._folded = state, fold_first_layer(self.config, weights, TORCH)
        return self._folded[1]

    def _get(self, name: str) -> Tensor:
        """Return one weight."""
        return cast("Tensor", self._weights[_key(name)])


def _key(name: str) -> str:
    """Return the name under which torch stores a weight: a ParameterDict allows no dots."""
    return name.replace(".", "__")
