"""The prior: people's habits, learned from what they did."""

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
    """Return the little corpus' training split, as the chorale style imitates it."""
    return imitation([piece for piece in tiny_corpus() if piece.split == "train"], GameSettings("chorale"))


def fitted(seed: int, updates: int = 25) -> tuple[Network, list[float]]:
    """Return a prior fitted to the little corpus, and its losses."""
    losses: list[float] = []
    network = make_network(NETWORK, seed)
    fit_prior(network, train_data(), updates, np.random.default_rng(seed), lambda _, loss: losses.append(loss))
    return network, losses


def test_fitting_lowers_the_loss() -> None:
    """A fresh network finds all actions about as likely; a few updates halve the loss, elsewhere too."""
    network, losses = fitted(seed=0)
    assert pytest.approx(math.log(ACTION_COUNT), rel=0.1) == losses[0]
    assert losses[0] / 2 > losses[-1]
    valid = imitation([piece for piece in tiny_corpus() if piece.split == "valid"], GameSettings("chorale"))
    assert losses[0] / 2 > score_prior(network, valid).nats


def test_fitting_follows_the_seed() -> None:
    """The same seed gives the same losses, to the bit."""
    assert fitted(0, updates=3)[1] == fitted(0, updates=3)[1]


def test_every_update_is_reported() -> None:
    """Updates are numbered from 1."""
    told: list[int] = []
    network = make_network(NETWORK)
    fit_prior(network, train_data(), 2, np.random.default_rng(0), lambda done, _: told.append(done))
    assert [1, 2] == told


def test_score() -> None:
    """Equal chances cost log 39 nats a step; of the onsets, those count whose note is the likeliest one."""
    network = make_network(NETWORK)
    weights = {name: np.zeros_like(weight) for name, weight in network.to_weights().items()}
    network.load_weights(weights)
    actions = np.array([HOLD_ACTION, FIRST_ONSET, FIRST_ONSET, FIRST_ONSET, FIRST_ONSET + 4])
    data = Imitation(make_observations(NETWORK, 5, np.random.default_rng(0)), actions)
    score = score_prior(network, data)
    assert pytest.approx(math.log(ACTION_COUNT), abs=1e-5) == score.nats
    # All onsets being equal, the first one is named.
    assert 0.75 == score.note_accuracy


@pytest.mark.parametrize("actions", [[], [HOLD_ACTION, ACTION_COUNT]])
def test_rows_without_an_action_are_refused(actions: list[int]) -> None:
    """There has to be something to imitate, and it has to be an action."""
    observations = make_observations(NETWORK, len(actions), np.random.default_rng(0))
    with pytest.raises(ValueError, match="each with an action"):
        Imitation(observations, np.array(actions, dtype=np.int64))
