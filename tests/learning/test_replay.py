"""The replay buffer: a ring from which rows are drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.agent.config import DQNConfig
from improviser.agent.replay_buffer import ReplayBuffer, Transitions
from tests.tiny_network import SMALL, make_transitions

CAPACITY = 5
CONFIG = DQNConfig(buffer_size=CAPACITY, gamma=0.5)


def numbered(first: int, count: int) -> Transitions:
    """Return transitions whose rewards are the numbers from `first` on."""
    rows = make_transitions(SMALL, count, np.random.default_rng(first))
    rows.reward[:, 0] = np.arange(first, first + count)
    rows.terminated[:] = False
    return rows


def drawn(replay: ReplayBuffer, count: int = 2_000) -> set[float]:
    """Return the rewards that occur in many draws."""
    return set(replay.sample(count, np.random.default_rng(0)).reward[:, 0].tolist())


def test_it_fills_up() -> None:
    """Only stored rows are drawn, none of the empty ones."""
    replay = ReplayBuffer(SMALL, CONFIG)
    replay.store(numbered(1, 2))
    assert (2, {1, 2}) == (len(replay), drawn(replay))
    replay.store(numbered(3, 2))
    assert (4, {1, 2, 3, 4}) == (len(replay), drawn(replay))


def test_the_newest_overwrite_the_oldest() -> None:
    """A full buffer holds the last transitions, also across the end of the ring."""
    replay = ReplayBuffer(SMALL, CONFIG)
    replay.store(numbered(1, 4))
    replay.store(numbered(5, 3))
    assert (CAPACITY, {3, 4, 5, 6, 7}) == (len(replay), drawn(replay))


def test_more_than_it_holds() -> None:
    """Of more transitions than fit the last ones stay."""
    replay = ReplayBuffer(SMALL, CONFIG)
    replay.store(numbered(1, 13))
    assert {9, 10, 11, 12, 13} == drawn(replay)


def test_rows_stay_together() -> None:
    """A transition is returned as it was stored, with its discount and its place."""
    replay = ReplayBuffer(SMALL, CONFIG)
    stored = numbered(1, CAPACITY)
    replay.store(stored)
    sample = replay.sample(50, np.random.default_rng(0))
    rows = sample.reward[:, 0].astype(int) - 1
    for name in ("observation", "action", "reward", "next_observation", "next_legal"):
        np.testing.assert_array_equal(getattr(stored, name)[rows], getattr(sample, name))
    np.testing.assert_array_equal(rows, sample.places)
    assert ({0.5}, {1.0}) == (set(sample.discount.tolist()), set(sample.weight.tolist()))


def test_draws_are_uniform() -> None:
    """Each of five transitions makes up a fifth of the draws, within four standard deviations."""
    replay = ReplayBuffer(SMALL, CONFIG)
    replay.store(numbered(0, CAPACITY))
    draws = 20_000
    rewards = replay.sample(draws, np.random.default_rng(0)).reward[:, 0].astype(int)
    shares = np.bincount(rewards, minlength=CAPACITY) / draws
    np.testing.assert_allclose(shares, 0.2, atol=4 * (0.16 / draws) ** 0.5)


def test_draws_follow_the_seed() -> None:
    """Only the generator decides which rows are drawn."""
    replay = ReplayBuffer(SMALL, CONFIG)
    replay.store(numbered(0, CAPACITY))
    first, again, other = (replay.sample(20, np.random.default_rng(seed)).reward[:, 0].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def steps(reward: list[float], *, end: int | None = None, cut: int | None = None) -> ReplayBuffer:
    """Return a buffer of two lanes that sums three steps; lane 1 earns ten times the reward of lane 0."""
    config = DQNConfig(buffer_size=8, gamma=0.5, n_steps=3)
    replay = ReplayBuffer(SMALL, config, lanes=2)
    for step, value in enumerate(reward):
        rows = make_transitions(SMALL, 2, np.random.default_rng(step))
        rows.reward[:, 0] = value, 10 * value
        rows.terminated[:], rows.cut[:] = step == end, step == cut
        replay.store(rows)
    return replay


def summed(replay: ReplayBuffer) -> dict[int, tuple[float, float]]:
    """Return the reward and the discount at each place of the buffer."""
    batch = replay.sample(500, np.random.default_rng(0))
    return {
        int(place): (float(reward), float(discount))
        for place, reward, discount in zip(batch.places, batch.reward[:, 0], batch.discount, strict=True)
    }


def test_rewards_of_three_steps_are_summed() -> None:
    """1 + 2/2 + 4/4 = 3, then a discount of 1/8; the newest rows sum the steps that exist."""
    found = summed(steps([1, 2, 4, 8]))
    assert {0: (3.0, 0.125), 2: (6.0, 0.125), 4: (8.0, 0.25), 6: (8.0, 0.5)} == {
        place: found[place] for place in (0, 2, 4, 6)
    }
    assert (30.0, 0.125) == found[1]


def test_no_reward_beyond_the_end_or_a_cut() -> None:
    """After the end nothing counts; after a cut its next state counts, but no later reward."""
    assert (2.0, 0.0) == summed(steps([1, 2, 4, 8], end=1))[0]
    assert (2.0, 0.25) == summed(steps([1, 2, 4, 8], cut=1))[0]


def test_the_ring_is_no_line() -> None:
    """The row after the newest one is the oldest, and does not count as its successor."""
    found = summed(steps([1, 2, 4, 8, 16]))
    assert ((16.0, 0.5), (16.0, 0.25)) == (found[0], found[6])
    assert (6.0, 0.125) == found[2]


def test_the_state_after_the_last_reward_is_given() -> None:
    """The next observation belongs to the last step in the sum."""
    batch = steps([1, 2, 4, 8]).sample(50, np.random.default_rng(0))
    third = make_transitions(SMALL, 2, np.random.default_rng(2))
    row = int(np.flatnonzero(batch.places == 0)[0])
    np.testing.assert_array_equal(third.next_observation[0], batch.next_observation[row])
    np.testing.assert_array_equal(third.next_legal[0], batch.next_legal[row])


def test_priorities_draw_by_error() -> None:
    """With exponent 1 a row with three times the error is drawn three times as often, with a third of the weight."""
    replay = ReplayBuffer(SMALL, DQNConfig(buffer_size=CAPACITY, priority=1.0, importance=1.0))
    replay.store(numbered(0, CAPACITY))
    replay.reprioritise(np.arange(5), np.array([3.0, 1.0, 1.0, 3.0, 1.0], dtype=np.float32))
    batch = replay.sample(9_000, np.random.default_rng(0))
    shares = np.bincount(batch.places, minlength=CAPACITY) / 9_000
    np.testing.assert_allclose([3 / 9, 1 / 9, 1 / 9, 3 / 9, 1 / 9], shares, atol=2e-3)
    often, seldom = batch.weight[batch.places == 0][0], batch.weight[batch.places == 1][0]
    assert pytest.approx(3, rel=5e-3) == seldom / often


def test_new_rows_are_drawn_soon() -> None:
    """A row that was never drawn has the highest priority so far."""
    replay = ReplayBuffer(SMALL, DQNConfig(buffer_size=CAPACITY, priority=1.0))
    replay.store(numbered(0, 3))
    replay.reprioritise(np.arange(3), np.array([9.0, 0.0, 0.0], dtype=np.float32))
    replay.store(numbered(3, 1))
    places = replay.sample(1_000, np.random.default_rng(0)).places
    shares = np.bincount(places, minlength=CAPACITY) / 1_000
    np.testing.assert_allclose([0.5, 0, 0, 0.5, 0], shares, atol=0.01)
