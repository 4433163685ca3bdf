"""The options of DQNConfig beyond the textbook, each compared with numbers calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from improviser.agent.config import DQNConfig, Group, NetworkConfig
from improviser.agent.learner import Learner, policy_of, td_target
from improviser.agent.network import Network
from improviser.agent.policy import FloatArray
from improviser.agent.replay_buffer import Batch
from tests.tiny_network import SMALL, make_batch, make_network, make_observations

STATES, ACTIONS = 4, 3
GAMMA = 0.5


def tabular(table: FloatArray) -> Network:
    """Return a network whose outputs are `table`, (states, heads, actions): it passes the one-hot state on."""
    states, heads, actions = table.shape
    config = NetworkConfig((Group("state", 1, states),), actions, hidden=states, heads=heads)
    network = make_network(config)
    zeros = {name: np.zeros_like(weight) for name, weight in network.to_weights().items()}
    identity = np.eye(states, dtype=np.float32)
    layers = {
        "embedding.state": identity,
        "input.state": identity[None],
        "hidden.weight": identity,
        "output.weight": table.reshape(states, -1).T,
    }
    network.load_weights(zeros | layers)
    return network


def table_of(heads: int, **rows: list[list[float]]) -> FloatArray:
    """Return a table, (STATES, heads, ACTIONS), with rows for the named states s0, s1 and so on; the rest is 0."""
    table = np.zeros((STATES, heads, ACTIONS), dtype=np.float32)
    for name, values in rows.items():
        table[int(name[1:])] = values
    return table


def from_0_to_1(reward: list[float], action: int = 0) -> Batch:
    """Return the transition from state 0 to state 1, with a reward for each head."""
    return Batch(
        observation=np.array([[0]], dtype=np.uint8),
        action=np.array([action]),
        reward=np.array([reward], dtype=np.float32),
        next_observation=np.array([[1]], dtype=np.uint8),
        next_legal=np.ones((1, ACTIONS), dtype=np.bool_),
        discount=np.array([GAMMA], dtype=np.float32),
        weight=np.ones(1, dtype=np.float32),
        places=np.zeros(1, dtype=np.int64),
    )


def error_of(learner: Learner, batch: Batch) -> float:
    """Return the error of a batch of one row, as the mean over the heads."""
    return float(learner.learn_step(batch)[1][0])


def test_each_head_is_bootstrapped_at_the_action_of_their_sum() -> None:
    """Head 0 prefers action 0, head 1 action 1, their sum action 2: the targets are 1 + .5 x 3 and 2 + .5 x 3."""
    table = table_of(2, s1=[[4, 0, 3], [0, 4, 3]])
    loss, _ = Learner(tabular(table), DQNConfig(decomposed=True)).learn_step(from_0_to_1([1.0, 2.0]))
    assert pytest.approx(2.5**2 + 3.5**2) == loss


def test_the_weights_decide_what_the_sum_takes() -> None:
    """With head 1 weighted 0 the sum is head 0, which prefers action 0: targets 1 + .5 x 4 and 2 + .5 x 0."""
    table = table_of(2, s1=[[4, 0, 3], [0, 4, 3]])
    weights = np.array([1.0, 0.0], dtype=np.float32)
    learner = Learner(tabular(table), DQNConfig(decomposed=True), weights=weights)
    assert pytest.approx(3.0**2 + 2.0**2) == learner.learn_step(from_0_to_1([1.0, 2.0]))[0]


def test_double_values_what_the_other_network_chooses() -> None:
    """The Q-network prefers action 1, whose value in the target network is 2: the target is 0 + .5 x 2."""
    learner = Learner(tabular(table_of(1, s1=[[5, 2, 0]])), DQNConfig(double=True))
    learner.q_network.load_weights(tabular(table_of(1, s1=[[0, 9, 0]])).to_weights())
    assert pytest.approx(1.0) == error_of(learner, from_0_to_1([0.0]))


def test_a_temperature_bootstraps_from_the_mean() -> None:
    """With two actions worth 2 and one 10 below, the softmax's mean is 2, minus the small share of the third."""
    learner = Learner(tabular(table_of(1, s1=[[2, 2, -8]])), DQNConfig(temperature=0.5))
    assert pytest.approx(1.0, abs=1e-4) == error_of(learner, from_0_to_1([0.0]))


def test_the_soft_value_counts_entropy() -> None:
    """Tau log sum exp (q / tau) of three equal values q = 2 at tau = 1 is 2 + log 3."""
    config = DQNConfig(temperature=1.0, soft_value=True)
    learner = Learner(tabular(table_of(1, s1=[[2, 2, 2]])), config)
    assert pytest.approx(GAMMA * (2 + np.log(3)), rel=1e-5) == error_of(learner, from_0_to_1([0.0]))


def test_the_soft_value_counts_the_prior() -> None:
    """With the prior p and Q = 0 the policy is p, and its value with the prior's weight tau is log sum p = 0."""
    habits = tabular(table_of(1, s1=[[1.0, 0.0, -1.0]]))
    config = DQNConfig(temperature=1.0, soft_value=True, prior_weight=1.0)
    learner = Learner(tabular(table_of(1)), config, prior=habits)
    assert pytest.approx(0.0, abs=1e-6) == error_of(learner, from_0_to_1([0.0]))


