"""The layers above the first: they compute the same as the whole network, and can be exchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from improviser.agent.checkpoint import (
    load_model,
    read_weights,
    save_model,
    save_with_weights,
    set_from_bytes,
    set_to_bytes,
)
from improviser.agent.network import Network
from improviser.agent.policy import Policy
from improviser.agent.upper_layers import FirstLayer, UpperLayers
from improviser.errors import CheckpointError
from improviser.files import bytes_digest
from tests.tiny_network import SMALL, make_observations, make_weights

SHAPES = {
    "plain": replace(SMALL, heads=3),
    "normed": replace(SMALL, heads=3, layer_norm=True),
    "one-hot": replace(SMALL, heads=2, one_hot=True),
}


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES)
def test_above_the_first_layer_the_numbers_are_the_networks(config: object) -> None:
    """The outputs of the prior and of the Q-network are the whole network's, to the precision of half floats."""
    assert isinstance(config, type(SMALL))
    prior, q = make_weights(config.prior(), 1), make_weights(config, 2)
    observations = make_observations(config, 20, np.random.default_rng(0))
    features = torch.from_numpy(FirstLayer(config, prior, q)(observations))
    for shape, weights, is_prior in ((config.prior(), prior, True), (config, q, False)):
        network = Network(shape, torch.Generator().manual_seed(0))
        network.load_weights(weights)
        expected = network(torch.from_numpy(observations)).detach().numpy()
        found = UpperLayers(shape, weights, is_prior=is_prior)(features).detach().numpy()
        assert found == pytest.approx(expected, abs=2e-2 * float(np.abs(expected).max()))


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES)
def test_a_policy_with_another_set_is_that_of_the_other_model(config: object) -> None:
    """A policy with another model's upper layers equals that model exactly, and can be changed back."""
    assert isinstance(config, type(SMALL))
    prior, q, other = make_weights(config.prior(), 1), make_weights(config, 2), make_weights(config, 3)
    policy, upper = Policy(config, prior, q), UpperLayers(config, other).to_weights()
    (observation,) = make_observations(config, 1, np.random.default_rng(0))
    whole = Policy(config, prior, q | upper).values(observation)
    there = policy.with_upper_layers(upper)
    back = there.with_upper_layers(policy.upper_layers)
    for found, expected in (
        (there.values(observation), whole),
        (back.values(observation), policy.values(observation)),
    ):
        assert all((one == another).all() for one, another in zip(found, expected, strict=True))
    assert sorted(upper) == sorted(policy.upper_layers)


def test_weights_that_are_loaded_are_those_that_are_given() -> None:
    """Loaded weights are identical, bit for bit."""
    config = SHAPES["normed"]
    first, second = UpperLayers(config, make_weights(config, 1)), UpperLayers(config, make_weights(config, 2))
    second.load_weights(first.to_weights())
    assert all((second.to_weights()[name] == weight).all() for name, weight in first.to_weights().items())


def test_a_set_survives_its_file(tmp_path: Path) -> None:
    """Weights are unchanged after saving and loading, and make a model with the layers they were trained on."""
    config = SHAPES["plain"]
    prior, q = make_weights(config.prior(), 1), make_weights(config, 2)
    upper = UpperLayers(config, make_weights(config, 3)).to_weights()
    data = set_to_bytes(config, upper, {"number": "1"})
    assert data == set_to_bytes(config, upper, {"number": "1"})
    path, model, target = (tmp_path / name for name in ("set", "model", "target"))
    path.write_bytes(data)
    read = read_weights(path, bytes_digest(data), config)
    assert all((read[name] == weight).all() for name, weight in upper.items())
    save_model(model, config, {"prior": prior, "q": q}, {"style": "fiddle"})
    save_with_weights(model, path, bytes_digest(data), target)
    found, networks, header = load_model(target)
    assert (config, "fiddle") == (found, header["style"])
    assert all((networks["q"][name] == (q | upper)[name]).all() for name in q)


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    """Invalid bytes, another model's weights, non-numbers, another file and a missing file are refused."""
    config = SHAPES["plain"]
    upper = UpperLayers(config, make_weights(config, 3)).to_weights()
    good = set_to_bytes(config, upper, {})
    with pytest.raises(CheckpointError, match="corrupt"):
        set_from_bytes(b"no set", bytes_digest(b"no set"), config)
    with pytest.raises(CheckpointError, match="another model"):
        set_from_bytes(good, bytes_digest(good), replace(config, hidden=8))
    broken = upper | {"output.bias": np.full_like(upper["output.bias"], np.nan)}
    bad = set_to_bytes(config, broken, {})
    with pytest.raises(CheckpointError, match="nan"):
        set_from_bytes(bad, bytes_digest(bad), config)
    path = tmp_path / "set"
    with pytest.raises(CheckpointError, match="no learned weights"):
        read_weights(path, "", config)
    path.write_bytes(set_to_bytes(config, upper, {}))
    with pytest.raises(CheckpointError, match="not those that were learned"):
        read_weights(path, "0123", config)
