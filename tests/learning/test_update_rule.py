"""The update rule of deep Q-learning, compared with numbers calculated by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from improviser.agent.config import DQNConfig
from improviser.agent.learner import Learner, policy_of, td_target
from improviser.agent.policy import FloatArray
from improviser.agent.replay_buffer import Transitions
from tests.tiny_network import (
    SMALL,
    STATES,
    as_batch,
    make_batch,
    make_network,
    make_transitions,
    tabular_network,
)

# The worked example: after the fragment C E G the improviser plays A and is rewarded with 0.8. The fragment is then E G
# A, and the best action after it is worth 0.5.
C_E_G, E_G_A = 0, 1
NOTES = ("C", "D", "E", "F", "G", "A", "B")
A = NOTES.index("A")
REWARD, ALPHA, GAMMA = 0.8, 0.1, 0.9


def q_learning(q: FloatArray, transition: tuple[int, int, float, int], alpha: float, gamma: float) -> None:
    """Apply Q(s, a) <- Q(s, a) + alpha [r + gamma max_a' Q(s', a') - Q(s, a)] to a table."""
    state, action, reward, next_state = transition
    q[state, action] += alpha * (reward + gamma * q[next_state].max() - q[state, action])


def tabular_learner(table: FloatArray, alpha: float, gamma: float, interval: int = 1) -> Learner:
    """Return a learner of a network that is linear in the one-hot state, with plain SGD on its table.

    The gradient of (target - Q)^2 is -2 (target - Q), so a step of alpha / 2 moves Q by alpha (target - Q).
    """
    config = DQNConfig(gamma=gamma, target_update_interval=interval, max_grad_norm=np.inf)
    learner = Learner(tabular_network(table), config)
    parameters = dict(learner.q_network.named_parameters())
    learner.optimizer = torch.optim.SGD([parameters["_weights.output__weight"]], lr=alpha / 2)
    return learner


def learned_table(learner: Learner) -> FloatArray:
    """Return the table of a tabular learner, (STATES, actions)."""
    return learner.publish_weights()["output.weight"].T


def one_transition(state: int, action: int, reward: float, next_state: int) -> Transitions:
    """Return a single transition, after which every action is legal."""
    return Transitions(
        observation=np.array([[state]], dtype=np.uint8),
        action=np.array([action]),
        reward=np.array([[reward]], dtype=np.float32),
        next_observation=np.array([[next_state]], dtype=np.uint8),
        terminated=np.array([False]),
        cut=np.array([False]),
        next_legal=np.ones((1, len(NOTES)), dtype=np.bool_),
    )


def greedy_target(reward: list[float], next_q: list[list[float]], discount: float) -> list[float]:
    """Return the targets of one head for a greedy policy; a value of -inf marks an illegal action."""
    values = torch.tensor(next_q)
    policy = policy_of(values, 0.0)
    finite = torch.nan_to_num(values, neginf=0.0)[:, None]
    target = td_target(torch.tensor(reward)[:, None], finite, policy, torch.full((len(reward),), discount))
    numbers: list[float] = target[:, 0].tolist()
    return numbers


def test_td_target() -> None:
    """The target is r + gamma max Q(s', a')."""
    assert [2.0, -1.0] == greedy_target([1.0, -0.5], [[0.2, 2.0], [-3.0, -1.0]], 0.5)


def test_td_target_at_the_end() -> None:
    """At the end of an episode the target is the reward, even if no action is legal."""
    assert [1.0] == greedy_target([1.0], [[-torch.inf, -torch.inf]], 0.0)


def test_td_target_passes_illegal_actions_over() -> None:
    """The target ignores the value of an illegal action, however high it is."""
    assert pytest.approx([0.45]) == greedy_target([0.0], [[-torch.inf, 0.5, 0.25]], 0.9)


def test_worked_example_in_a_table() -> None:
    """State C E G, action A, reward 0.8: Q = 0 + 0.1 (0.8 + 0.9 x 0.5 - 0) = 0.1 x 1.25 = 0.125."""
    q = np.zeros((STATES, len(NOTES)), dtype=np.float32)
    q[E_G_A, 0] = 0.5
    q_learning(q, (C_E_G, A, REWARD, E_G_A), ALPHA, GAMMA)
    assert pytest.approx(0.125) == q[C_E_G, A]


def test_worked_example_in_the_network() -> None:
    """One learning step on a network that is linear in the one-hot state gives the same value and changes no other."""
    q = np.zeros((STATES, len(NOTES)), dtype=np.float32)
    q[E_G_A] = [0.5, 0.1, -0.2, 0.0, 0.3, 0.4, 0.2]
    learner = tabular_learner(q, ALPHA, GAMMA)
    loss = learner.learn_step(as_batch(one_transition(C_E_G, A, REWARD, E_G_A)))[0]
    expected = q.copy()
    expected[C_E_G, A] = 0.125
    np.testing.assert_allclose(expected, learned_table(learner), atol=1e-6)
    assert pytest.approx(1.25**2) == loss


def test_learning_steps_are_q_learning() -> None:
    """With the target network synchronised after every update, a hundred steps equal the table."""
    rng = np.random.default_rng(0)
    q = rng.normal(size=(STATES, len(NOTES))).astype(np.float32)
    learner = tabular_learner(q, ALPHA, GAMMA)
    for _ in range(100):
        state, next_state = rng.integers(STATES, size=2).tolist()
        transition = (state, int(rng.integers(len(NOTES))), float(rng.normal()), next_state)
        learner.learn_step(as_batch(one_transition(*transition)))
        q_learning(q, transition, ALPHA, GAMMA)
    np.testing.assert_allclose(q, learned_table(learner), atol=1e-4)


def test_an_old_target_network_is_bootstrapped_from() -> None:
    """From a state back to itself, r = 1, alpha = 1/2: the target stays 1 while the old network says 0."""
    table = np.zeros((STATES, len(NOTES)), dtype=np.float32)
    learner = tabular_learner(table, 0.5, 0.9, interval=2)
    loop = one_transition(C_E_G, A, 1.0, C_E_G)
    values = []
    for _ in range(3):
        learner.learn_step(as_batch(loop))
        values.append(float(learned_table(learner)[C_E_G, A]))
    # 0 + (1 - 0) / 2; then 0.5 + (1 - 0.5) / 2; then the target is 1 + 0.9 x 0.75 = 1.675.
    assert pytest.approx([0.5, 0.75, 0.75 + (1.675 - 0.75) / 2]) == values


def test_illegal_next_actions_are_masked() -> None:
    """A learning step does not bootstrap from the best next action if that is illegal."""
    table = np.zeros((STATES, len(NOTES)), dtype=np.float32)
    table[E_G_A, :2] = 9.0, 0.5
    batch = one_transition(C_E_G, A, REWARD, E_G_A)
    batch.next_legal[0, 0] = False
    learner = tabular_learner(table, ALPHA, GAMMA)
    learner.learn_step(as_batch(batch))
    assert pytest.approx(0.125) == learned_table(learner)[C_E_G, A]


def test_target_network_synchronises_at_its_interval() -> None:
    """The target network equals the Q-network at first and after every third update, and at no other time."""
    rng = np.random.default_rng(0)
    learner = Learner(make_network(), DQNConfig(target_update_interval=3))
    same = [_is_synchronised(learner)]
    for _ in range(7):
        learner.learn_step(make_batch(SMALL, 8, rng))
        same.append(_is_synchronised(learner))
    assert [True, False, False, True, False, False, True, False] == same
    assert learner.updates == 7


def test_gradients_are_clipped() -> None:
    """However large the error is, the step of plain SGD has the length of the gradient norm's limit."""
    learner = Learner(make_network(), DQNConfig(max_grad_norm=0.01))
    learner.optimizer = torch.optim.SGD(learner.q_network.parameters(), lr=1.0)
    before = learner.publish_weights()
    batch = make_transitions(SMALL, 8, np.random.default_rng(0))
    batch.reward[:] = 1e4
    learner.learn_step(as_batch(batch))
    after = learner.publish_weights()
    moved = np.concatenate([(after[name] - before[name]).ravel() for name in after])
    assert pytest.approx(0.01, rel=1e-3) == np.linalg.norm(moved)


def _is_synchronised(learner: Learner) -> bool:
    """Return whether the target network equals the Q-network."""
    ours, target = learner.q_network.to_weights(), learner.target_network.to_weights()
    return all(np.array_equal(ours[name], target[name]) for name in ours)
