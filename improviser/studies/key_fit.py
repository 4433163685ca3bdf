"""Fit the key tracker to the corpus: `python -m improviser.studies.key_fit` writes its table again.

The fit maximises the likelihood of the true key at random moments of the training split's pieces: tunes, single voices
of chorales and all their voices at once. Many pieces are also heard with a modulation or with wrong notes. The loss
assumes that a label is sometimes wrong: the key in a tune's `K:` field is at times the relative key. With one seed and
one thread, the same corpus gives the same table on the same machine.
"""

from __future__ import annotations

import base64
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from improviser.corpus.key_example import from_first_note, modulated, to_stream, with_wrong_notes
from improviser.corpus.library import load_pieces
from improviser.listening import key_table
from improviser.listening.cue import CUE_COUNT, CUE_ROTATIONS, MOST_CUES, Cues
from improviser.listening.key_tracker import HIDDEN, MEMORY_BEATS, TABLE_SHAPES, UNITS, WIDTH
from improviser.music.pitch import OCTAVE
from improviser.music.scale import KEY_COUNT, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from improviser.corpus.key_example import Stream
    from improviser.corpus.piece import Piece

CASTS: Final = ((0,), (1,), (2,), (3,), (0, 1, 2, 3), (0, 2, 3))
SEED: Final = 1
EPOCHS: Final = 6
BATCH: Final = 24
LEARNING_RATE: Final = 6e-3
WEIGHT_DECAY: Final = 0.03
DROPOUT: Final = 0.2
# The share of cues that are dropped at random, so that no single cue decides.
CUE_DROPOUT: Final = 0.15
# The share of labels that may be any key.
WRONG_LABELS: Final = 0.03
# The share of pieces that are also heard with a modulation.
MODULATING: Final = 0.5
# The shares of wrong notes in a piece. Without wrong notes in the training data, one chromatic note changed the key.
WRONG_NOTES: Final = (0.0, 0.03, 0.08)
# The most notes heard of a piece, and the number of moments at which the key is read.
LONGEST: Final = 400
MOMENTS: Final = 14
# FRESH of these moments are soon after a modulation, within FRESH_NOTES notes.
FRESH, FRESH_NOTES = 3, 24
FIRST_ANSWER: Final = 31
LINE: Final = 108
INT8: Final = 127.0


@dataclass(frozen=True, slots=True)
class Example:
    """A stream as the tracker hears it.

    Attributes:
        cues: (notes, MOST_CUES) rows, CUE_COUNT where there are fewer.
        beats: (notes,) beats passed, with silences shortened.
        keys: (notes,) true keys.
        turn: Index of the first note after a modulation, 0 without a modulation.
    """

    cues: npt.NDArray[np.int16]
    beats: npt.NDArray[np.float32]
    keys: npt.NDArray[np.int64]
    turn: int


class KeyNet(nn.Module):
    """The tracker's network, applied to whole streams at once."""

    def __init__(self) -> None:
        """Initialise the network with little evidence in each cue."""
        super().__init__()
        self.cues = nn.EmbeddingBag(CUE_COUNT + 1, WIDTH, mode="sum", padding_idx=CUE_COUNT)
        self.hidden = nn.Linear(WIDTH + len(MEMORY_BEATS), HIDDEN)
        self.out = nn.Linear(HIDDEN, len(Mode))
        self.direct = nn.Linear(WIDTH, len(Mode), bias=False)
        self.rotations = torch.tensor(np.vstack([CUE_ROTATIONS, np.full((1, OCTAVE), CUE_COUNT)]))
        with torch.no_grad():
            self.cues.weight.normal_(std=0.05)
            self.cues.weight[CUE_COUNT] = 0

    def forward(self, cues: Tensor, beats: Tensor, moments: Tensor) -> Tensor:
        """Return the log-odds of the keys, (streams, moments, 24).

        Args:
            cues: (streams, notes, MOST_CUES).
            beats: (streams, notes).
            moments: (streams, moments) index of the last note heard.
        """
        streams, notes, most = cues.shape
        if self.training:
            cues = torch.where(torch.rand(cues.shape) < CUE_DROPOUT, CUE_COUNT, cues)
        rows = self.rotations[cues].transpose(2, 3).reshape(-1, most)
        evidence = self.cues(rows).view(streams, notes, OCTAVE, WIDTH)
        since = (beats.gather(1, moments)[:, :, None] - beats[:, None]).clamp(min=0)
        is_heard = torch.arange(notes) <= moments[:, :, None]
        kept, amounts = [], []
        for index, memory in enumerate(MEMORY_BEATS):
            weight = torch.exp(-since / memory) * is_heard
            part = evidence[..., index * UNITS : (index + 1) * UNITS]
            amount = weight.sum(dim=2)
            total = torch.einsum("smn,sntu->smtu", weight, part)
            kept.append(total / torch.sqrt(amount + 1)[:, :, None, None])
            amounts.append(torch.log1p(amount))
        all_kept = functional.dropout(torch.cat(kept, dim=-1), DROPOUT, self.training)
        amount = torch.stack(amounts, dim=-1)[:, :, None].expand(-1, -1, OCTAVE, -1)
        hidden = functional.relu(self.hidden(torch.cat([all_kept, amount], dim=-1)))
        odds = self.out(hidden) + self.direct(all_kept)
        return cast("Tensor", odds.transpose(2, 3).flatten(2))


