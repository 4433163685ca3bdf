"""Fit the harmony network: `python -m improviser.studies.harmony_fit CORPORA` writes its file again.

CORPORA is a folder of sets of MIDI files with chords as markers (docs/training.md says which and where from); the
chorales of music21 have the chords that their voices make, and its tunes tell keys. Pieces of the training split are
heard as a player of the tune, of what accompanies it, of all, or of the written chords; in part in rounds of the same
bars, each played in another of these ways, and in part with a change of key on the way. The network learns the chords
that are written now, a beat later and a bar later, and the key. Figures on the test split are printed at the end:
`--figures` prints those of the file only.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from improviser.corpus.folder import load_folder
from improviser.corpus.library import load_pieces
from improviser.corpus.piece import TICKS_PER_BEAT, Piece, bar_ticks
from improviser.corpus.sounding_steps import sounds_of
from improviser.files import write_whole
from improviser.listening.harmony.harmony_inputs import WIDTH, HarmonyInputs, Sounding
from improviser.listening.harmony.harmony_network import (
    CHORDS,
    FILE,
    HEADS,
    UNITS,
    HarmonyNetwork,
    network_bytes,
    read_network,
)
from improviser.music.accent import LEVELS
from improviser.music.chord import QUALITIES, QUALITY_COUNT
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT, Meter
from improviser.music.pitch import NOTE_MAX, OCTAVE, rotate
from improviser.music.scale import Mode
from improviser.training.chorale_harmony import exact_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Integers = npt.NDArray[np.int64]

# How often each set is drawn.
SHARES: Final = {"pop909": 0.3, "lieder": 0.2, "weimar": 0.2, "openewld": 0.15, "chorale": 0.08, "tune": 0.07}
LANES: Final = 12
STEPS: Final = 512
# A stretch begins with its piece this often, else at some bar.
FROM_START: Final = 0.6
# A player goes round in the same bars this often: as many as forms often have, or as often any number of some.
ROUNDS: Final = 0.45
ROUND_BARS: Final = (4, 8, 12, 16)
ANY_BARS: Final = tuple(range(3, 25))
# Of those that go round, so many play all in the first round, and the tune alone from then on.
TUNE_AGAIN: Final = 0.6
# The player plays the written chords this often, where there are some; the lowest note of the hand that does.
CHANGES: Final = 0.2
HAND_LOW: Final = 48
# A stretch goes on in another key from some bar on this often, and as often once more.
MODULATED: Final = 0.5
# A step counts so much more for the key in the four bars after such a change, so that it is found soon.
NEW_KEY_WEIGHT: Final = 5.0
NEW_STEPS: Final = 64
# How much later the chord of each head is, in steps; a bar is taken as 16.
LATER: Final = (0, SIXTEENTHS_PER_BEAT, 4 * SIXTEENTHS_PER_BEAT)
# The weights of the losses of the heads, and of the keys.
WEIGHTS: Final = (1.0, 0.5, 0.5, 0.5)
UPDATES: Final = 3200
LEARNING_RATE: Final = 2e-3
# The updates in which the learning rate rises, and those after which the network is kept.
WARM, KEPT = 50, 100
# What a player plays of a piece; the changes are its written chords.
HEARD_WAYS: Final = ("tune", "accompaniment", "all", "changes")
# How many bars the rounds have that are heard: the first with the written chords, the second the tune alone.
HEARD_ROUNDS: Final = (16, 12, 10)
# Of a test set, this many pieces are heard, and a key counts from this step on.
HEARD: Final = 40
SETTLED: Final = 64
UNKNOWN: Final = -100


@dataclass(frozen=True, slots=True)
class HarmonyExample:
    """A piece as one player plays it, by step of a sixteenth.

    Attributes:
        sounds: (steps, 4) columns bits, bass, top and whether the top note is struck.
        level: (steps,) metrical level.
        bar_steps: Steps in a bar.
        chord: (steps,) index of the written chord, CHORDS - 1 for none, below 0 where unknown.
        keys: (steps,) index of the key.
    """

    sounds: Integers
    level: Integers
    bar_steps: int
    chord: Integers
    keys: Integers

    def stretch(self, start: int, end: int) -> HarmonyExample:
        """Return the steps from `start` up to but without `end`."""
        rows = (self.sounds, self.level, self.chord, self.keys)
        sounds, level, chord, keys = (row[start:end] for row in rows)
        return HarmonyExample(sounds, level, self.bar_steps, chord, keys)

    def then(self, other: HarmonyExample) -> HarmonyExample:
        """Return the example, and after it another one of the same meter."""
        rows = [
            np.concatenate([getattr(self, name), getattr(other, name)]) for name in ("sounds", "level", "chord", "keys")
        ]
        sounds, level, chord, keys = rows
        return HarmonyExample(sounds, level, self.bar_steps, chord, keys)

    def modulated(self, start: int, up: int) -> HarmonyExample:
        """Return the example moved by `up` semitones, -6..6, from a step on."""
        is_moved = np.arange(len(self.level)) >= start
        sounds = self.sounds.copy()
        sounds[:, 0] = np.where(is_moved, rotate(self.sounds[:, 0], np.array(-up % OCTAVE)), self.sounds[:, 0])
        sounds[:, 1:3] += np.where(is_moved[:, None] & (self.sounds[:, 1:3] >= 0), up, 0)
        sounds[:, 1:3] = np.clip(sounds[:, 1:3], -1, NOTE_MAX)
        is_named = is_moved & (self.chord >= 0) & (self.chord < CHORDS - 1)
        moved_chord = (self.chord + up * QUALITY_COUNT) % (CHORDS - 1)
        moved_key = (self.keys + up) % OCTAVE + self.keys // OCTAVE * OCTAVE
        return HarmonyExample(
            sounds,
            self.level,
            self.bar_steps,
            np.where(is_named, moved_chord, self.chord),
            np.where(is_moved, moved_key, self.keys),
        )


def make_example(piece: Piece, voices: Sequence[npt.NDArray[np.int32]]) -> HarmonyExample:
    """Return a piece whose player plays some voices: rows as in Piece.voices."""
    meter = Meter(*piece.meter)
    end = max(int((voice[:, 0] + voice[:, 1]).max()) for voice in piece.voices)
    steps = -(-end // bar_ticks(piece.meter)) * meter.bar_sixteenths
    in_bar = np.arange(steps) % meter.bar_sixteenths
    return HarmonyExample(
        sounds=sounds_of(voices, steps),
        level=LEVELS[METERS.index(meter), in_bar].astype(np.int64),
        bar_steps=meter.bar_sixteenths,
        chord=chord_of(piece, steps),
        keys=np.full(steps, piece.tonic + OCTAVE * Mode[piece.mode.upper()]),
    )


def chord_of(piece: Piece, steps: int) -> Integers:
    """Return the index of the written chord in each step, (steps,), below 0 where none is written.

    The chord of a chorale is the one that its voices make in a beat.
    """
    if piece.kind == "chorale":
        return exact_labels(sounds_of(piece.voices, steps)[:, 0], SIXTEENTHS_PER_BEAT)
    if not len(piece.chords):
        return np.full(steps, -1)
    middles = (np.arange(steps) + 0.5) * TICKS_PER_BEAT / SIXTEENTHS_PER_BEAT
    at = np.searchsorted(piece.chords[:, 0], middles, side="right") - 1
    rows = piece.chords[np.maximum(at, 0)].astype(np.int64)
    named = np.where(rows[:, 1] < 0, CHORDS - 1, rows[:, 1] * QUALITY_COUNT + rows[:, 2])
    return np.where(at < 0, -1, named)


def changes_of(piece: Piece, rng: np.random.Generator | None = None) -> npt.NDArray[np.int32]:
    """Return the written chords as a hand plays them, rows as in Piece.voices, struck when they change and in each bar.

    Args:
        piece: A piece with chords.
        rng: Draws where the tones lie and whether a bass is below them; None for the root position.
    """
    end = max(int((voice[:, 0] + voice[:, 1]).max()) for voice in piece.voices)
    rows: list[tuple[int, int, int]] = []
    ends = np.append(piece.chords[1:, 0], end)
    for (start, root, quality, bass), until in zip(piece.chords.tolist(), ends.tolist(), strict=True):
        if root < 0:
            continue
        lowest = HAND_LOW + (root - HAND_LOW) % OCTAVE if rng is None else HAND_LOW + int(rng.integers(OCTAVE))
        notes = [lowest + (root + degree - lowest) % OCTAVE for degree in QUALITIES[quality][1]]
        if rng is not None and rng.integers(2):
            notes.append(HAND_LOW - OCTAVE + (root if bass < 0 else bass))
        lines = range(start - start % bar_ticks(piece.meter), until, bar_ticks(piece.meter))
        struck = [max(start, line) for line in lines]
        for onset, stop in zip(struck, [*struck[1:], until], strict=True):
            rows += [(onset, stop - onset, note) for note in notes]
    return np.array(rows, dtype=np.int32).reshape(-1, 3)


def drawn_voices(piece: Piece, rng: np.random.Generator) -> list[npt.NDArray[np.int32]]:
    """Return what a random player plays: the tune, what accompanies it, or all; or the written chords, or both."""
    every = list(piece.voices)
    if (piece.chords[:, 1] >= 0).any() and rng.random() < CHANGES:
        return [changes_of(piece, rng), *every[: int(rng.integers(2))]]
    if len(every) == 1 or rng.integers(2):
        return every[:1]
    return every[1:] if rng.integers(2) else every


def inputs_of(examples: Sequence[HarmonyExample], steps: int) -> npt.NDArray[np.float32]:
    """Return the network's inputs, (examples, 12, steps, WIDTH)."""
    inputs = HarmonyInputs(len(examples))
    columns = np.zeros((len(examples), steps, 4), dtype=np.int64)
    columns[:, :, 1:3] = -1
    level = np.zeros((len(examples), steps), dtype=np.int64)
    for lane, example in enumerate(examples):
        length = min(steps, len(example.level))
        columns[lane, :length], level[lane, :length] = example.sounds[:length], example.level[:length]
    bar_steps = np.array([example.bar_steps for example in examples])
    found = np.zeros((len(examples), OCTAVE, steps, WIDTH), dtype=np.float32)
    for step in range(steps):
        bits, bass, top, struck = columns[:, step].T
        found[:, :, step] = inputs.push(Sounding(bits, bass, top, struck > 0), level[:, step], bar_steps)
    return found


