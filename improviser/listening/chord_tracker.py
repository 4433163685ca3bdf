"""Finds the chord that the player's notes imply.

The tracker is a hidden Markov model over all chords relative to the tonic; it runs forward only. Notes that begin,
above all on the beat, and notes that go on sounding are evidence for the chords that contain them. The chord can
change only when a note begins. All quantities are whole numbers, which float64 adds exactly in any order. So one
lane gives bit for bit what 256 lanes give together, and transposed music gives the transposed chord.

Source: L. Rabiner (1989), "A Tutorial on Hidden Markov Models", eqs. 19-20 (the forward pass).
`studies.chord_fit` fits the numbers to the corpus; docs/research/chords-by-fitted-evidence.md says what else was tried.
"""

from __future__ import annotations

import base64
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from improviser.listening.chord_table import CHORD_TABLE
from improviser.music.accent import BEAT_LEVEL
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITY_COUNT
from improviser.music.pitch import OCTAVE, IntArray
from improviser.music.scale import Mode

FloatArray = npt.NDArray[np.float64]
TableParts = dict[str, npt.NDArray[np.int64]]

# After this many silent steps no chord is implied any more.
WINDOW_STEPS: Final = 32
# Units: log-probabilities are in 1/NAT nats; weights of evidence and chances are in 1/SHARE.
NAT: Final = 32
SHARE: Final = 32
# The table's parts, in this order, as int16; `studies.chord_fit` says how each comes about.
#   start: how likely a chord is in a mode;
#   motion: how much likelier a chord is after another, by interval of the roots and both qualities;
#   tones: how likely a pitch class sounds in a chord, by quality and interval above the root;
#   passing: how likely a degree of a mode sounds outside the chord;
#   knobs, all in 1/SHARE: the weights of notes that begin off the beat, of notes that begin on it, and of one beat
#       of notes that go on; the chance of a change on the beat with one, two and more new pitch classes; the share
#       of this chance that applies off the beat.
CHORD_TABLE_SHAPES: Final = {
    "start": (len(Mode), CHORD_COUNT),
    "motion": (OCTAVE, QUALITY_COUNT, QUALITY_COUNT),
    "tones": (QUALITY_COUNT, OCTAVE),
    "passing": (len(Mode), OCTAVE),
    "knobs": (7,),
}
# Probabilities are stored as whole parts of the highest one; those of a change as whole parts of 1.
_PARTS: Final = 2.0**20
_CHANGE_PARTS: Final = 2.0**16
# A chord counts as at most this many nats less likely than the likeliest.
_LEAST_NATS: Final = 14
_ROOTS, _QUALITIES = np.divmod(np.arange(CHORD_COUNT), QUALITY_COUNT)
_ODDS: Final = np.exp(-np.arange(_LEAST_NATS * NAT + 1) / NAT)
_PITCH_CLASSES: Final = np.arange(OCTAVE)
_FULL_SET: Final = (1 << OCTAVE) - 1
# Each twelve-bit set as a row of zeros and ones.
_ROWS: Final = ((np.arange(1 << OCTAVE)[:, None] >> _PITCH_CLASSES) & 1).astype(np.float64)
_COUNTS: Final = np.array([bits.bit_count() for bits in range(1 << OCTAVE)])
# [semitones that the tonic moves up, chord]: the chord's index relative to the old tonic, (OCTAVE, CHORD_COUNT).
_TURNED: Final = (np.arange(CHORD_COUNT) + QUALITY_COUNT * _PITCH_CLASSES[:, None]) % CHORD_COUNT


@dataclass(frozen=True, slots=True)
class ChordTable:
    """The fitted numbers by mode and by chord relative to the tonic; weights and chances are in 1/SHARE.

    Attributes:
        start: (2, CHORD_COUNT) probabilities as whole parts of the highest.
        change: (2, CHORD_COUNT, CHORD_COUNT) probabilities of each next chord after a change, as whole parts of 1.
        evidence: (2, OCTAVE, CHORD_COUNT) log-likelihood of a sounding degree, in 1/NAT nats.
        chance: (2, OCTAVE + 1) chance of a change, off and on the beat, by the number of pitch classes that begin.
        begun: (2,) weight of notes that begin, off and on the beat.
        held: Weight of one beat of notes that go on.
    """

    start: FloatArray
    change: FloatArray
    evidence: FloatArray
    chance: FloatArray
    begun: FloatArray
    held: int


def read_chord_table(text: str) -> TableParts:
    """Return the parts that `studies.chord_fit` wrote as base64."""
    numbers = np.frombuffer(base64.b64decode(text), dtype="<i2").astype(np.int64)
    parts, at = {}, 0
    for name, shape in CHORD_TABLE_SHAPES.items():
        count = int(np.prod(shape))
        parts[name] = numbers[at : at + count].reshape(shape)
        at += count
    return parts


def make_chord_table(parts: TableParts) -> ChordTable:
    """Return the table that the tracker computes with, made from the fitted parts."""
    motion = (_ROOTS[None, :] - _ROOTS[:, None]) % OCTAVE
    follow = parts["motion"][motion, _QUALITIES[:, None], _QUALITIES[None, :]]
    change = np.exp((parts["start"][:, None, :] + follow) / NAT) * (1 - np.eye(CHORD_COUNT))
    change /= change.sum(axis=2, keepdims=True)
    above = (_PITCH_CLASSES[:, None] - _ROOTS[None, :]) % OCTAVE
    is_member = (CHORD_BITS[None, :CHORD_COUNT] >> _PITCH_CLASSES[:, None]) & 1
    evidence = parts["tones"][_QUALITIES[None, :], above] + np.where(is_member, 0, parts["passing"][..., None])
    off_beat, on_beat, held, one, two, more, share = parts["knobs"].tolist()
    chance = np.array([0.0, one, two] + [more] * (OCTAVE - 2))
    return ChordTable(
        start=_whole(np.exp(parts["start"] / NAT)),
        change=np.rint(change * _CHANGE_PARTS),
        evidence=evidence.astype(np.float64),
        chance=np.stack([np.rint(chance * share / SHARE), chance]),
        begun=np.array([off_beat, on_beat], dtype=np.float64),
        held=held,
    )


