"""The numpy policy for live play: equal to the torch network, legal, seeded, and drawn from its softmax."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import numpy.typing as npt
import pytest
import torch

from improviser.agent.config import NetworkConfig
from improviser.agent.network import Network
from improviser.agent.policy import Anticipator, ForeseeingActor, Mix, Policy, chance_of, draw, select_action
from improviser.training.env import NETWORK
from tests.tiny_network import SMALL, make_network, make_observations, make_weights

ALL_LEGAL = np.ones(SMALL.actions, dtype=np.bool_)


def make_policy(seed: int = 0) -> Policy:
    """Return a small policy with random weights."""
    return Policy(SMALL, make_weights(seed=seed), make_weights(seed=seed + 1))


def observation() -> npt.NDArray[np.uint8]:
    """Return one observation."""
    row: npt.NDArray[np.uint8] = make_observations(SMALL, 1, np.random.default_rng(0))[0]
    return row


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        NETWORK,
        replace(NETWORK, heads=3),
        replace(SMALL, heads=2, layer_norm=True),
        replace(SMALL, heads=2, one_hot=True),
    ],
    ids=["small", "stage", "heads", "norm", "one-hot"],
)
def test_numpy_equals_torch(config: NetworkConfig, seed: int) -> None:
    """Q-values and log-prior equal those of the torch network to 1e-5, relative to their size."""
    habits = config.prior()
    prior, q = make_weights(habits, seed, 0.1), make_weights(config, seed + 10, 0.1)
    policy = Policy(config, prior, q)
    rows = make_observations(config, 50, np.random.default_rng(seed))
    expected_q, logits = _torch_outputs(config, q, rows), _torch_outputs(habits, prior, rows)[:, 0]
    expected_prior = torch.log_softmax(torch.from_numpy(logits), dim=1).numpy()
    values = [policy.values(row) for row in rows]
    np.testing.assert_allclose(expected_prior, [value[0] for value in values], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(expected_q, [value[1] for value in values], rtol=1e-5, atol=1e-5)


def test_two_streams_are_folded_into_one() -> None:
    """A dueling network's weights convert to those of a plain network with the same values, and back."""
    config = replace(SMALL, heads=3)
    dueling = Network(config, torch.Generator().manual_seed(0), dueling=True)
    with torch.no_grad():
        for parameter in dueling.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) / 9)
    rows = make_observations(config, 20, np.random.default_rng(0))
    expected = dueling(torch.from_numpy(rows)).detach().numpy()
    np.testing.assert_allclose(expected, _torch_outputs(config, dueling.to_weights(), rows), atol=1e-5)
    other = Network(config, torch.Generator().manual_seed(2), dueling=True)
    other.load_weights(dueling.to_weights())
    np.testing.assert_allclose(expected, other(torch.from_numpy(rows)).detach().numpy(), atol=1e-5)


def test_heads_and_preference_are_mixed() -> None:
    """The value is 2 x head 0 + 0.5 x head 2 + 0.25 x log-prior + preference; a single head is used as it is."""
    q_values = np.array([[1.0, 0.0], [9.0, 9.0], [2.0, -4.0]], dtype=np.float32)
    log_prior, preference = np.array([-4.0, -8.0], dtype=np.float32), np.array([0.0, 1.5], dtype=np.float32)
    weights = np.array([2.0, 0.0, 0.5], dtype=np.float32)
    assert [2.0, -2.5] == Mix(weights, 1.0, 0.25, preference).value((log_prior, q_values)).tolist()
    assert [8.0, 7.0] == Mix(weights, 1.0, 0.25).value((log_prior, q_values[1:2])).tolist()


def test_the_prior_is_a_distribution() -> None:
    """The prior's probabilities sum to 1, even where its outputs are large."""
    weights = make_weights(scale=1e3)
    log_prior, _ = Policy(SMALL, weights, weights).values(observation())
    assert pytest.approx(1, abs=1e-5) == np.exp(log_prior.astype(np.float64)).sum()


def test_weights_go_to_torch_and_back() -> None:
    """The torch network returns the weights that it loaded."""
    weights = make_weights(seed=3)
    network = make_network(seed=4)
    network.load_weights(weights)
    for name, weight in network.to_weights().items():
        np.testing.assert_array_equal(weights[name], weight)


def test_only_legal_actions_are_drawn() -> None:
    """No illegal action is drawn at any temperature, and its log-probability is minus infinity."""
    values, rng = make_policy().values(observation()), np.random.default_rng(0)
    for _ in range(500):
        legal = rng.random(SMALL.actions) < 0.4
        legal[rng.integers(SMALL.actions)] = True
        choice = select_action(values, legal, rng, mix(50.0, 0.3))
        assert legal[choice.action]
        assert legal.tolist() == np.isfinite(choice.log_policy).tolist()


def test_temperature_zero_takes_the_best() -> None:
    """At temperature 0 the best legal action is chosen, without using a random number."""
    rng = np.random.default_rng(0)
    log_prior, q_values = make_policy().values(observation())
    value = q_values[0] + 0.3 * log_prior
    legal = ALL_LEGAL.copy()
    for _ in range(2):
        best = int(np.where(legal, value, -np.inf).argmax())
        choice = select_action((log_prior, q_values), legal, rng, mix(0.0, 0.3))
        assert best == choice.action
        assert choice.log_policy[best] == 0
        legal[best] = False
    assert np.random.default_rng(0).random() == rng.random()


