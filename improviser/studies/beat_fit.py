"""Fit the beat networks to pieces with known beats: `python -m improviser.studies.beat_fit FOLDER OUT.safetensors`.

FOLDER holds the sets of MIDI files that `training.beat.beat_piece` names. Held-out families are never used. A piece is
played anew each time: other tracks, tempo and manner. The fit takes a number of minutes, so its result depends on the
machine; seed and pieces are the same each time. `--only` fits one of the three networks and keeps the others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from improviser.listening.beat.bar_network import SEEN_BEATS
from improviser.listening.beat.bar_network import UNITS as BAR_UNITS
from improviser.listening.beat.beat_grid import OCTAVE_ROWS, PERIODS, PHASES, PLACES
from improviser.listening.beat.beat_summary import SUMMARY
from improviser.listening.beat.onset_features import FEATURES
from improviser.listening.beat.pulse_histogram import CHANNELS
from improviser.listening.beat.pulse_network import (
    DOUBLE_COLUMNS,
    HALF_COLUMNS,
    LOGARITHMS,
    PLAIN,
    RELATED,
    UNITS,
    WIDTH,
    related_rows,
)
from improviser.listening.beat.sequence_network import INPUTS, LAYERS
from improviser.listening.beat.sequence_network import UNITS as SEQUENCE_UNITS
from improviser.training.beat.beat_example import UNKNOWN, bar_examples, pulse_examples, sequence_example
from improviser.training.beat.beat_piece import SETS, BeatPiece, read_set
from improviser.training.beat.performance import play_piece, random_manner, random_tracks

if TYPE_CHECKING:
    from improviser.training.beat.beat_example import BarExamples, PulseExample
    from improviser.training.beat.performance import PlayedPiece

Losses = Callable[[], Tensor]
Half = npt.NDArray[np.float16]

SEED: Final = 1
MINUTES: Final = 90.0
# The shares of the time that the networks take, and the first words of the names of their arrays.
SHARES: Final = {"bar": 0.1, "pulse": 0.45, "sequence": 0.45}
# How often a piece of each set is played, for the beat and for the bar.
PULSE_SETS: Final = {"weimar": 0.24, "pop909": 0.24, "lieder": 0.26, "openewld": 0.12, "quartets": 0.14}
SEQUENCE_SETS: Final = {"weimar": 0.32, "pop909": 0.22, "lieder": 0.24, "openewld": 0.10, "quartets": 0.12}
BAR_SETS: Final = {"weimar": 0.08, "pop909": 0.25, "lieder": 0.30, "openewld": 0.22, "quartets": 0.15}
PULSE_BATCH: Final = 48
PULSE_RATE: Final = 4e-3
SEQUENCE_BATCH: Final = 32
SEQUENCE_RATE: Final = 2e-3
# Batches from which one is drawn again, every second time.
SEQUENCE_RESERVOIR: Final = 300
BAR_BATCH: Final = 16
BAR_RATE: Final = 2e-3
# Performances from which batches of bars are drawn, and batches for each new performance.
RESERVOIR: Final = 4000
BAR_ECHO: Final = 2
_WARM_UP: Final = 50
_AVERAGED: Final = 0.99
_NORM: Final = 1.0
_DROPOUT: Final = 0.2
_SEQUENCE_DROPOUT: Final = 0.1
_THIRDS: Final = 0.5


class PulseNet(nn.Module):
    """`listening.beat.pulse_network` in torch, for many onsets at once."""

    def __init__(self) -> None:
        """Initialise the network."""
        super().__init__()
        self.turn = nn.Module()
        self.turn.weight = nn.Parameter(torch.randn(PHASES, CHANNELS, WIDTH) / 4)
        self.turn.bias = nn.Parameter(torch.zeros(WIDTH))
        self.row = nn.Linear(len(RELATED) * WIDTH + PLAIN, UNITS)
        self.cell = nn.Linear(3 * WIDTH, UNITS, bias=False)
        self.out = nn.Linear(UNITS, 1, bias=False)
        self.prior = nn.Parameter(torch.zeros(PERIODS))

    def forward(self, histograms: Tensor, dense: Tensor) -> Tensor:
        """Return the logarithms of the probabilities, (onsets, PERIODS * PHASES).

        Args:
            histograms: (onsets, PERIODS, PHASES, CHANNELS).
            dense: (onsets, PERIODS) logarithm of onsets per beat.
        """
        kernel = torch.fft.rfft(self.turn.weight, dim=0)
        waves = torch.einsum("npfc,fcw->npfw", torch.fft.rfft(histograms, dim=2), kernel)
        first = functional.relu(torch.fft.irfft(waves, PHASES, dim=2) + self.turn.bias)
        cells = self.cell(torch.cat([first, _half(first), _double(first)], dim=3))
        hidden = functional.relu(cells + self._rows(first, dense)[:, :, None])
        logits = self.out(hidden)[..., 0] + self.prior[:, None]
        return functional.log_softmax(logits.flatten(1), dim=1)

    def _rows(self, first: Tensor, dense: Tensor) -> Tensor:
        """Return what is known of each period as a whole, (onsets, PERIODS, UNITS)."""
        best = functional.pad(first.amax(dim=2), (0, 0, 0, 1))
        logs = torch.from_numpy(LOGARITHMS).expand(len(dense), -1)
        related = [best[:, torch.from_numpy(rows)] for rows in related_rows()]
        return cast("Tensor", self.row(torch.cat([*related, torch.stack([logs, logs**2, dense], dim=2)], dim=2)))


def _half(first: Tensor) -> Tensor:
    """Return what a beat half as long sees at the same moment."""
    return functional.pad(first[:, :-OCTAVE_ROWS][:, :, HALF_COLUMNS], (0, 0, 0, 0, OCTAVE_ROWS, 0))


def _double(first: Tensor) -> Tensor:
    """Return what a beat twice as long sees at the same moment."""
    longer = first[:, OCTAVE_ROWS:]
    found = longer[:, :, DOUBLE_COLUMNS] + longer[:, :, DOUBLE_COLUMNS + PHASES // 2]
    return functional.pad(found, (0, 0, 0, 0, 0, OCTAVE_ROWS))


class SequenceNet(nn.Module):
    """`listening.beat.sequence_network` in torch, for many performances at once."""

    def __init__(self) -> None:
        """Initialise the network."""
        super().__init__()
        self.inp = nn.Linear(FEATURES, INPUTS)
        self.gru = nn.GRU(INPUTS, SEQUENCE_UNITS, LAYERS, batch_first=True)
        self.out = nn.Linear(SEQUENCE_UNITS, PERIODS * PHASES)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logarithms of the probabilities, (performances, onsets, PERIODS * PHASES)."""
        states, _ = self.gru(functional.relu(self.inp(features)))
        return functional.log_softmax(self.out(functional.dropout(states, _SEQUENCE_DROPOUT, self.training)), dim=-1)