class FitNetwork(nn.Module):
    """The network of listening.harmony, for gradient descent."""

    def __init__(self) -> None:
        """Create it with random weights."""
        super().__init__()
        self.units = nn.GRU(WIDTH, UNITS, batch_first=True)
        self.out = nn.Linear(UNITS, HEADS * QUALITY_COUNT + len(Mode))
        self.none = nn.Linear(UNITS, HEADS)

    def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of chords, (lanes, steps, HEADS, CHORDS), and keys, (lanes, steps, 24)."""
        lanes, _, steps, _ = inputs.shape
        states, _ = self.units(inputs.reshape(lanes * OCTAVE, steps, WIDTH))
        states = states.reshape(lanes, OCTAVE, steps, UNITS)
        out = self.out(states).permute(0, 2, 1, 3)
        qualities = out[..., : HEADS * QUALITY_COUNT].reshape(lanes, steps, OCTAVE, HEADS, QUALITY_COUNT)
        chords = qualities.permute(0, 1, 3, 2, 4).reshape(lanes, steps, HEADS, CHORDS - 1)
        none = self.none(states.mean(dim=1))
        keys = out[..., HEADS * QUALITY_COUNT :].permute(0, 1, 3, 2).reshape(lanes, steps, len(Mode) * OCTAVE)
        return torch.cat([chords, none[..., None]], dim=3), keys

    def to_arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights by the names of harmony_network.SHAPES."""
        return {name: value.detach().numpy() for name, value in self.state_dict().items()}


