"""Networks that are small enough to check by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from improviser.agent.config import Group, NetworkConfig
from improviser.agent.network import Network
from improviser.agent.policy import FloatArray, Weights
from improviser.agent.replay_buffer import Batch, Transitions

SMALL = NetworkConfig((Group("note", 3, 40), Group("flag", 2, 2), Group("bar", 1, 8)), actions=5, hidden=16)
# As many states as an embedding has columns, so that a state's embedding can be its one-hot vector.
STATES = 4


def make_network(config: NetworkConfig = SMALL, seed: int = 0) -> Network:
    """Return a network with random weights."""
    return Network(config, torch.Generator().manual_seed(seed))


def make_weights(config: NetworkConfig = SMALL, seed: int = 0, scale: float = 1.0) -> Weights:
    """Return random weights and biases; those of the output layer are multiplied by `scale`."""
    rng = np.random.default_rng(seed)
    weights = make_network(config, seed).to_weights()
    for name, weight in weights.items():
        if name.startswith("output") or name.endswith("bias"):
            weights[name] = (rng.normal(size=weight.shape) * scale).astype(np.float32)
    return weights


def make_observations(config: NetworkConfig, rows: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return random observations, (rows, columns)."""
    values = [group.values for group in config.groups for _ in range(group.columns)]
    return rng.integers(0, values, size=(rows, len(values))).astype(np.uint8)


def make_transitions(config: NetworkConfig, rows: int, rng: np.random.Generator) -> Transitions:
    """Return random transitions; the first action is always legal."""
    legal = rng.random((rows, config.actions)) < 0.5
    legal[:, 0] = True
    return Transitions(
        observation=make_observations(config, rows, rng),
        action=rng.integers(config.actions, size=rows),
        reward=rng.normal(size=(rows, config.heads)).astype(np.float32),
        next_observation=make_observations(config, rows, rng),
        terminated=rng.random(rows) < 0.3,
        cut=np.zeros(rows, dtype=np.bool_),
        next_legal=legal,
    )


def as_batch(rows: Transitions, gamma: float = 0.9) -> Batch:
    """Return the transitions as a batch for an update, one step each."""
    count = len(rows.action)
    return Batch(
        observation=rows.observation,
        action=rows.action,
        reward=rows.reward,
        next_observation=rows.next_observation,
        next_legal=rows.next_legal,
        discount=np.where(rows.terminated, 0.0, gamma).astype(np.float32),
        weight=np.ones(count, dtype=np.float32),
        places=np.arange(count),
    )


def make_batch(config: NetworkConfig, rows: int, rng: np.random.Generator) -> Batch:
    """Return a random batch."""
    return as_batch(make_transitions(config, rows, rng))


def tabular_network(table: FloatArray) -> Network:
    """Return a network whose outputs are `table`, (STATES, actions): its layers pass the one-hot state on."""
    config = NetworkConfig((Group("state", 1, STATES),), actions=table.shape[1], hidden=STATES)
    identity = np.eye(STATES, dtype=np.float32)
    network = make_network(config)
    zeros = {name: np.zeros_like(weight) for name, weight in network.to_weights().items()}
    layers = {
        "embedding.state": identity,
        "input.state": identity[None],
        "hidden.weight": identity,
        "output.weight": table.T,
    }
    network.load_weights(zeros | layers)
    return network