class BarNet(nn.Module):
    """`listening.beat.bar_network` in torch, for many beats at once."""

    def __init__(self) -> None:
        """Initialise the network."""
        super().__init__()
        self.hidden = nn.Linear(SEEN_BEATS * (SUMMARY + 1), BAR_UNITS)
        self.place = nn.Linear(BAR_UNITS, len(PLACES))
        self.thirds = nn.Linear(BAR_UNITS, 2)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-odds of the places, (beats, PLACES), and of thirds, (beats, 2)."""
        hidden = functional.dropout(functional.relu(self.hidden(rows)), _DROPOUT, self.training)
        return self.place(hidden), self.thirds(hidden)


class Players(IterableDataset[tuple[Tensor, ...]]):
    """Endless batches of what is heard of performances, made in a process of its own."""

    def __init__(self, pieces: Sequence[BeatPiece], seed: int) -> None:
        """Play `pieces`."""
        self.pieces, self.seed = pieces, seed


class Moments(Players):
    """Batches of single onsets."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield histograms, density, rows and phases of PULSE_BATCH onsets, of some performances each."""
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        pool: list[PulseExample] = []
        for played in performances(self.pieces, PULSE_SETS, rng):
            pool += pulse_examples(played, rng)
            if len(pool) >= 4 * PULSE_BATCH:
                order = rng.permutation(len(pool))
                batch = [pool[index] for index in order[:PULSE_BATCH]]
                pool = [pool[index] for index in order[PULSE_BATCH:]]
                columns = zip(*batch, strict=True)
                yield tuple(torch.from_numpy(np.array(column, dtype=np.float32)) for column in columns)


