"""The prior, learned from the actions of human partners."""

from __future__ import annotations

import math

import numpy as np
import pytest

from improviser.agent.network import Network
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION
from improviser.training.env import NETWORK
from improviser.training.material import GameSettings, imitation
from improviser.training.prior import Imitation, fit_prior, score_prior
from tests.tiny_corpus import tiny_corpus
from tests.tiny_network import make_network, make_observations


def train_data() -> Imitation:
    """The tiny corpus' training split, as the chorale style imitates it."""
    return imitation([piece for piece in tiny_corpus() if piece.split == "train"], GameSettings("chorale"))


def fitted(seed: int, updates: int = 25) -> tuple[Network, list[float]]:
    """Return a prior fitted to the tiny corpus, and its losses."""
    losses: list[float] = []
    network = make_network(NETWORK, seed)
    fit_prior(network, train_data(), updates, np.random.default_rng(seed), lambda _, loss: losses.append(loss))
    return network, losses


def test_fitting_lowers_the_loss() -> None:
    """A few updates halve the loss of a new network, also on data it was not fitted to."""
    network, losses = fitted(seed=0)
    assert pytest.approx(math.log(ACTION_COUNT), rel=0.1) == losses[0]
    assert losses[0] / 2 > losses[-1]
    valid = imitation([piece for piece in tiny_corpus() if piece.split == "valid"], GameSettings("chorale"))
    assert losses[0] / 2 > score_prior(network, valid).nats


def test_fitting_follows_the_seed() -> None:
    """The same seed gives identical losses."""
    assert fitted(0, updates=3)[1] == fitted(0, updates=3)[1]


def test_every_update_is_reported() -> None:
    """Updates are reported with their numbers, from 1 on."""
    told: list[int] = []
    network = make_network(NETWORK)
    fit_prior(network, train_data(), 2, np.random.default_rng(0), lambda done, _: told.append(done))
    assert [1, 2] == told


def test_score() -> None:
    """Equal probabilities cost log 39 nats a step; note accuracy counts onsets whose note is the likeliest."""
    network = make_network(NETWORK)
    weights = {name: np.zeros_like(weight) for name, weight in network.to_weights().items()}
    network.load_weights(weights)
    actions = np.array([HOLD_ACTION, FIRST_ONSET, FIRST_ONSET, FIRST_ONSET, FIRST_ONSET + 4])
    data = Imitation(make_observations(NETWORK, 5, np.random.default_rng(0)), actions)
    score = score_prior(network, data)
    assert pytest.approx(math.log(ACTION_COUNT), abs=1e-5) == score.nats
    # Where all onsets are equal, the first one is chosen.
    assert 0.75 == score.note_accuracy


@pytest.mark.parametrize("actions", [[], [HOLD_ACTION, ACTION_COUNT]])
def test_rows_without_an_action_are_refused(actions: list[int]) -> None:
    """Imitation data without rows, or with a row without a valid action, is refused."""
    observations = make_observations(NETWORK, len(actions), np.random.default_rng(0))
    with pytest.raises(ValueError, match="each with an action"):
        Imitation(observations, np.array(actions, dtype=np.int64))
