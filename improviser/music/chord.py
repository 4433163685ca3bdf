"""Chords: root, quality, pitch classes, names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from improviser.music.pitch import OCTAVE, PITCH_CLASS_NAMES, IntArray, pitch_class_bits

# quality -> (suffix of its name, semitones above the root)
QUALITIES: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("", (0, 4, 7)),
    ("m", (0, 3, 7)),
    ("dim", (0, 3, 6)),
    ("aug", (0, 4, 8)),
    ("7", (0, 4, 7, 10)),
    ("maj7", (0, 4, 7, 11)),
    ("m7", (0, 3, 7, 10)),
    ("m7b5", (0, 3, 6, 10)),
    ("sus4", (0, 5, 7)),
)
QUALITY_COUNT: Final = len(QUALITIES)
CHORD_COUNT: Final = OCTAVE * QUALITY_COUNT
NO_CHORD: Final = -1


@dataclass(frozen=True, slots=True)
class Chord:
    """A root (pitch class 0-11) and a quality (row of QUALITIES)."""

    root: int
    quality: int

    @property
    def name(self) -> str:
        """The chord as a lead sheet writes it: "C", "F#m7", "Bbsus4"."""
        return PITCH_CLASS_NAMES[self.root] + QUALITIES[self.quality][0]

    @property
    def index(self) -> int:
        """The chord's index: root x QUALITY_COUNT + quality."""
        return self.root * QUALITY_COUNT + self.quality

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The chord's pitch classes."""
        return frozenset((self.root + semitones) % OCTAVE for semitones in QUALITIES[self.quality][1])


def chord_from_index(index: int) -> Chord | None:
    """Return the chord with `index` = root x QUALITY_COUNT + quality; None for NO_CHORD."""
    return None if index == NO_CHORD else Chord(*divmod(index, QUALITY_COUNT))


def root_above(chords: IntArray, tonic: IntArray) -> IntArray:
    """Return the roots of chords, by index, in semitones above the tonic; NO_CHORD gives any number of 0-11."""
    roots: IntArray = (chords // QUALITY_COUNT - tonic) % OCTAVE
    return roots


# CHORD_BITS[index]: the chord's twelve-bit pitch-class set. The extra last row is the empty set: NO_CHORD is -1.
CHORD_BITS: Final = np.array(
    [
        pitch_class_bits([root + semitones for semitones in intervals])
        for root in range(OCTAVE)
        for _, intervals in QUALITIES
    ]
    + [0],
    dtype=np.int64,
)