class Sequences(Players):
    """Batches of all the onsets of performances."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield features, periods, phases and what is known, of SEQUENCE_BATCH performances each."""
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        played = performances(self.pieces, SEQUENCE_SETS, rng)
        examples = (found for one in played if (found := sequence_example(one, rng)) is not None)
        while True:
            columns = zip(*islice(examples, SEQUENCE_BATCH), strict=True)
            yield tuple(torch.from_numpy(np.stack(column)) for column in columns)


def performances(
    pieces: Sequence[BeatPiece], shares: Mapping[str, float], rng: np.random.Generator
) -> Iterator[PlayedPiece]:
    """Yield performances of random pieces without end."""
    sets = {name: found for name in shares if (found := [piece for piece in pieces if piece.set_name == name])}
    chances = np.array([shares[name] for name in sets])
    while True:
        of_set = sets[list(sets)[rng.choice(len(sets), p=chances / chances.sum())]]
        piece = of_set[rng.integers(len(of_set))]
        yield play_piece(piece, random_tracks(piece, rng), random_manner(piece.set_name, rng), rng)


def cell_loss(logs: Tensor, period: Tensor, phase: Tensor) -> Tensor:
    """Return the loss at each onset, (...); the truth lies between four cells, and each counts by its nearness.

    Args:
        logs: (..., PERIODS * PHASES) logarithms of the probabilities.
        period: (...) row of the true period.
        phase: (...) column of the true phase.
    """
    low, left = period.floor().long(), phase.floor().long() % PHASES
    up, right = period - period.floor(), phase - phase.floor()
    loss = torch.zeros_like(period)
    for row, row_share in ((low, 1 - up), (low + 1, up)):
        for column, share in ((left, 1 - right), ((left + 1) % PHASES, right)):
            loss = loss - row_share * share * logs.gather(-1, (row * PHASES + column)[..., None])[..., 0]
    return loss


def pulse_loss(net: PulseNet, batch: Sequence[Tensor]) -> Tensor:
    """Return the mean loss of a batch of `Moments`."""
    histograms, dense, period, phase = batch
    return cell_loss(net(histograms, dense), period, phase).mean()


def sequence_loss(net: SequenceNet, batch: Sequence[Tensor]) -> Tensor:
    """Return the mean loss of a batch of `Sequences`, over the onsets whose beat is known."""
    features, period, phase, known = batch
    return (cell_loss(net(features), period, phase) * known).sum() / known.sum().clamp(min=1)


def bar_loss(net: BarNet, batch: Sequence[BarExamples]) -> Tensor:
    """Return the mean loss of places and thirds."""
    rows, place, thirds = (torch.from_numpy(np.concatenate(column)) for column in zip(*batch, strict=True))
    odds, third_odds = net(rows)
    known = functional.cross_entropy(odds, place, ignore_index=UNKNOWN, reduction="sum")
    third = functional.cross_entropy(third_odds, thirds, ignore_index=UNKNOWN, reduction="sum")
    return known / (place >= 0).sum().clamp(min=1) + _THIRDS * third / (thirds >= 0).sum().clamp(min=1)


def descend(net: nn.Module, losses: Losses, rate: float, seconds: float, *, until: Callable[[], float]) -> nn.Module:
    """Return the running mean of `net` over its descent along `losses`.

    Args:
        net: The network.
        losses: Computes the loss of the next batch.
        rate: The first learning rate; it falls to zero with the time.
        seconds: How long to go on.
        until: The current time, in seconds.
    """
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGED)  # type: ignore[no-untyped-call] # torch's own
    mean = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average)
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.001)
    began_s, step = until(), 0
    while (done := (until() - began_s) / seconds) < 1:
        step += 1
        optimiser.param_groups[0]["lr"] = rate * min(1.0, step / _WARM_UP) * (1 - done)
        loss = losses()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch's own lacks a type
        nn.utils.clip_grad_norm_(net.parameters(), _NORM)
        optimiser.step()
        mean.update_parameters(net)
    return mean.module.eval()


