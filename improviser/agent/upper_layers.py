"""The layers that learn while the music plays: those above the first layer.

The first layer stays as it was trained, so its outputs can be stored instead of observations. An update then takes a
tenth of the time, a set of weights has a fifth of the size, and the policy on stage keeps its table.

Source: N. Levine et al. (2017), "Shallow Updates for Deep Reinforcement Learning".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from improviser.agent.checkpoint import upper_layer_shapes
from improviser.agent.layers import first_layer, fold_first_layer, hidden_layer, output_layer
from improviser.agent.network import TORCH
from improviser.agent.policy import NUMPY

if TYPE_CHECKING:
    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import Weights

Features = npt.NDArray[np.float16]


class FirstLayer:
    """The first layers of the prior and of the Q-network; they do not change."""

    def __init__(self, config: NetworkConfig, prior: Weights, q: Weights) -> None:
        """Fold the layers of both networks; `config` is the Q-network's shape."""
        self.config = config
        tables = [fold_first_layer(*net, NUMPY) for net in ((config.prior(), prior), (config, q))]
        self._table = torch.from_numpy(np.concatenate(tables, axis=1))
        self._layers = [{name: torch.from_numpy(weight) for name, weight in net.items()} for net in (prior, q)]
        self._bias = torch.cat([net["input.bias"] for net in self._layers])
        self._offsets = torch.from_numpy(config.row_offsets())

    def __call__(self, observations: npt.NDArray[np.uint8]) -> Features:
        """Return the outputs for observations, (n, columns), as (n, 2 * hidden), the prior's half first."""
        rows = torch.from_numpy(observations).long() + self._offsets
        sums = functional.embedding_bag(rows, self._table, mode="sum") + self._bias
        halves = zip(self._layers, sums.chunk(2, dim=1), strict=True)
        made = torch.cat([first_layer(net, half, TORCH) for net, half in halves], dim=1)
        features: Features = made.half().numpy()
        return features


class UpperLayers(nn.Module):
    """Maps the outputs of `FirstLayer`, (batch, 2 * hidden), to outputs, (batch, heads, actions).

    Attributes:
        config: The shape of the network whose upper layers these are.
    """

    def __init__(self, config: NetworkConfig, weights: Weights, *, is_prior: bool = False) -> None:
        """Start with a network's weights; `is_prior` says which half of the features belongs to it."""
        super().__init__()
        self.config = config
        self._half = 0 if is_prior else 1
        self._names = tuple(upper_layer_shapes(config))
        self._weights = nn.ParameterList(
            [nn.Parameter(torch.from_numpy(np.array(weights[name]))) for name in self._names]
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return the outputs, (batch, heads, actions)."""
        weights: dict[str, Tensor] = dict(zip(self._names, self._weights, strict=True))
        own = features.chunk(2, dim=1)[self._half].float()
        outputs: Tensor = output_layer(weights, hidden_layer(weights, own, TORCH), TORCH)
        return outputs.reshape(len(features), self.config.heads, self.config.actions)

    def to_weights(self) -> Weights:
        """Return the weights as numpy arrays, by the names of `upper_layer_shapes`."""
        pairs = zip(self._names, self._weights, strict=True)
        return {name: weight.detach().numpy().copy() for name, weight in pairs}

    def load_weights(self, weights: Weights) -> None:
        """Load weights from `to_weights`."""
        with torch.no_grad():
            for name, weight in zip(self._names, self._weights, strict=True):
                weight.copy_(torch.from_numpy(np.asarray(weights[name])))
