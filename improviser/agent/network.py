"""The network in torch, embeddings of categorical columns, two hidden layers, a number an action."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from improviser.agent.checkpoint import weight_shapes

if TYPE_CHECKING:
    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import Weights


class Network(nn.Module):
    """Maps observations, (batch, columns) integers, to one number an action, (batch, actions).

    The first layer is folded before it is applied (see `agent.policy`): folding costs less than a dense first
    layer over the embeddings, and training and stage compute the same thing.
    """

    def __init__(self, config: NetworkConfig, generator: torch.Generator) -> None:
        """Draw the weights (He et al. 2015; the output layer small) from `generator`."""
        super().__init__()
        self.config = config
        self._offsets = torch.from_numpy(config.row_offsets())
        fan_in = sum(group.columns * group.embedding for group in config.groups)
        scales = {"input": (2 / fan_in) ** 0.5, "hidden": (2 / config.hidden) ** 0.5, "output": 0.01}
        self._weights = nn.ParameterDict()
        for name, shape in weight_shapes(config).items():
            scale = 0.0 if name.endswith("bias") else scales.get(name.split(".")[0], 1.0)
            self._weights[_key(name)] = nn.Parameter(torch.randn(shape, generator=generator) * scale)

    def forward(self, observations: Tensor) -> Tensor:
        """Give (batch, actions)."""
        first = functional.embedding_bag(
            observations.long() + self._offsets, self._folded(), mode="sum", include_last_offset=False
        )
        hidden = functional.relu(first + self._get("input.bias"))
        hidden = functional.relu(
            functional.linear(hidden, self._get("hidden.weight"), self._get("hidden.bias"))
        )
        return functional.linear(hidden, self._get("output.weight"), self._get("output.bias"))

    def to_weights(self) -> Weights:
        """Give the weights as numpy arrays, by the names of `weight_shapes`."""
        return {name: self._get(name).detach().numpy().copy() for name in weight_shapes(self.config)}

    def load_weights(self, weights: Weights) -> None:
        """Take over weights that `to_weights` gave."""
        with torch.no_grad():
            for name in weight_shapes(self.config):
                self._get(name).copy_(torch.from_numpy(np.asarray(weights[name])))

    def _get(self, name: str) -> Tensor:
        """Give one weight."""
        return cast("Tensor", self._weights[_key(name)])

    def _folded(self) -> Tensor:
        """Give the first layer as a table, (rows, hidden)."""
        blocks = [
            torch.einsum(
                "ve,ceh->cvh", self._get(f"embedding.{group.name}"), self._get(f"input.{group.name}")
            )
            for group in self.config.groups
        ]
        return torch.cat([block.reshape(-1, self.config.hidden) for block in blocks])


def _key(name: str) -> str:
    """Give the name under which torch keeps a weight: a ParameterDict allows no dots."""
    return name.replace(".", "__")
