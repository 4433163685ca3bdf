"""What is learned while the music plays: the layers above the first, on what the first one gives.

The first layer stays as it was trained, so what it makes of an observation can be kept beside it: an update
takes a tenth of the time, a set of weights is a fifth of the size, and the policy on stage keeps its table.

Source: N. Levine et al. (2017), "Shallow Updates for Deep Reinforcement Learning".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from improviser.agent.checkpoint import upper_shapes
from improviser.agent.network import NORM_EPSILON
from improviser.agent.policy import fold_first_layer

if TYPE_CHECKING:
    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import Weights

Features = npt.NDArray[np.float16]


class FirstLayer:
    """The first layer of the prior and of the Q-network, side by side; they do not change."""

    def __init__(self, config: NetworkConfig, prior: Weights, q: Weights) -> None:
        """Fold the layers of both networks; `config` is the Q-network's shape."""
        self.config = config
        tables = [fold_first_layer(config.prior(), prior), fold_first_layer(config, q)]
        self._table = torch.from_numpy(np.concatenate(tables, axis=1))
        self._bias = torch.from_numpy(np.concatenate([net["input.bias"] for net in (prior, q)]))
        self._offsets = torch.from_numpy(config.row_offsets())
        self._norms = [
            (torch.from_numpy(net["input_norm.weight"]), torch.from_numpy(net["input_norm.bias"]))
            if config.layer_norm
            else None
            for net in (prior, q)
        ]

    def __call__(self, observations: npt.NDArray[np.uint8]) -> Features:
        """Return what it makes of observations, (n, columns): (n, 2 * hidden), the prior's first."""
        rows = torch.from_numpy(observations).long() + self._offsets
        first = functional.embedding_bag(rows, self._table, mode="sum") + self._bias
        halves = [
            half if norm is None else functional.layer_norm(half, (len(norm[0]),), norm[0], norm[1], NORM_EPSILON)
            for half, norm in zip(first.chunk(2, dim=1), self._norms, strict=True)
        ]
        features: Features = functional.relu(torch.cat(halves, dim=1)).half().numpy()
        return features


class Upper(nn.Module):
    """Maps what `FirstLayer` gives, (batch, 2 * hidden), to numbers, (batch, heads, actions).

    Attributes:
        config: The shape of the network whose upper layers these are.
    """

    def __init__(self, config: NetworkConfig, weights: Weights, *, is_prior: bool = False) -> None:
        """Begin with a network's weights; `is_prior` tells which half of the features is its own."""
        super().__init__()
        self.config = config
        self._half = 0 if is_prior else 1
        self._names = tuple(upper_shapes(config))
        self._weights = nn.ParameterList(
            [nn.Parameter(torch.from_numpy(np.array(weights[name]))) for name in self._names]
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (batch, heads, actions)."""
        weights = dict(zip(self._names, self._weights, strict=True))
        own = features.chunk(2, dim=1)[self._half].float()
        hidden = functional.linear(own, weights["hidden.weight"], weights["hidden.bias"])
        if self.config.layer_norm:
            norm = weights["hidden_norm.weight"], weights["hidden_norm.bias"]
            hidden = functional.layer_norm(hidden, (self.config.hidden,), *norm, NORM_EPSILON)
        outputs = functional.linear(functional.relu(hidden), weights["output.weight"], weights["output.bias"])
        return outputs.reshape(len(features), self.config.heads, self.config.actions)

    def to_weights(self) -> Weights:
        """Return the weights as numpy arrays, by the names of `upper_shapes`."""
        pairs = zip(self._names, self._weights, strict=True)
        return {name: weight.detach().numpy().copy() for name, weight in pairs}

    def load_weights(self, weights: Weights) -> None:
        """Take over weights that `to_weights` gave."""
        with torch.no_grad():
            for name, weight in zip(self._names, self._weights, strict=True):
                weight.copy_(torch.from_numpy(np.asarray(weights[name])))