@pytest.mark.parametrize("temperature", [1.0, 0.5, 4.0])
def test_frequencies_follow_the_softmax(temperature: float) -> None:
    """Over many draws each action's share is its softmax probability, within four standard deviations."""
    value = np.array([0.3, -1.0, 1.2, 0.0, 2.0], dtype=np.float32)
    legal = np.array([True, True, True, True, False])
    rng, draws = np.random.default_rng(0), 20_000
    counts = np.bincount([draw(value, legal, temperature, rng)[1] for _ in range(draws)], minlength=5)
    exponentials = np.exp(value[:4] / temperature)
    expected = np.append(exponentials / exponentials.sum(), 0.0)
    np.testing.assert_array_less(
        np.abs(counts / draws - expected), 4 * np.sqrt(expected * (1 - expected) / draws) + 1e-9
    )
    np.testing.assert_allclose(expected, np.exp(draw(value, legal, temperature, rng)[0]), atol=1e-6)


def test_prior_weight_mixes() -> None:
    """The decision is a softmax over Q-values plus the weighted log-prior, and both are returned."""
    log_prior, q_values = make_policy().values(observation())
    choice = select_action((log_prior, q_values), ALL_LEGAL, np.random.default_rng(0), mix(0.7, 0.4))
    mixed = torch.log_softmax(torch.from_numpy((q_values[0] + 0.4 * log_prior) / 0.7), dim=0).numpy()
    np.testing.assert_allclose(mixed, choice.log_policy, atol=1e-5)
    np.testing.assert_array_equal(log_prior, choice.log_prior)
    np.testing.assert_array_equal(q_values, choice.q_values)


def test_draws_follow_the_seed() -> None:
    """The same generator, observation and weights give the same decision."""
    values = make_policy().values(observation())
    first, again, other = (
        [select_action(values, ALL_LEGAL, rng, mix(2.0, 0.3)).action for _ in range(30)]
        for rng in map(np.random.default_rng, (1, 1, 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("drawn", [0.0, float(np.nextafter(1.0, 0.0))])
def test_the_ends_of_the_ladder_are_legal(drawn: float) -> None:
    """The smallest and the largest random number both choose the single legal action."""
    rng = Mock(spec=np.random.Generator)
    rng.random.return_value = drawn
    legal = np.array([False, False, True, False, False])
    assert draw(np.zeros(5, dtype=np.float32), legal, 1.0, rng)[1] == 2


def mix(temperature: float, prior_weight: float) -> Mix:
    """Return a mix in which all heads have the same weight."""
    return Mix(np.ones(1, dtype=np.float32), temperature, prior_weight)


def _torch_outputs(
    config: NetworkConfig, weights: dict[str, npt.NDArray[np.float32]], rows: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Return the torch network's outputs, (rows, heads, actions)."""
    network = make_network(config)
    network.load_weights(weights)
    outputs: npt.NDArray[np.float32] = network(torch.from_numpy(rows)).detach().numpy()
    return outputs


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_the_chance_of_an_action_is_that_of_its_draw(temperature: float) -> None:
    """The chances of all actions are the probabilities that a choice reports, and 0 where illegal."""
    values, mix = make_policy().values(observation()), Mix(np.ones(SMALL.heads, dtype=np.float32), temperature, 0.3)
    legal = ALL_LEGAL.copy()
    legal[::3] = False
    choice = select_action(values, legal, np.random.default_rng(0), mix)
    chances = [chance_of(action, values, legal, mix) for action in range(SMALL.actions)]
    if temperature:
        assert np.exp(choice.log_policy).tolist() == pytest.approx(chances, abs=1e-6)
    else:
        assert 1.0 == chances[choice.action]
    assert 1.0 == pytest.approx(sum(chances))
    assert not np.array(chances)[::3].any()


@pytest.mark.parametrize(
    "config", [SMALL, replace(SMALL, heads=3), replace(SMALL, heads=2, layer_norm=True)], ids=["one", "heads", "norm"]
)
def test_several_observations_are_valued_as_one_by_one(config: NetworkConfig) -> None:
    """Rows give the same values together as alone, to 1e-5."""
    policy = Policy(config, make_weights(config.prior(), 1), make_weights(config, 2))
    rows = make_observations(config, 5, np.random.default_rng(0))
    log_priors, q_values = policy.values_of(rows)
    for row, log_prior, q in zip(rows, log_priors, q_values, strict=True):
        alone = policy.values(row)
        np.testing.assert_allclose(alone[0], log_prior, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(alone[1], q, rtol=1e-4, atol=1e-5)


def test_the_prediction_equals_torch() -> None:
    """The probabilities are the softmax of the torch network's outputs, from the first columns alone."""
    network = make_network(seed=3)
    policy = Policy(SMALL, make_weights(), make_weights(), anticipator=Anticipator(SMALL, network.to_weights()))
    rows = make_observations(SMALL, 5, np.random.default_rng(0))
    expected = network(torch.from_numpy(rows))[:, 0].softmax(dim=1).detach().numpy()
    for row, chances in zip(rows, expected, strict=True):
        found = policy.anticipate(np.append(row, np.uint8(7)))
        assert found is not None
        np.testing.assert_allclose(chances, found, rtol=1e-4, atol=1e-6)


def test_a_policy_without_that_network_predicts_nothing() -> None:
    """A policy can be asked to predict; without the network it returns None, and other upper layers keep it."""
    policy = make_policy()
    assert isinstance(policy, ForeseeingActor)
    assert None is policy.anticipate(observation())
    foreseeing = Policy(SMALL, make_weights(), make_weights(), anticipator=Anticipator(SMALL, make_weights()))
    twin = foreseeing.with_upper_layers(foreseeing.upper_layers)
    np.testing.assert_array_equal(foreseeing.anticipate(observation()), twin.anticipate(observation()))
