"""The chord that the player's notes imply."""

from __future__ import annotations

from copy import copy
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITIES, QUALITY_COUNT
from improviser.music.pitch import OCTAVE, IntArray
from improviser.music.scale import ALL_KEYS, SCALE_BITS

FloatArray = npt.NDArray[np.float64]

# Memory of the chord tracker: the half-life of a heard pitch class, in beats.
CHORD_HALF_LIFE_BEATS: Final = 1.0
_MISS, _ROOT, _SEVENTH, _DIATONIC, _KEEP = -0.7, 0.25, -0.25, 0.35, 0.3
# Between equals the root lower above the tonic wins, so that transposing the music transposes the chord.
_TIE: Final = 1e-6


def _bits_to_rows(bits: IntArray) -> FloatArray:
    """Give twelve-bit sets, (n,), as rows of zeros and ones, (n, 12)."""
    return ((bits[:, None] >> np.arange(OCTAVE)) & 1).astype(np.float64)


def _chord_templates() -> FloatArray:
    """Give what a sounding pitch class adds to each chord's score, (12, CHORD_COUNT)."""
    members = _bits_to_rows(CHORD_BITS[:CHORD_COUNT])
    templates = np.where(members > 0, 1.0, _MISS)
    roots = np.arange(CHORD_COUNT) // QUALITY_COUNT
    templates[np.arange(CHORD_COUNT), roots] += _ROOT
    sizes = np.array([len(QUALITIES[index % QUALITY_COUNT][1]) for index in range(CHORD_COUNT)])
    return (templates + _SEVENTH * (sizes[:, None] - 3)).T.copy()


def _diatonic_bonus() -> FloatArray:
    """Give what a chord whose tones all lie in the key gains, (KEY_COUNT, CHORD_COUNT)."""
    roots = np.arange(CHORD_COUNT) // QUALITY_COUNT
    rows = []
    for key in ALL_KEYS:
        scale = int(SCALE_BITS[key.mode])
        bits = ((scale << key.tonic) | (scale >> (OCTAVE - key.tonic))) & 0xFFF
        diatonic = np.where(CHORD_BITS[:CHORD_COUNT] & ~bits, 0.0, _DIATONIC)
        rows.append(diatonic - _TIE * ((roots - key.tonic) % OCTAVE))
    return np.stack(rows)


_CHORD_TEMPLATES: Final = _chord_templates()
_DIATONIC_BONUS: Final = _diatonic_bonus()


class ChordTracker:
    """Scores every chord against the recently sounding pitch classes, for any number of lanes."""

    def __init__(self, lanes: int, steps_per_beat: int) -> None:
        """Start with silence in each lane."""
        self._keep = 0.5 ** (1 / (CHORD_HALF_LIFE_BEATS * steps_per_beat))
        self._weights = np.zeros((lanes, OCTAVE))
        self.chord = np.full(lanes, NO_CHORD, dtype=np.int64)

    def copy(self) -> Self:
        """Give a tracker that goes its own way from here."""
        twin = copy(self)
        twin._weights = self._weights.copy()  # noqa: SLF001 - of the same class
        return twin

    def push(self, bits: IntArray, key: IntArray) -> None:
        """Take in what sounds in a step: pitch-class sets and key indices, both (lanes,)."""
        self._weights *= self._keep
        self._weights += _bits_to_rows(bits)
        total = self._weights.sum(axis=1)
        scores = self._weights @ _CHORD_TEMPLATES
        scores += _DIATONIC_BONUS[key] * total[:, None]
        known = np.flatnonzero(self.chord >= 0)
        scores[known, self.chord[known]] += _KEEP * total[known]
        self.chord = np.where(total > self._keep**WINDOW_STEPS, scores.argmax(axis=1), NO_CHORD)


# A pitch class heard so many steps ago, and nothing since, is no chord any more.
WINDOW_STEPS: Final = 32
