"""The player as heard by improviser: top voice, sounding pitch classes, implied chord; in any number of lanes."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from improviser.listening.chord_tracker import ChordTracker
from improviser.listening.line import RANGE, SILENT, Events, Line
from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from improviser.music.pitch import IntArray


class Player:
    """The player's state at the current step, per lane.

    Attributes:
        line: The top voice.
        bits: (lanes,) int64, twelve-bit sets of the sounding pitch classes.
        bass: (lanes,) int64, the lowest sounding note, SILENT where none sounds.
    """

    def __init__(self, beat_steps: IntArray, bar_steps: IntArray) -> None:
        """Start silent; the arrays of steps per beat and per bar have one entry per lane."""
        lanes = len(bar_steps)
        self.line = Line(beat_steps, bar_steps)
        self.bits: IntArray = np.zeros(lanes, dtype=np.int64)
        self.bass: IntArray = np.full(lanes, SILENT)
        self._chords = ChordTracker(lanes, int(beat_steps[0]))

    def copy(self) -> Self:
        """Return an independent copy."""
        twin = copy(self)
        twin.line = self.line.copy()
        twin._chords = self._chords.copy()  # noqa: SLF001 - of the same class
        return twin

    @property
    def chord(self) -> npt.NDArray[np.int64]:
        """The implied chords' indices, (lanes,), NO_CHORD where none is implied."""
        return self._chords.chord

    @property
    def chord_confidence(self) -> npt.NDArray[np.float64]:
        """The probabilities in [0, 1] of the implied chords, (lanes,); 0 where none is implied."""
        return self._chords.confidence

    def push(self, event: Events, bits: IntArray, bass: IntArray, key: IntArray, level: IntArray) -> None:
        """Process a step; every argument is (lanes,).

        Args:
            event: Event of the top voice.
            bits: Twelve-bit set of the sounding pitch classes.
            bass: The lowest sounding note, SILENT where none sounds.
            key: Index of the key.
            level: Metrical level, from music.accent.LEVELS.
        """
        self.line.push(event)
        self.bits, self.bass = bits, bass
        self._chords.push(bits, key, level)


def player_base(mean_note: float, tonic: int) -> int:
    """Return the note from which a voice's tokens count: the tonic whose next three octaves centre on its mean note.

    Args:
        mean_note: The voice's mean note.
        tonic: Pitch class 0-11.
    """
    octaves = math.floor((mean_note - RANGE // 2 - tonic) / OCTAVE + 0.5)
    return tonic + OCTAVE * max(0, octaves)
