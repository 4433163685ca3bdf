"""The replay buffer: a ring that is drawn from at random."""

from __future__ import annotations

import numpy as np

from improviser.agent.replay import ReplayBuffer, Transitions
from tests.tiny_network import SMALL, make_transitions

CAPACITY = 5


def numbered(first: int, count: int) -> Transitions:
    """Give transitions whose rewards are the numbers from `first` on."""
    rows = make_transitions(SMALL, count, np.random.default_rng(first))
    rows.reward[:] = np.arange(first, first + count)
    return rows


def drawn(replay: ReplayBuffer, count: int = 2_000) -> set[float]:
    """Give the rewards that many draws bring up."""
    return set(replay.sample(count, np.random.default_rng(0)).reward.tolist())


def test_it_fills_up() -> None:
    """What was stored is drawn, and nothing of the empty rest."""
    replay = ReplayBuffer(SMALL, CAPACITY)
    replay.store(numbered(1, 2))
    assert (2, {1, 2}) == (len(replay), drawn(replay))
    replay.store(numbered(3, 2))
    assert (4, {1, 2, 3, 4}) == (len(replay), drawn(replay))


def test_the_newest_overwrite_the_oldest() -> None:
    """A full buffer holds the last transitions, across the end of the ring."""
    replay = ReplayBuffer(SMALL, CAPACITY)
    replay.store(numbered(1, 4))
    replay.store(numbered(5, 3))
    assert (CAPACITY, {3, 4, 5, 6, 7}) == (len(replay), drawn(replay))


def test_more_than_it_holds() -> None:
    """Of more transitions than it holds the last ones stay."""
    replay = ReplayBuffer(SMALL, CAPACITY)
    replay.store(numbered(1, 13))
    assert {9, 10, 11, 12, 13} == drawn(replay)


def test_rows_stay_together() -> None:
    """A transition comes back as it went in, all six parts of it."""
    replay = ReplayBuffer(SMALL, CAPACITY)
    stored = numbered(1, CAPACITY)
    replay.store(stored)
    sample = replay.sample(50, np.random.default_rng(0))
    rows = sample.reward.astype(int) - 1
    for name in Transitions.__slots__:
        np.testing.assert_array_equal(getattr(stored, name)[rows], getattr(sample, name))


def test_draws_are_uniform() -> None:
    """Each of five transitions makes up a fifth of the draws, within four standard deviations."""
    replay = ReplayBuffer(SMALL, CAPACITY)
    replay.store(numbered(0, CAPACITY))
    draws = 20_000
    rewards = replay.sample(draws, np.random.default_rng(0)).reward.astype(int)
    shares = np.bincount(rewards, minlength=CAPACITY) / draws
    np.testing.assert_allclose(shares, 0.2, atol=4 * (0.16 / draws) ** 0.5)


def test_draws_follow_the_seed() -> None:
    """The generator alone decides what is drawn."""
    replay = ReplayBuffer(SMALL, CAPACITY)
    replay.store(numbered(0, CAPACITY))
    first, again, other = (
        replay.sample(20, np.random.default_rng(seed)).reward.tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
