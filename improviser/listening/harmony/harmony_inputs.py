"""What the harmony network hears in a step: the notes now, and those at the same place some bars ago.

Each of twelve views shows the notes as degrees above another root. So absolute pitch plays no part: transposed music
gives the same numbers in another view. Music returns after 4, 8 or 16 bars more often than after others; what sounded
then, and what followed, says much about the chord behind a tune that is heard again.

| columns | meaning |
|---|---|
| 12 | which degrees begin, or are struck again in the top voice |
| 12 | which degrees sound |
| 12 | the degree of the lowest note |
| 12 | the degree of the highest note |
| 2 x 12 for each of LAG_BARS | which degrees sounded then; how long each did in the half bar that followed, up to 1 |
| 5 | metrical level |
| 1 for each of LAG_BARS | how alike the last eight beats were to those before, 0-1 |
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import numpy.typing as npt

from improviser.music.pitch import NOTE_MAX, OCTAVE

if TYPE_CHECKING:
    from improviser.music.pitch import IntArray

LAG_BARS: Final = (4, 8, 16)
LEVELS: Final = 5
WIDTH: Final = OCTAVE * (4 + 2 * len(LAG_BARS)) + LEVELS + len(LAG_BARS)
# The longest past in steps: 16 bars of 12/8 on a grid of four steps a beat.
_PAST: Final = 16 * 24 + 1
# The steps over which two stretches are compared.
_ALIKE: Final = 32
# How many steps of the half bar that followed count fully.
_FULL: Final = np.float32(2.0)
_LAGS: Final = np.array(LAG_BARS)
# [view, degree]: the pitch class of each degree above the view's root.
_TURNED: Final = (np.arange(OCTAVE)[:, None] + np.arange(OCTAVE)) % OCTAVE

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sounding:
    """What sounds in a step; every array is (lanes,).

    Attributes:
        bits: Twelve-bit sets of pitch classes.
        bass: The lowest note, -1 where none sounds.
        top: The highest note, -1 where none sounds.
        is_struck: Whether the highest note begins in this step.
    """

    bits: IntArray
    bass: IntArray
    top: IntArray
    is_struck: npt.NDArray[np.bool_]


class HarmonyInputs:
    """Makes the network's inputs for any number of players, a step at a time."""

    def __init__(self, lanes: int) -> None:
        """Start in silence."""
        self._step = 0
        self._lanes = np.arange(lanes)
        # What sounded in each step, and for how many steps each pitch class had sounded by then.
        self._past = np.zeros((lanes, _PAST, OCTAVE), dtype=np.float32)
        self._total = np.zeros((lanes, _PAST, OCTAVE), dtype=np.float32)
        self._shared = np.zeros((lanes, _ALIKE, len(LAG_BARS)), dtype=np.float32)
        self._either = np.zeros((lanes, _ALIKE, len(LAG_BARS)), dtype=np.float32)

    def chosen(self, lanes: IntArray) -> Self:
        """Return an independent copy of some lanes, by their numbers, (lanes,); a lane may occur more than once."""
        twin = copy(self)
        for name in ("_past", "_total", "_shared", "_either"):
            setattr(twin, name, getattr(self, name)[lanes])
        twin._lanes = np.arange(len(twin._past))  # noqa: SLF001 - of the same class
        return twin

    def push(self, sound: Sounding, level: IntArray, bar_steps: IntArray) -> FloatArray:
        """Process a step.

        Args:
            sound: What sounds in it.
            level: (lanes,) metrical level, 0-4.
            bar_steps: (lanes,) steps in a bar.

        Returns:
            (lanes, 12, WIDTH), a row for each view.
        """
        lanes, now = len(sound.bits), self._step % _PAST
        shown = np.empty((lanes, 4 + 2 * len(LAG_BARS), OCTAVE), dtype=np.float32)
        begins, sounds = shown[:, 0], shown[:, 1]
        sounds[:] = _ROWS[sound.bits]
        shown[:, 2], shown[:, 3] = _CLASS[sound.bass], _CLASS[sound.top]
        np.multiply(sounds, 1 - self._past[:, now - 1], out=begins)
        np.maximum(begins, shown[:, 3] * sound.is_struck[:, None], out=begins)
        self._past[:, now] = sounds
        self._total[:, now] = self._total[:, now - 1] + sounds
        common = np.empty((lanes, LEVELS + len(LAG_BARS)), dtype=np.float32)
        common[:, :LEVELS] = _LEVEL[level]
        common[:, LEVELS:] = self._return(sounds, bar_steps, shown[:, 4:])
        self._step += 1
        found = np.empty((lanes, OCTAVE, WIDTH), dtype=np.float32)
        turned = shown[:, :, _TURNED].transpose(0, 2, 1, 3)
        found[:, :, : -common.shape[1]] = turned.reshape(lanes, OCTAVE, -1)
        found[:, :, -common.shape[1] :] = common[:, None]
        return found

    def _return(self, sounds: FloatArray, bar_steps: IntArray, shown: FloatArray) -> FloatArray:
        """Write what sounded some bars ago, and what followed, and return how alike the last beats are to those then.

        Args:
            sounds: (lanes, 12) what sounds now.
            bar_steps: (lanes,) steps in a bar.
            shown: (lanes, 2 * lags, 12) receives what sounded and what followed, for each lag.

        Returns:
            (lanes, lags), each 0-1; 0 where there was no music then.
        """
        lags = bar_steps[:, None] * _LAGS
        then = self._step - lags
        has_past = (then >= 0) & (lags < _PAST)
        rows = self._lanes[:, None]
        before, after = then % _PAST, (then + np.maximum(1, bar_steps // 2)[:, None]) % _PAST
        sounded = self._past[rows, before] * has_past[..., None]
        followed = (self._total[rows, after] - self._total[rows, before]) * (has_past / _FULL)[..., None]
        shown[:, 0::2], shown[:, 1::2] = sounded, np.minimum(followed, 1.0)
        row = self._step % _ALIKE
        self._shared[:, row] = (sounded * sounds[:, None]).sum(axis=2)
        self._either[:, row] = np.maximum(sounded, sounds[:, None]).sum(axis=2) * has_past
        found: FloatArray = self._shared.sum(axis=1) / np.maximum(self._either.sum(axis=1), 1.0)
        return found


# Twelve-bit sets as rows of zeros and ones, and the pitch class of each note as such a row; the last is for none (-1).
_ROWS: Final = ((np.arange(1 << OCTAVE)[:, None] >> np.arange(OCTAVE)) & 1).astype(np.float32)
_CLASS: Final = np.concatenate([np.eye(OCTAVE)[np.arange(NOTE_MAX + 1) % OCTAVE], np.zeros((1, OCTAVE))]).astype(
    np.float32
)
_LEVEL: Final = np.eye(LEVELS, dtype=np.float32)
