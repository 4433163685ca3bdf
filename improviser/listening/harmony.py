"""The key and the chord that the player's notes imply; first form."""

from __future__ import annotations

from copy import copy
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITIES, QUALITY_COUNT
from improviser.music.pitch import OCTAVE, IntArray
from improviser.music.scale import ALL_KEYS, KEY_COUNT, SCALE_BITS, Key

FloatArray = npt.NDArray[np.float64]

# How often each degree above the tonic occurs, major and minor.
# Source: Kostka-Payne profile in D. Temperley (2007), "Music and Probability", MIT Press, ch. 6.
PROFILES: Final = np.array(
    [
        [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400],
        [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330],
    ]
)
# The chance that the key stays from one note to the next; the rest is spread over the other keys.
STAY: Final = 0.995
# The chance of major before anything is heard: more than even, as most tunes are.
MAJOR_SHARE: Final = 0.6

# Memory of the chord tracker: the half-life of a heard pitch class, in beats.
CHORD_HALF_LIFE_BEATS: Final = 1.0
_MISS, _ROOT, _SEVENTH, _DIATONIC, _KEEP = -0.7, 0.25, -0.25, 0.35, 0.3
# Between equals the root lower above the tonic wins, so that transposing the music transposes the chord.
_TIE: Final = 1e-6


def _bits_to_rows(bits: IntArray) -> FloatArray:
    """Give twelve-bit sets, (n,), as rows of zeros and ones, (n, 12)."""
    return ((bits[:, None] >> np.arange(OCTAVE)) & 1).astype(np.float64)


def _likelihoods() -> FloatArray:
    """Give log P(pitch class | key), (12, KEY_COUNT)."""
    shares = PROFILES / PROFILES.sum(axis=1, keepdims=True)
    columns = [np.roll(shares[key.mode], key.tonic) for key in ALL_KEYS]
    likelihoods: FloatArray = np.log(np.stack(columns, axis=1))
    return likelihoods


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


_LOG_LIKELIHOODS: Final = _likelihoods()
_CHORD_TEMPLATES: Final = _chord_templates()
_DIATONIC_BONUS: Final = _diatonic_bonus()
_TRANSITION: Final = np.full((KEY_COUNT, KEY_COUNT), (1 - STAY) / (KEY_COUNT - 1)) + np.eye(KEY_COUNT) * (
    STAY - (1 - STAY) / (KEY_COUNT - 1)
)


class KeyTracker:
    """A hidden Markov model over the 24 keys, fed one note at a time; a lock by the player overrules it."""

    def __init__(self, locked: Key | None = None) -> None:
        """Start with every tonic equally likely, or with the key locked."""
        self._locked = locked
        self._posterior = np.repeat([MAJOR_SHARE / OCTAVE, (1 - MAJOR_SHARE) / OCTAVE], OCTAVE)
        self._key = locked or ALL_KEYS[0]

    @property
    def key(self) -> Key:
        """The likeliest key (C major before the first note), or the locked one."""
        return self._key

    @property
    def is_locked(self) -> bool:
        """Whether the player chose the key."""
        return self._locked is not None

    @property
    def confidence(self) -> float:
        """The probability in [0, 1] of the key, 1 when locked."""
        return 1.0 if self._locked is not None else float(self._posterior[self._key.index])

    def hear(self, note: int) -> None:
        """Take in one onset."""
        if self._locked is not None:
            return
        posterior = (_TRANSITION @ self._posterior) * np.exp(_LOG_LIKELIHOODS[note % OCTAVE])
        self._posterior = posterior / posterior.sum()
        self._key = ALL_KEYS[int(np.argmax(self._posterior))]


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
