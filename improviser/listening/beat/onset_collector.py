"""Collects notes into onsets: notes that begin within MERGE_S are one. Each onset has its strength."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from improviser.music.pitch import OCTAVE

# Notes within this time are one onset: a rolled chord, two hands. A sixteenth at 250 beats per minute is longer.
MERGE_S: Final = 0.04
# The lowest note of this time is the bass; notes up to NEAR_BASS above it are bass notes too.
BASS_S: Final = 2.0
NEAR_BASS: Final = 2
# Pitch classes are remembered for about this long, and velocities over about this many onsets.
HARMONY_S: Final = 1.5
LOUDNESS_ONSETS: Final = 12.0
_CLASSES: Final = np.arange(OCTAVE)


class Onset(NamedTuple):
    """What begins at one moment.

    Attributes:
        at_s: Moment of the first note.
        notes: Number of notes.
        top: Highest note, 0-127.
        bass: Lowest note, 0-127.
        velocity: Greatest velocity, 1-127.
        classes: Pitch classes, as bits.
    """

    at_s: float
    notes: int
    top: int
    bass: int
    velocity: int
    classes: int


class Strength(NamedTuple):
    """How much an onset stands out, each 0 or more.

    Attributes:
        notes: Logarithm of the number of notes.
        bass: 1 if its lowest note is the lowest of the last seconds.
        loud: Velocity above the mean, in parts of 16.
        fresh: Share of its pitch classes that have not sounded.
        leap: Octaves from the highest note before.
    """

    notes: float
    bass: float
    loud: float
    fresh: float
    leap: float

    @property
    def accent(self) -> float:
        """The sum of what makes an accent."""
        return 0.1 + 0.4 * self.bass + 0.25 * self.notes + 0.3 * self.loud


class OnsetCollector:
    """Turns notes, in the order of time, into onsets. An onset is complete MERGE_S after its first note."""

    def __init__(self) -> None:
        """Begin with silence."""
        self._open: Onset | None = None

    def add_note(self, at_s: float, note: int, velocity: int) -> Onset | None:
        """Add a note 0-127 that begins at `at_s`; return the onset before it, if this note completes it."""
        done = self.take_due(at_s)
        known = self._open or Onset(at_s, 0, note, note, velocity, 0)
        self._open = Onset(
            known.at_s,
            known.notes + 1,
            max(known.top, note),
            min(known.bass, note),
            max(known.velocity, velocity),
            known.classes | 1 << note % OCTAVE,
        )
        return done

    def take_due(self, at_s: float) -> Onset | None:
        """Return the onset that is complete at `at_s`, once; None if there is none."""
        if self._open is None or at_s - self._open.at_s < MERGE_S:
            return None
        done, self._open = self._open, None
        return done


class StrengthMeter:
    """Measures how much each onset stands out among those before it."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._lowest: list[tuple[float, int]] = []
        self._chroma: npt.NDArray[np.float64] = np.zeros(OCTAVE)
        self._velocity = 0.0
        self._last: Onset | None = None

    def measure(self, onset: Onset) -> Strength:
        """Return the strength of the next onset."""
        last, self._last = self._last, onset
        self._lowest = [(at_s, note) for at_s, note in self._lowest if onset.at_s - at_s <= BASS_S]
        lowest = min((note for _, note in self._lowest), default=onset.bass)
        self._lowest.append((onset.at_s, onset.bass))
        loud = (onset.velocity - self._velocity) / 16 if last else 0.0
        self._velocity += (onset.velocity - self._velocity) * (1 / LOUDNESS_ONSETS if last else 1.0)
        return Strength(
            math.log2(onset.notes),
            float(onset.bass <= lowest + NEAR_BASS),
            min(max(loud, 0.0), 2.0),
            self._freshness(onset, onset.at_s - last.at_s if last else 0.0),
            min(abs(onset.top - last.top) / OCTAVE, 2.0) if last else 0.0,
        )

    def _freshness(self, onset: Onset, gap_s: float) -> float:
        """Return the share of an onset's pitch classes that have not sounded, and remember them."""
        self._chroma *= math.exp(-gap_s / HARMONY_S)
        has = (onset.classes >> _CLASSES & 1).astype(np.float64)
        fresh = 1 - float(has @ self._chroma) / float(has.sum())
        self._chroma = np.maximum(self._chroma, has)
        return fresh
