"""Tracks the chord behind what players play, step by step, for any number of them.

The network hears sixteenths. On a coarser grid a step is several of them, in which what sounds goes on.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import numpy.typing as npt

from improviser.listening.harmony.harmony_inputs import HarmonyInputs, Sounding
from improviser.listening.harmony.harmony_network import CHORDS, FloatArray, HarmonyNetwork, shipped_network
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE
from improviser.music.scale import KEY_COUNT

if TYPE_CHECKING:
    from improviser.music.pitch import IntArray

# After this many silent steps no chord is implied any more.
WINDOW_STEPS: Final = 32
# Whether each chord has each pitch class, (CHORD_COUNT, 12).
_MEMBERS: Final = ((CHORD_BITS[:CHORD_COUNT, None] >> np.arange(OCTAVE)) & 1).astype(np.float32)
# How likely the chord of a chart is before anything is heard. So the player overrules it who clearly plays another one.
GIVEN: Final = 0.9
# The heads that are used: the chord now, and a beat later.
KNOWN_HEADS: Final = 2
# A lane without a chart.
NOT_GIVEN: Final = -2


class HarmonyTracker:
    """Tracks the probability of every chord, for any number of lanes.

    Attributes:
        chord: (lanes,) index of the likeliest chord, NO_CHORD where none is implied.
        confidence: (lanes,) its probability, 0 where none is implied.
        tones: (lanes, 12) probability that each pitch class belongs to the chord, 0 after a long silence.
        coming: (lanes, 12) the same of the chord a beat later.
        keys: (lanes, 24) probability of each key, in the order of ALL_KEYS.
    """

    def __init__(self, lanes: int, steps_per_beat: int, *, network: HarmonyNetwork | None = None) -> None:
        """Start with silence in each lane.

        Args:
            lanes: Number of players.
            steps_per_beat: Grid steps per beat, 1-4.
            network: The fitted network; the shipped one by default.
        """
        self._network = network or shipped_network()
        self._steps_per_beat = steps_per_beat
        self._steps = 0
        self._inputs = HarmonyInputs(lanes)
        self._state = self._network.silence(lanes)
        self._silent = np.full(lanes, WINDOW_STEPS, dtype=np.int64)
        self.chord: npt.NDArray[np.int64] = np.full(lanes, NO_CHORD, dtype=np.int64)
        self.confidence: npt.NDArray[np.float64] = np.zeros(lanes)
        self.tones: npt.NDArray[np.float32] = np.zeros((lanes, OCTAVE), dtype=np.float32)
        self.coming: npt.NDArray[np.float32] = self.tones
        self.keys: npt.NDArray[np.float32] = np.full((lanes, KEY_COUNT), 1 / KEY_COUNT, dtype=np.float32)

    def chosen(self, lanes: IntArray) -> Self:
        """Return an independent copy of some lanes, by their numbers, (lanes,); a lane may occur more than once."""
        twin = copy(self)
        twin._inputs = self._inputs.chosen(lanes)  # noqa: SLF001 - of the same class
        for name in ("_state", "_silent", "chord", "confidence", "tones", "coming", "keys"):
            setattr(twin, name, getattr(self, name)[lanes])
        return twin

    def push(self, sound: Sounding, level: IntArray, bar_steps: IntArray, given: IntArray | None = None) -> None:
        """Process a step.

        Args:
            sound: What sounds in it.
            level: (lanes,) its metrical level, from music.accent.LEVELS.
            bar_steps: (lanes,) grid steps in a bar.
            given: (lanes, 2) index of the chord that a chart gives, now and a beat later, NO_CHORD where it says that
                there is none, NOT_GIVEN in a lane without a chart; None if there is no chart at all.
        """
        sixteenths = self._sixteenths(self._steps + 1) - self._sixteenths(self._steps)
        bar_sixteenths = bar_steps * SIXTEENTHS_PER_BEAT // self._steps_per_beat
        for part in range(sixteenths):
            if part:
                sound, level = replace(sound, is_struck=np.zeros_like(sound.is_struck)), np.zeros_like(level)
            heard = self._inputs.push(sound, level, bar_sixteenths)
            self._state = self._network.hear(self._state, heard)
        self._steps += 1
        self._silent = np.where(sound.bits != 0, 0, self._silent + 1)
        belief = self._network.read(self._state)
        chords, self.keys = belief.chords[:, :KNOWN_HEADS], belief.keys
        is_known = self._silent < WINDOW_STEPS
        if given is not None:
            chords, is_known = _with_given(chords, given), is_known | (given[:, 0] != NOT_GIVEN)
        best = chords[:, 0].argmax(axis=1)
        is_implied = (best < CHORD_COUNT) & is_known
        self.chord = np.where(is_implied, best, NO_CHORD)
        self.confidence = np.where(is_implied, chords[:, 0].max(axis=1), 0.0)
        tones = chords[:, :, :CHORD_COUNT] @ _MEMBERS * is_known[:, None, None]
        self.tones, self.coming = tones[:, 0], tones[:, 1]

    def _sixteenths(self, steps: int) -> int:
        """Return the number of sixteenths that have passed after some steps."""
        return steps * SIXTEENTHS_PER_BEAT // self._steps_per_beat


def _with_given(chords: FloatArray, given: IntArray) -> FloatArray:
    """Return probabilities of chords, (lanes, KNOWN_HEADS, CHORDS), where a chart gives one: both are evidence.

    NO_CHORD is the index of the last one.
    """
    both = chords * np.float32((1 - GIVEN) / CHORDS)
    lanes, heads = np.indices(given.shape)
    both[lanes, heads, given] = chords[lanes, heads, given] * np.float32(GIVEN)
    both /= both.sum(axis=2, keepdims=True)
    return np.where(given[..., None] == NOT_GIVEN, chords, both)
