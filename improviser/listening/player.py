"""The player as heard by improviser: top voice, sounding pitch classes, implied chord; in any number of lanes."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from improviser.listening.harmony.harmony_inputs import Sounding
from improviser.listening.harmony.harmony_tracker import HarmonyTracker
from improviser.listening.line import RANGE, SILENT, Events, Line
from improviser.music.chord import chord_from_index
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
        self._bar_steps = bar_steps
        self._harmony = HarmonyTracker(lanes, int(beat_steps[0]))

    def set_bar(self, bar_steps: int) -> None:
        """Count bars of `bar_steps` steps in all lanes from now on."""
        self.line.set_bar(bar_steps)
        self._bar_steps = np.full_like(self._bar_steps, bar_steps)

    def copy(self) -> Self:
        """Return an independent copy."""
        return self.chosen(np.arange(len(self.bits)))

    def chosen(self, lanes: IntArray) -> Self:
        """Return an independent copy of some lanes, by their numbers, (lanes,); a lane may occur more than once."""
        twin = copy(self)
        twin.line = self.line.chosen(lanes)
        twin.bits, twin.bass = self.bits[lanes], self.bass[lanes]
        twin._bar_steps = self._bar_steps[lanes]  # noqa: SLF001 - of the same class
        twin._harmony = self._harmony.chosen(lanes)  # noqa: SLF001 - of the same class
        return twin

    @property
    def chord(self) -> npt.NDArray[np.int64]:
        """The implied chords' indices, (lanes,), NO_CHORD where none is implied."""
        return self._harmony.chord

    @property
    def chord_confidence(self) -> npt.NDArray[np.float64]:
        """The probabilities in [0, 1] of the implied chords, (lanes,); 0 where none is implied."""
        return self._harmony.confidence

    @property
    def chord_tones(self) -> npt.NDArray[np.float32]:
        """The probability in [0, 1] that each pitch class belongs to the chord, (lanes, 12)."""
        return self._harmony.tones

    @property
    def coming_tones(self) -> npt.NDArray[np.float32]:
        """The probability in [0, 1] that each pitch class belongs to the chord a beat later, (lanes, 12)."""
        return self._harmony.coming

    @property
    def key_chances(self) -> npt.NDArray[np.float32]:
        """The probability in [0, 1] of each key, (lanes, 24), in the order of ALL_KEYS."""
        return self._harmony.keys

    @property
    def chord_name(self) -> str | None:
        """The name of the only lane's implied chord, None if none is implied."""
        chord = chord_from_index(int(self.chord[0]))
        return None if chord is None else chord.name

    def push(
        self, event: Events, bits: IntArray, bass: IntArray, level: IntArray, given: IntArray | None = None
    ) -> None:
        """Process a step; every argument but the last is (lanes,).

        Args:
            event: Event of the top voice.
            bits: Twelve-bit set of the sounding pitch classes.
            bass: The lowest sounding note, SILENT where none sounds.
            level: Metrical level, from music.accent.LEVELS.
            given: The chords that a chart gives, (lanes, 2), as in `HarmonyTracker.push`.
        """
        self.line.push(event)
        self.bits, self.bass = bits, bass
        sound = Sounding(bits, bass, self.line.note, event >= 0)
        self._harmony.push(sound, level, self._bar_steps, given)


def player_base(mean_note: float, tonic: int) -> int:
    """Return the note from which a voice's tokens count: the tonic whose next three octaves centre on its mean note.

    Args:
        mean_note: The voice's mean note.
        tonic: Pitch class 0-11.
    """
    octaves = math.floor((mean_note - RANGE // 2 - tonic) / OCTAVE + 0.5)
    return tonic + OCTAVE * max(0, octaves)
