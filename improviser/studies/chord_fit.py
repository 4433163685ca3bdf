"""Fit the chord tracker to the chorales: `python -m improviser.studies.chord_fit` writes its table again.

Chords, motions and tones are counted in the training split, with the harmony of all four voices as the truth. The
counts are smoothed, so that rare events stay possible. The few parameters, the weights of evidence and the
probabilities of a change, are then tuned one at a time on a part of that split, for a player of all voices, of three
and of one.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.library import load_pieces
from improviser.evaluation.chorale_players import ALL_VOICES, STEPS_PER_BEAT, Harmony, harmonies
from improviser.evaluation.chord_figures import track_chords
from improviser.listening import chord_table
from improviser.listening.chord_tracker import (
    CHORD_TABLE_SHAPES,
    NAT,
    TableParts,
    make_chord_table,
)
from improviser.music.chord import CHORD_COUNT, NO_CHORD, QUALITIES, QUALITY_COUNT
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Mode
from improviser.studies.key_fit import write_module
from improviser.training.grid import ALTO, BASS, SOPRANO, TENOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from improviser.corpus.piece import Piece

Counts = npt.NDArray[np.float64]

CASTS: Final = (ALL_VOICES, (SOPRANO, ALTO, TENOR), (ALTO, TENOR, BASS), (SOPRANO,), (BASS,))
# Added to the counts: chords of a mode, motions, tones of a quality, passing degrees.
CHORD_PRIOR, MOTION_PRIOR, TONE_PRIOR, PASSING_PRIOR = 30.0, 8.0, 40.0, 5.0
# The start values of the parameters, and the values tried for each, in parts of SHARE.
START_KNOBS: Final = (16, 32, 32, 8, 12, 16, 4)
TRIED: Final = (
    (2, 4, 8, 12, 16, 24),
    (16, 24, 32, 48, 64),
    (0, 8, 16, 32, 64),
    (1, 2, 4, 8, 12, 16),
    (4, 8, 12, 16, 24),
    (8, 12, 16, 24, 30),
    (1, 2, 4, 8, 16),
)
# The parameters are tuned on every KNOBS_EVERY-th piece.
KNOBS_EVERY: Final = 4
ROUNDS: Final = 2


def fit(pieces: Sequence[Piece], rounds: int = ROUNDS) -> TableParts:
    """Return the parts of the table, fitted to these pieces."""
    parts = count(list(harmonies(pieces, ALL_VOICES)))
    heard = [harmony for cast in CASTS for harmony in harmonies(pieces[::KNOBS_EVERY], cast)]
    parts["knobs"] = np.array(START_KNOBS)
    best = score(parts, heard)
    for _ in range(rounds):
        for place, values in enumerate(TRIED):
            for value in values:
                knobs = parts["knobs"].copy()
                knobs[place] = value
                found = score(parts | {"knobs": knobs}, heard)
                if found > best:
                    best, parts["knobs"] = found, knobs
    return parts


def count(whole: Iterable[Harmony]) -> TableParts:
    """Return the counted parts of the table, in units of 1/NAT nat, from what all voices sound."""
    start = np.zeros((len(Mode), CHORD_COUNT))
    follow = np.zeros((CHORD_COUNT, CHORD_COUNT))
    tones = np.zeros((QUALITY_COUNT, OCTAVE))
    passing = np.zeros((len(Mode), OCTAVE))
    for harmony in whole:
        _count_chords(harmony, start[harmony.mode], follow)
        _count_tones(harmony, tones, passing[harmony.mode])
    motion = _motion(start.sum(axis=0), follow)
    named = {"motion": motion, "start": _start(start), "tones": _tones(tones), "passing": _passing(passing)}
    return {name: np.rint(NAT * np.log(part)).astype(np.int64) for name, part in named.items()}


def score(parts: TableParts, heard: Sequence[Harmony]) -> float:
    """Return the mean of two shares of steps: those with the right root, and those with the right chord."""
    named = np.concatenate(track_chords(heard, make_chord_table(parts)))
    labels = np.concatenate([harmony.labels for harmony in heard])
    named, labels = named[labels != NO_CHORD], labels[labels != NO_CHORD]
    return float(np.mean(named == labels) + np.mean(named // QUALITY_COUNT == labels // QUALITY_COUNT)) / 2


def _count_chords(harmony: Harmony, start: Counts, follow: Counts) -> None:
    """Add the beats of each chord, and the changes from one chord to another."""
    beats = harmony.labels[::STEPS_PER_BEAT]
    beats = beats[beats != NO_CHORD]
    np.add.at(start, beats, 1)
    changes = beats[1:] != beats[:-1]
    np.add.at(follow, (beats[:-1][changes], beats[1:][changes]), 1)


def _count_tones(harmony: Harmony, tones: Counts, passing: Counts) -> None:
    """Add the steps of each interval above the root, and of each degree that is not a chord tone."""
    rows, degrees = np.nonzero((harmony.bits[:, None] >> np.arange(OCTAVE)) & 1)
    labels = harmony.labels[rows]
    labels, degrees = labels[labels != NO_CHORD], degrees[labels != NO_CHORD]
    roots, qualities = np.divmod(labels, QUALITY_COUNT)
    above = (degrees - roots) % OCTAVE
    np.add.at(tones, (qualities, above), 1)
    np.add.at(passing, degrees[~_IS_TONE[qualities, above]], 1)


_IS_TONE: Final = np.array([[up in intervals for up in range(OCTAVE)] for _, intervals in QUALITIES])


def _start(counts: Counts) -> Counts:
    """Return the probability of each chord; for a rare chord the frequency of its quality counts more."""
    qualities = counts.sum(axis=0).reshape(OCTAVE, QUALITY_COUNT).sum(axis=0) + 1
    prior = np.tile(qualities / qualities.sum() / OCTAVE, OCTAVE)
    smooth = counts + CHORD_PRIOR * prior
    shares: Counts = smooth / smooth.sum(axis=1, keepdims=True)
    return shares


def _motion(beats: Counts, follow: Counts) -> Counts:
    """Return how much likelier than chance each motion is, by the interval of the roots and both qualities."""
    roots, qualities = np.divmod(np.arange(CHORD_COUNT), QUALITY_COUNT)
    place = ((roots[None, :] - roots[:, None]) % OCTAVE, qualities[:, None], qualities[None, :])
    expected = np.outer(follow.sum(axis=1), beats / max(beats.sum(), 1.0))
    seen, chance = np.zeros((2, *CHORD_TABLE_SHAPES["motion"]))
    np.add.at(seen, place, follow)
    np.add.at(chance, place, expected)
    ratio: Counts = (seen + MOTION_PRIOR) / (chance + MOTION_PRIOR)
    return ratio


def _tones(counts: Counts) -> Counts:
    """Return the probability of each chord tone; every other interval has the probability of a non-chord tone."""
    smooth = np.zeros_like(counts)
    outside = (counts[~_IS_TONE].sum() + 1) / (counts.sum() + 2)
    for row, (of_quality, is_tone) in enumerate(zip(counts, _IS_TONE, strict=True)):
        inside = of_quality + TONE_PRIOR * is_tone * (1 - outside) / is_tone.sum()
        other = (of_quality[~is_tone].sum() + TONE_PRIOR * outside) / (of_quality.sum() + TONE_PRIOR)
        smooth[row] = np.where(is_tone, (1 - other) * inside / inside[is_tone].sum(), other)
    return smooth


def _passing(counts: Counts) -> Counts:
    """Return the probability of each degree among the tones that belong to no chord."""
    smooth = counts + PASSING_PRIOR
    shares: Counts = smooth / smooth.sum(axis=1, keepdims=True)
    return shares


def table_text(parts: TableParts) -> str:
    """Return the parts as base64, as `listening.chord_tracker.read_chord_table` reads them."""
    data = b"".join(np.ascontiguousarray(parts[name], dtype="<i2").tobytes() for name in CHORD_TABLE_SHAPES)
    return base64.b64encode(data).decode()


def main() -> None:
    """Fit to the training split and write the table into the package."""
    pieces = [piece for piece in load_pieces() if piece.split == "train"]
    write_module("chord", table_text(fit(pieces)), Path(chord_table.__file__))


if __name__ == "__main__":
    main()