def targets(examples: Sequence[HarmonyExample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the chords of each head, (examples, STEPS, HEADS), and the keys, (examples, STEPS); UNKNOWN elsewhere."""
    chords = np.full((len(examples), STEPS, HEADS), UNKNOWN)
    keys = np.full((len(examples), STEPS), UNKNOWN)
    for lane, example in enumerate(examples):
        keys[lane, : len(example.keys[:STEPS])] = example.keys[:STEPS]
        known = np.where(example.chord < 0, UNKNOWN, example.chord)
        for head, later in enumerate(LATER):
            row = known[later : later + STEPS]
            chords[lane, : len(row), head] = row
    return torch.from_numpy(chords), torch.from_numpy(keys)


def fit(
    pieces: dict[str, list[Piece]],
    updates: int,
    seed: int,
    keep: Callable[[FitNetwork], None],
) -> FitNetwork:
    """Return a network fitted to the pieces of each set.

    Args:
        pieces: The pieces of each set.
        updates: Gradient steps, of LANES stretches each.
        seed: Draws weights and stretches.
        keep: Called every KEPT updates with the network so far.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng, network, begun_s = np.random.default_rng(seed), FitNetwork(), time.monotonic()
    names = [name for name in SHARES if pieces.get(name)]
    shares = np.array([SHARES[name] for name in names])
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    for update in range(1, updates + 1):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, update / WARM) * 0.5 * (1 + np.cos(np.pi * update / updates))
        examples = [_drawn(pieces[names[rng.choice(len(names), p=shares / shares.sum())]], rng) for _ in range(LANES)]
        loss = _loss(network, examples)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it without annotations
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if update % KEPT == 0:
            left_min = (time.monotonic() - begun_s) * (updates / update - 1) / 60
            sys.stderr.write(f"{update} updates, loss {loss.item():.3f}, {left_min:.0f} minutes left\n")
            keep(network)
    return network


def _drawn(pieces: Sequence[Piece], rng: np.random.Generator) -> HarmonyExample:
    """Return a random stretch of a random piece, as a random player plays it."""
    piece = pieces[int(rng.integers(len(pieces)))]
    example = make_example(piece, drawn_voices(piece, rng))
    bars, wanted = len(example.level) // example.bar_steps, STEPS + max(LATER)
    first = 0 if rng.random() < FROM_START else int(rng.integers(max(1, bars - STEPS // example.bar_steps + 1)))
    start = first * example.bar_steps
    if rng.random() < ROUNDS:
        end = start + int(rng.choice(ANY_BARS if rng.integers(2) else ROUND_BARS)) * example.bar_steps
        drawn = _in_rounds(piece, start, end, wanted, rng)
    else:
        drawn = example.stretch(start, start + wanted)
    inner = len(drawn.level[:STEPS]) // drawn.bar_steps
    while inner > 1 and rng.random() < MODULATED:
        up = int(rng.integers(1, OCTAVE))
        drawn = drawn.modulated(int(rng.integers(1, inner)) * drawn.bar_steps, up - OCTAVE * (up > OCTAVE // 2))
    return drawn


def _in_rounds(piece: Piece, start: int, end: int, wanted: int, rng: np.random.Generator) -> HarmonyExample:
    """Return `wanted` steps of a player who goes round in the steps from `start` to `end` of a piece."""
    every = list(piece.voices)
    is_again = rng.random() < TUNE_AGAIN
    if is_again and heard_voices(piece, "changes") and (len(every) == 1 or rng.integers(2)):
        every = [every[0], changes_of(piece, rng)]
    drawn = make_example(piece, every if is_again else drawn_voices(piece, rng)).stretch(start, end)
    while len(drawn.level) < wanted:
        voices = every[:1] if is_again else drawn_voices(piece, rng)
        drawn = drawn.then(make_example(piece, voices).stretch(start, end))
    return drawn.stretch(0, wanted)


def _loss(network: FitNetwork, examples: Sequence[HarmonyExample]) -> torch.Tensor:
    """Return the loss over some stretches."""
    chords, keys = network(torch.from_numpy(inputs_of(examples, STEPS)))
    wanted, key = targets(examples)
    losses = [
        functional.cross_entropy(
            chords[:, :, head].reshape(-1, CHORDS), wanted[:, :, head].reshape(-1), ignore_index=UNKNOWN
        )
        for head in range(HEADS)
    ]
    by_step = functional.cross_entropy(
        keys.reshape(-1, keys.shape[2]), key.reshape(-1), ignore_index=UNKNOWN, reduction="none"
    )
    weight = torch.where(_is_new(key), NEW_KEY_WEIGHT, 1.0).reshape(-1) * (key.reshape(-1) != UNKNOWN)
    losses.append((by_step * weight).sum() / weight.sum())
    known = [weight * loss for weight, loss in zip(WEIGHTS, losses, strict=True) if torch.isfinite(loss)]
    return torch.stack(known).sum()


def heard_voices(piece: Piece, heard: str) -> list[npt.NDArray[np.int32]]:
    """Return what a player of one of HEARD_WAYS plays of a piece; nothing where it has no such voices."""
    if heard == "changes":
        return [changes_of(piece)] if (piece.chords[:, 1] >= 0).any() else []
    every = list(piece.voices)
    ways = {"tune": every[:1], "accompaniment": every[1:], "all": every if len(every) > 1 else []}
    return ways[heard]


def _is_new(keys: torch.Tensor) -> torch.Tensor:
    """Return which steps are within NEW_STEPS of a change of key, (lanes, steps)."""
    late = min(NEW_STEPS, keys.shape[1])
    before = torch.cat([keys[:, :1].expand(-1, late), keys[:, :-late]], dim=1)
    return (keys != before) & (keys != UNKNOWN)


def figures(network: HarmonyNetwork, pieces: Sequence[Piece], *, heard: str) -> dict[str, float]:
    """Return the share of the time in which root, chord and key are right, in means over pieces.

    Args:
        network: The network.
        pieces: The pieces.
        heard: What is heard, one of HEARD_WAYS.
    """
    chosen = [(piece, heard_voices(piece, heard)) for piece in pieces]
    return _figures(network, [make_example(piece, own) for piece, own in chosen if own])


def second_round(network: HarmonyNetwork, pieces: Sequence[Piece], bars: int) -> dict[str, float]:
    """Return the figures of the second of two rounds: the first has tune and written chords, the second the tune alone.

    A round begins with the bar in which the tune does.

    Args:
        network: The network.
        pieces: The pieces; those without written chords are left out.
        bars: How many bars a round has.
    """
    examples, begins = [], []
    for piece in pieces:
        if heard_voices(piece, "changes"):
            tune = list(piece.voices[:1])
            first, second = (make_example(piece, own) for own in ([*tune, changes_of(piece)], tune))
            start = int(tune[0][:, 0].min()) // bar_ticks(piece.meter) * first.bar_steps
            end = min(start + bars * first.bar_steps, len(first.level))
            begins.append(end - start)
            examples.append(first.stretch(start, end).then(second.stretch(start, end)))
    return _figures(network, examples, begins)


def _figures(
    network: HarmonyNetwork, examples: Sequence[HarmonyExample], begins: Sequence[int] | None = None
) -> dict[str, float]:
    """Return the figures of examples, each from a step on, in means over them."""
    if not examples:
        return {}
    begins = begins or [0] * len(examples)
    longest = max(len(example.level) for example in examples)
    inputs, state = inputs_of(examples, longest), network.silence(len(examples))
    named = np.zeros((len(examples), longest, HEADS), dtype=np.int64)
    keys = np.zeros((len(examples), longest), dtype=np.int64)
    for step in range(longest):
        state = network.hear(state, inputs[:, :, step])
        found = network.read(state)
        named[:, step], keys[:, step] = found.chords.argmax(axis=2), found.keys.argmax(axis=1)
    rows = [
        _piece_figures(example.stretch(begin, len(example.level)), named[lane, begin:], keys[lane, begin:])
        for lane, (example, begin) in enumerate(zip(examples, begins, strict=True))
    ]
    return {name: _mean([row[name] for row in rows]) for name in rows[0]}


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the values that there are; nan without any."""
    there = [value for value in values if np.isfinite(value)]
    return float(np.mean(there)) if there else float("nan")


def _piece_figures(example: HarmonyExample, named: Integers, keys: Integers) -> dict[str, float]:
    """Return the figures of one piece."""
    steps = len(example.level)
    is_named = (example.chord >= 0) & (example.chord < CHORDS - 1)
    row = {"key": float(np.mean(keys[SETTLED:steps] == example.keys[SETTLED:])) if steps > SETTLED else float("nan")}
    for head, (name, later) in enumerate(zip(("root", "root, a beat on", "root, a bar on"), LATER, strict=True)):
        known = is_named[later:]
        right = named[: steps - later, head] // QUALITY_COUNT == example.chord[later:] // QUALITY_COUNT
        row[name] = float(np.mean(right[known])) if known.any() else float("nan")
    same = named[:steps, 0] == example.chord
    row["chord"] = float(np.mean(same[is_named])) if is_named.any() else float("nan")
    return row


def read_sets(corpora: Path, split: str) -> dict[str, list[Piece]]:
    """Return the pieces of a split by set; those of music21 by their kind."""
    sets = {name: load_folder(corpora / name).pieces for name in SHARES if (corpora / name).is_dir()}
    for piece in load_pieces():
        sets.setdefault(piece.kind, []).append(piece)
    return {name: [piece for piece in pieces if piece.split == split] for name, pieces in sets.items()}


def print_figures(network: HarmonyNetwork, sets: dict[str, list[Piece]]) -> None:
    """Print the figures of each set and of each way to hear it."""
    for name, pieces in sets.items():
        ways = {f"{heard} heard": figures(network, pieces[:HEARD], heard=heard) for heard in HEARD_WAYS}
        for bars in HEARD_ROUNDS:
            ways[f"tune alone in a second round of {bars} bars"] = second_round(network, pieces[:HEARD], bars)
        for way, row in ways.items():
            told = ", ".join(f"{figure} {value:.3f}" for figure, value in row.items() if np.isfinite(value))
            if told:
                sys.stdout.write(f"{name}, {way}: {told}\n")


def main(arguments: Iterable[str] | None = None) -> None:
    """Fit the network, write its file, and print figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--updates", type=int, default=UPDATES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(str(resources.files("improviser.listening.harmony"))) / FILE)
    parser.add_argument("--figures", action="store_true")
    chosen = parser.parse_args(None if arguments is None else list(arguments))

    def keep(network: FitNetwork) -> None:
        """Write the network's file."""
        write_whole(chosen.out, network_bytes(network.to_arrays()))

    if not chosen.figures:
        keep(fit(read_sets(chosen.corpora, "train"), chosen.updates, chosen.seed, keep))
    print_figures(read_network(chosen.out.read_bytes()), read_sets(chosen.corpora, "test"))


if __name__ == "__main__":
    main()