def streams_of(pieces: Iterable[Piece], rng: np.random.Generator) -> Iterator[Stream]:
    """Yield what players may play of the pieces: each as it is, and some also with a modulation."""
    for piece in pieces:
        for voices in CASTS if piece.kind == "chorale" else CASTS[:1]:
            stream = to_stream(piece, voices, rng)
            variants = [stream]
            if rng.random() < MODULATING:
                variants.append(modulated(stream, rng) or stream)
            if piece.pickup_ticks and piece.kind == "tune":
                variants.append(from_first_note(stream))
            yield from (with_wrong_notes(variant, rng.choice(WRONG_NOTES), rng) for variant in variants)


def to_example(stream: Stream) -> Example:
    """Return a stream as the cues that the tracker finds in it."""
    ears = Cues(stream.meter)
    cues = np.full((len(stream.notes), MOST_CUES), CUE_COUNT, dtype=np.int16)
    gaps = np.zeros(len(stream.notes), dtype=np.float32)
    for index, (note, beat) in enumerate(zip(stream.notes.tolist(), stream.beats.tolist(), strict=True)):
        rows, gaps[index] = ears.add_note(note, beat)
        cues[index, : len(rows)] = rows
    return Example(cues[:LONGEST], np.cumsum(gaps)[:LONGEST], stream.keys[:LONGEST], stream.turn)


def fit(examples: Sequence[Example], epochs: int = EPOCHS) -> KeyNet:
    """Return the network fitted to the examples."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    net = KeyNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    ordered = sorted(examples, key=lambda example: len(example.keys))
    batches = [ordered[at : at + BATCH] for at in range(0, len(ordered), BATCH)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=epochs * len(batches))
    for _ in range(epochs):
        for at in rng.permutation(len(batches)):
            loss = _loss(net, batches[at], rng)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch's own lacks a type
            optimiser.step()
            schedule.step()
    return net.eval()


def _loss(net: KeyNet, batch: Sequence[Example], rng: np.random.Generator) -> Tensor:
    """Return the mean loss for the true keys at random moments of each example."""
    longest = max(len(example.keys) for example in batch)
    cues = np.full((len(batch), longest, MOST_CUES), CUE_COUNT, dtype=np.int64)
    beats = np.zeros((len(batch), longest), dtype=np.float32)
    moments = np.zeros((len(batch), MOMENTS), dtype=np.int64)
    keys = np.zeros((len(batch), MOMENTS), dtype=np.int64)
    for row, example in enumerate(batch):
        length = len(example.keys)
        cues[row, :length], beats[row, :length] = example.cues, example.beats
        moments[row] = _moments(example, rng)
        keys[row] = example.keys[moments[row]]
    odds = net(torch.from_numpy(cues), torch.from_numpy(beats), torch.from_numpy(moments))
    chance = odds.softmax(dim=-1).gather(2, torch.from_numpy(keys)[..., None])
    return -torch.log((1 - WRONG_LABELS) * chance + WRONG_LABELS / KEY_COUNT).mean()


def _moments(example: Example, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the notes after which the key is read: the last, an early one, some after a modulation, random ones."""
    last = len(example.keys) - 1
    chosen = rng.integers(0, last + 1, MOMENTS)
    chosen[0], chosen[1] = last, min(FIRST_ANSWER, last)
    if 0 < example.turn <= last:
        fresh = example.turn + rng.integers(0, FRESH_NOTES, FRESH)
        chosen[2 : 2 + FRESH] = np.minimum(fresh, last)
    return chosen


def table_text(net: KeyNet) -> str:
    """Return the network's numbers as base64, as `listening.key_tracker.read_key_table` reads them."""
    cues = net.cues.weight.detach().numpy()[:CUE_COUNT]
    scale = np.abs(cues).max(axis=0) / INT8
    arrays = {
        "scale": scale,
        "hidden": net.hidden.weight.detach().numpy().T,
        "hidden_bias": net.hidden.bias.detach().numpy(),
        "out": net.out.weight.detach().numpy().T,
        "out_bias": net.out.bias.detach().numpy(),
        "direct": net.direct.weight.detach().numpy().T,
    }
    # The scale is rounded first, so that the cues are rounded to the values that will be read.
    steps = np.rint(cues / scale.astype("<f2").astype(np.float32)).clip(-INT8, INT8).astype(np.int8)
    rest = [np.ascontiguousarray(arrays[name], dtype="<f2").tobytes() for name in TABLE_SHAPES]
    return base64.b64encode(steps.tobytes() + b"".join(rest)).decode()


def write_module(tracker: str, text: str, path: Path) -> None:
    """Write the module that holds the table of a tracker, "key" or "chord"."""
    lines = "\n".join(textwrap.wrap(text, LINE))
    head = f'"""The fitted numbers of the {tracker} tracker: written by studies.{tracker}_fit."""\n\n'
    path.write_text(f'{head}{tracker.upper()}_TABLE = """\n{lines}\n"""\n', encoding="utf-8")


def main() -> None:
    """Fit to the training split and write the table into the package."""
    pieces = [piece for piece in load_pieces() if piece.split == "train"]
    streams = streams_of(pieces, np.random.default_rng(SEED))
    text = table_text(fit([to_example(stream) for stream in streams]))
    write_module("key", text, Path(key_table.__file__))


if __name__ == "__main__":
    main()
