"""The fit of the beat networks: the same networks as those that listen, and a loss that falls."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from improviser.config.beat_model import load_beat_weights
from improviser.listening.beat.bar_network import SEEN_BEATS, BarNetwork
from improviser.listening.beat.beat_grid import PERIODS, PHASES
from improviser.listening.beat.beat_summary import SUMMARY
from improviser.listening.beat.onset_features import FEATURES
from improviser.listening.beat.pulse_histogram import CHANNELS
from improviser.listening.beat.pulse_network import PulseNetwork
from improviser.listening.beat.sequence_network import SequenceNetwork
from improviser.studies.beat_fit import (
    PULSE_SETS,
    BarNet,
    Moments,
    PulseNet,
    SequenceNet,
    Sequences,
    arrays_of,
    bar_loss,
    descend,
    network_of,
    performances,
    pulse_loss,
    sequence_loss,
)
from improviser.training.beat.beat_example import bar_examples
from tests.beat_pieces import make_piece

if TYPE_CHECKING:
    from pathlib import Path


class Fitted(NamedTuple):
    """Random networks, and the file that holds them."""

    pulse: PulseNet
    bars: BarNet
    sequence: SequenceNet
    path: Path


@pytest.fixture
def networks(tmp_path: Path) -> Fitted:
    """Random networks, and the file that holds them."""
    torch.manual_seed(0)
    fitted = Fitted(PulseNet(), BarNet().eval(), SequenceNet().eval(), tmp_path / "beat.safetensors")
    nets = {"pulse": fitted.pulse, "bar": fitted.bars, "sequence": fitted.sequence}
    arrays = {name: arrays_of(name, net) for name, net in nets.items()}
    assert all({network} == {network_of(name) for name in found} for network, found in arrays.items())
    save_file({name: array for found in arrays.values() for name, array in found.items()}, fitted.path)
    return fitted


def test_the_pulse_network_that_listens_is_the_one_that_was_fitted(networks: Fitted) -> None:
    """Numpy and torch judge alike, but for the rounding of the weights."""
    rng = np.random.default_rng(0)
    histograms = rng.random((PERIODS, PHASES, CHANNELS)).astype(np.float32)
    dense = rng.normal(size=PERIODS).astype(np.float32)
    found = PulseNetwork(load_beat_weights(networks.path)).judge(histograms, dense)
    expected = networks.pulse(torch.from_numpy(histograms)[None], torch.from_numpy(dense)[None])[0].detach().numpy()
    np.testing.assert_allclose(found.ravel(), expected, atol=0.02)


def test_the_sequence_network_that_listens_is_the_one_that_was_fitted(networks: Fitted) -> None:
    """Numpy, onset by onset, and torch, all at once, judge alike; each onset changes what is judged of the next."""
    heard = np.random.default_rng(0).random((6, FEATURES)).astype(np.float32)
    network = SequenceNetwork(load_beat_weights(networks.path))
    found = np.array([network.judge(row).ravel() for row in heard])
    expected = networks.sequence(torch.from_numpy(heard)[None])[0].detach().numpy()
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert pytest.approx(1, abs=1e-4) == np.exp(found[-1]).sum()


def test_the_bar_network_that_listens_is_the_one_that_was_fitted(networks: Fitted) -> None:
    """Numpy and torch judge the last of some beats alike."""
    rows = np.random.default_rng(0).random((SEEN_BEATS, SUMMARY)).astype(np.float32)
    network = BarNetwork(load_beat_weights(networks.path))
    found = [network.add_beat(row) for row in rows][-1]
    seen = np.hstack([rows, np.ones((SEEN_BEATS, 1), dtype=np.float32)]).ravel()
    place, thirds = networks.bars(torch.from_numpy(seen)[None])
    np.testing.assert_allclose(found.place, place.log_softmax(1)[0].detach().numpy(), atol=0.01)
    np.testing.assert_allclose(found.thirds, thirds.log_softmax(1)[0].detach().numpy(), atol=0.01)


def test_the_loss_of_the_pulse_falls() -> None:
    """Some steps on one piece lower the loss from that of a guess."""
    torch.manual_seed(0)
    batch, clock, net = next(iter(Moments([make_piece()], 0))), count(), PulseNet()
    before = float(pulse_loss(net, batch).detach())
    descend(net, lambda: pulse_loss(net, batch), 0.05, 16, until=lambda: float(next(clock)))
    assert float(pulse_loss(net, batch).detach()) < before - 0.2


def test_the_loss_of_the_sequence_falls() -> None:
    """Some steps on one piece lower the loss from that of a guess."""
    torch.manual_seed(0)
    batch, clock, net = next(iter(Sequences([make_piece()], 0))), count(), SequenceNet().eval()
    before = float(sequence_loss(net, batch).detach())
    descend(net, lambda: sequence_loss(net, batch), 0.01, 8, until=lambda: float(next(clock)))
    assert float(sequence_loss(net, batch).detach()) < before - 0.05


def test_the_loss_of_the_bar_falls() -> None:
    """Some steps on one piece lower the loss."""
    torch.manual_seed(0)
    rng, clock, net = np.random.default_rng(0), count(), BarNet().eval()
    played = performances([make_piece()], PULSE_SETS, rng)
    found = next(one for one in (bar_examples(each, rng) for each in played) if one is not None)
    before = float(bar_loss(net, [found]).detach())
    descend(net, lambda: bar_loss(net, [found]), 2e-3, 60, until=lambda: float(next(clock)))
    assert float(bar_loss(net, [found]).detach()) < before