@cache
def _fitted() -> ChordTable:
    """Return the shipped table."""
    return make_chord_table(read_chord_table(CHORD_TABLE))


def _whole(likelihood: FloatArray) -> FloatArray:
    """Return likelihoods, one row per lane, as whole parts of the row's highest; each is at least 1."""
    likelihood *= _PARTS / likelihood.max(axis=-1, keepdims=True)
    return np.maximum(np.rint(likelihood), 1.0)


def _lowered(bits: IntArray, semitones: IntArray) -> IntArray:
    """Return twelve-bit sets, (n,), moved down by 0-11 semitones each."""
    return ((bits >> semitones) | (bits << (OCTAVE - semitones))) & _FULL_SET


class ChordTracker:
    """Tracks the probability of every chord, for any number of lanes."""

    def __init__(self, lanes: int, steps_per_beat: int, *, table: ChordTable | None = None) -> None:
        """Start with silence in each lane.

        Args:
            lanes: Number of players.
            steps_per_beat: Grid steps per beat.
            table: Fitted numbers; the shipped ones by default.
        """
        self._table = table or _fitted()
        self._held = self._table.held // steps_per_beat
        self._parts = np.zeros((lanes, CHORD_COUNT))
        self._tonic: IntArray = np.zeros(lanes, dtype=np.int64)
        self._bits: IntArray = np.zeros(lanes, dtype=np.int64)
        self._silent = np.full(lanes, WINDOW_STEPS, dtype=np.int64)
        self.chord: npt.NDArray[np.int64] = np.full(lanes, NO_CHORD, dtype=np.int64)

    def copy(self) -> Self:
        """Return an independent copy."""
        twin = copy(self)
        for name in ("_parts", "_tonic", "_bits", "_silent", "chord"):
            setattr(twin, name, getattr(self, name).copy())
        return twin

    @property
    def confidence(self) -> FloatArray:
        """The probability in [0, 1] of each lane's chord, (lanes,); 0 where no chord is implied."""
        total = self._parts.sum(axis=1)
        share = self._parts.max(axis=1) / np.maximum(total, 1.0)
        return np.where(self.chord == NO_CHORD, 0.0, share)

    def push(self, bits: IntArray, key: IntArray, level: IntArray) -> None:
        """Process the notes that sound in a step.

        Args:
            bits: (lanes,) twelve-bit pitch-class sets.
            key: (lanes,) key indices.
            level: (lanes,) metrical level of the step, from music.accent.LEVELS.
        """
        mode, tonic = np.divmod(key, OCTAVE)
        self._turn(tonic)
        sounding = bits != 0
        begun = bits & ~self._bits
        self._bits = bits
        is_first = sounding & (self._silent >= WINDOW_STEPS)
        if is_first.any():
            self._parts[is_first] = self._table.start[mode[is_first]]
        self._silent = np.where(sounding, 0, self._silent + 1)
        on_beat = (level >= BEAT_LEVEL).astype(np.int64)
        for row in range(len(Mode)):
            lanes = (sounding & (mode == row)).nonzero()[0]
            if len(lanes):
                self._weigh(lanes, row, begun[lanes], on_beat[lanes])
        named = (self._parts.argmax(axis=1) + QUALITY_COUNT * tonic) % CHORD_COUNT
        self.chord = np.where(sounding, named, self.chord)
        self.chord[self._silent >= WINDOW_STEPS] = NO_CHORD

    def _turn(self, tonic: IntArray) -> None:
        """Set the tonics, (lanes,), that the chords are relative to."""
        lanes = (tonic != self._tonic).nonzero()[0]
        if len(lanes):
            up = (tonic[lanes] - self._tonic[lanes]) % OCTAVE
            self._parts[lanes] = self._parts[lanes[:, None], _TURNED[up]]
        self._tonic = tonic

    def _weigh(self, lanes: IntArray, mode: int, begun: IntArray, on_beat: IntArray) -> None:
        """Update the probabilities of lanes in one mode: apply possible chord changes, then the sounding notes."""
        table, tonic, parts = self._table, self._tonic[lanes], self._parts[lanes]
        weights = _ROWS[_lowered(self._bits[lanes], tonic)] * self._held
        changing = begun.nonzero()[0]
        if len(changing):
            new, at = begun[changing], on_beat[changing]
            chance = table.chance[at, _COUNTS[new]][:, None]
            before = parts[changing]
            stayed = before * ((SHARE - chance) * _CHANGE_PARTS)
            parts *= SHARE * _CHANGE_PARTS
            parts[changing] = stayed + (before @ table.change[mode]) * chance
            weights[changing] += _ROWS[_lowered(new, tonic[changing])] * (table.begun[at] - self._held)[:, None]
        evidence = weights @ table.evidence[mode]
        short = (evidence.max(axis=1, keepdims=True) - evidence) * (1 / SHARE)
        parts *= _ODDS.take(short.astype(np.int64), mode="clip")
        self._parts[lanes] = _whole(parts)