def fit_pulse(pieces: Sequence[BeatPiece], seconds: float) -> nn.Module:
    """Return the fitted pulse network."""
    net = PulseNet()
    batches = _batches(Moments(pieces, SEED))
    return descend(net, lambda: pulse_loss(net, next(batches)), PULSE_RATE, seconds, until=time.monotonic)


def fit_sequence(pieces: Sequence[BeatPiece], seconds: float) -> nn.Module:
    """Return the fitted sequence network."""
    net, rng = SequenceNet(), np.random.default_rng(SEED)
    batches = _batches(Sequences(pieces, SEED))
    reservoir: list[tuple[Tensor, ...]] = []
    is_new = cycle((True, False))

    def loss() -> Tensor:
        """Return the loss of a new batch or of one heard before, in turn."""
        if not next(is_new):
            return sequence_loss(net, reservoir[rng.integers(len(reservoir))])
        reservoir.append(next(batches))
        del reservoir[:-SEQUENCE_RESERVOIR]
        return sequence_loss(net, reservoir[-1])

    return descend(net, loss, SEQUENCE_RATE, seconds, until=time.monotonic)


def _batches(players: Players) -> Iterator[tuple[Tensor, ...]]:
    """Return the batches of players, who play in a process of their own."""
    return iter(DataLoader(players, batch_size=None, num_workers=1, prefetch_factor=8))


def fit_bars(pieces: Sequence[BeatPiece], seconds: float) -> nn.Module:
    """Return the fitted bar network."""
    net, rng = BarNet(), np.random.default_rng(SEED)
    played = performances(pieces, BAR_SETS, rng)
    reservoir: list[BarExamples] = []

    def loss() -> Tensor:
        """Return the loss of a batch of performances heard before, and of one new one every BAR_ECHO batches."""
        if not reservoir or rng.random() < 1 / BAR_ECHO:
            reservoir.append(next(found for one in played if (found := bar_examples(one, rng)) is not None))
            del reservoir[:-RESERVOIR]
        chosen = rng.integers(0, len(reservoir), BAR_BATCH - 1)
        return bar_loss(net, [reservoir[-1], *(reservoir[index] for index in chosen)])

    return descend(net, loss, BAR_RATE, seconds, until=time.monotonic)


FITS: Final[Mapping[str, Callable[[Sequence[BeatPiece], float], nn.Module]]] = {
    "bar": fit_bars,
    "pulse": fit_pulse,
    "sequence": fit_sequence,
}


def network_of(name: str) -> str:
    """Return the network to which an array of the file belongs, by its name."""
    first = name.partition(".")[0]
    return first if first in FITS else "pulse"


def arrays_of(network: str, net: nn.Module) -> dict[str, Half]:
    """Return the arrays of a fitted network by their names in the file, in half precision."""
    prefix = "" if network == "pulse" else f"{network}."
    return {f"{prefix}{name}": value.numpy().astype(np.float16) for name, value in net.state_dict().items()}


def main() -> None:
    """Read the pieces, fit and write the networks."""
    options = argparse.ArgumentParser(description="Fit the beat networks.")
    options.add_argument("folder", type=Path, help="folder of the sets of MIDI files")
    options.add_argument("out", type=Path, help="safetensors file to write")
    options.add_argument("--minutes", type=float, default=MINUTES, help="minutes to fit all three, default 90")
    options.add_argument("--only", choices=[*FITS], help="fit one network, and keep the others of the file")
    given = options.parse_args()
    torch.manual_seed(SEED)
    pieces = [piece for name in SETS for piece in read_set(given.folder / name, held_out=False)]
    wanted = [given.only] if given.only else [*FITS]
    kept = load_file(given.out) if given.only else {}
    arrays = {name: array for name, array in kept.items() if network_of(name) not in wanted}
    for network in wanted:
        arrays |= arrays_of(network, FITS[network](pieces, SHARES[network] * 60 * given.minutes))
    save_file(dict(sorted(arrays.items())), given.out)


if __name__ == "__main__":
    main()