def test_the_prior_turns_the_choice() -> None:
    """A prior that prefers action 2 makes it the bootstrap action: the target is 0 + .5 x 1, not .5 x 2."""
    habits = tabular(table_of(1, s1=[[0, 0, 8.0]]))
    learner = Learner(tabular(table_of(1, s1=[[2, 0, 1]])), DQNConfig(prior_weight=1.0), prior=habits)
    assert pytest.approx(0.5) == error_of(learner, from_0_to_1([0.0]))


def test_munchausen_rewards_what_the_policy_would_do() -> None:
    """With three equal values log pi = -log 3; at tau .5 and alpha .9 the reward falls by .9 x .5 x log 3."""
    config = DQNConfig(temperature=0.5, munchausen=0.9)
    learner = Learner(tabular(table_of(1)), config)
    assert pytest.approx(0.9 * 0.5 * np.log(3), rel=1e-5) == error_of(learner, from_0_to_1([0.0]))


def test_munchausen_is_bounded() -> None:
    """An action that the policy would never choose lowers the reward by alpha x 1 at most."""
    config = DQNConfig(temperature=0.5, munchausen=0.9)
    learner = Learner(tabular(table_of(1, s0=[[0, 99, 0]])), config)
    assert pytest.approx(0.9, rel=1e-5) == error_of(learner, from_0_to_1([0.0]))


def test_what_is_added_is_shared_by_the_heads() -> None:
    """Two heads of weight 1 each get half of the entropy, so that their sum has all of it."""
    config = DQNConfig(temperature=1.0, soft_value=True, decomposed=True)
    loss, _ = Learner(tabular(table_of(2)), config).learn_step(from_0_to_1([0.0, 0.0]))
    assert pytest.approx(2 * (GAMMA * np.log(3) / 2) ** 2, rel=1e-5) == loss


def test_huber_counts_great_errors_linearly() -> None:
    """An error of 5 costs 5 - 1/2, and an error of 1/2 half its square."""
    losses = [
        Learner(tabular(table_of(1)), DQNConfig(huber=True)).learn_step(from_0_to_1([reward]))[0]
        for reward in (5.0, 0.5)
    ]
    assert pytest.approx([4.5, 0.125]) == losses


def test_weights_of_rows_count() -> None:
    """A row of weight 1/4 adds a quarter of its loss."""
    batch = from_0_to_1([2.0])
    batch.weight[:] = 0.25
    assert pytest.approx(1.0) == Learner(tabular(table_of(1)), DQNConfig()).learn_step(batch)[0]


def test_the_target_network_follows_a_little() -> None:
    """At a rate of .25 the target network moves a quarter of the way at each update, and never jumps."""
    learner = Learner(make_network(), DQNConfig(target_rate=0.25, target_update_interval=1))
    before = learner.target_network.to_weights()
    learner.learn_step(make_batch(SMALL, 8, np.random.default_rng(0)))
    after, aim = learner.target_network.to_weights(), learner.q_network.to_weights()
    for name, weight in before.items():
        np.testing.assert_allclose(weight + 0.25 * (aim[name] - weight), after[name], atol=1e-6)


@pytest.mark.parametrize(
    ("config", "values", "habits", "epsilon"),
    [
        (DQNConfig(prior_exploration=True), [0, 0, 0], [1.0, 0.0, 2.0], 1.0),
        (DQNConfig(temperature=0.5), [0.5, 0.0, 9.0], [0, 0, 0], 0.0),
    ],
    ids=["exploring by the prior", "acting by the softmax"],
)
def test_actions_are_drawn(config: DQNConfig, values: list[float], habits: list[float], epsilon: float) -> None:
    """Two legal actions are drawn in the ratio e to 1 at log-odds of 1, and an illegal one never."""
    learner = Learner(tabular(table_of(1, s0=[values])), config, prior=tabular(table_of(1, s0=[habits])))
    lanes = 20_000
    legal = np.tile([True, True, False], (lanes, 1))
    seen = np.zeros((lanes, 1), dtype=np.uint8)
    actions = learner.select_actions(seen, legal, epsilon, np.random.default_rng(0))
    share, found = np.e / (1 + np.e), np.bincount(actions, minlength=3) / lanes
    assert pytest.approx([share, 1 - share, 0], abs=0.02) == found.tolist()


def test_the_end_needs_no_legal_action() -> None:
    """Where no action is legal the policy is 0, and the target is the reward."""
    policy = policy_of(torch.full((1, ACTIONS), -torch.inf), 0.5)
    zero = torch.zeros(1)
    assert [[1.5]] == td_target(torch.tensor([[1.5]]), torch.ones(1, 1, ACTIONS), policy, zero).tolist()


@pytest.mark.parametrize("name", ["double", "huber", "soft_value", "prior_exploration", "dueling"])
def test_it_learns_with_each_addition(name: str) -> None:
    """The learner fits a batch with each of the additions."""
    config = DQNConfig(**{name: True}, learning_rate=1e-2, temperature=0.1, prior_weight=0.1)
    network = Network(SMALL, torch.Generator().manual_seed(0), dueling=config.dueling)
    learner = Learner(network, config, prior=make_network(seed=9))
    batch = make_batch(SMALL, 32, np.random.default_rng(0))
    batch.discount[:] = 0
    losses = [learner.learn_step(batch)[0] for _ in range(200)]
    assert losses[0] / 5 > losses[-1]
    seen = make_observations(SMALL, 4, np.random.default_rng(1))
    assert np.isfinite(learner.q_network(torch.from_numpy(seen)).detach().numpy()).all()
