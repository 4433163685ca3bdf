"""What the harmony network hears in a step: the notes now, and those of like places before.

Each of twelve views shows the notes as degrees above another root. So absolute pitch plays no part: transposed music
gives the same numbers in another view. Music returns after 4, 8 or 16 bars more often than after others, and where its
tune returns, the chords mostly do. So four places of the past are shown: those so many bars ago, and the one that is
*recalled*, whatever lies between: the whole number of bars ago, up to 64, at which the top line was most like the top
line of the last bar or two. What sounded there, and what followed, says much about the chord behind a tune that is
heard again.

| columns | meaning |
|---|---|
| 12 | which degrees begin, or are struck again in the top voice |
| 12 | which degrees sound |
| 12 | the degree of the lowest note |
| 12 | the degree of the highest note |
| 2 x 12 for each place | which degrees sounded there; how long each did in the half bar that followed, up to 1 |
| 12 | the degree of the lowest note at the recalled place |
| 5 | metrical level |
| 1 for each of LAG_BARS | how alike the last eight beats were to those before, 0-1 |
| 1 | how alike the top lines are at the recalled place, 0-1 |
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
# The places of the past: those of LAG_BARS, then the recalled one.
_PLACES: Final = len(LAG_BARS) + 1
# The sets of degrees that a view shows.
_SHOWN: Final = 4 + 2 * _PLACES + 1
WIDTH: Final = OCTAVE * _SHOWN + LEVELS + _PLACES
# How many bars ago the recalled place may be.
RECALL_BARS: Final = 64
# The longest past in steps: RECALL_BARS of 4/4 in sixteenths. Of longer bars it holds fewer.
_PAST: Final = RECALL_BARS * 16 + 1
# The steps over which two stretches are compared; and the share of what was heard that counts on after another step
# where top lines are compared.
_ALIKE: Final = 32
_KEPT: Final = np.float32(1 - 1 / 16)
# Fewer steps than these do not make two top lines alike.
_ENOUGH: Final = np.float32(8.0)
# How many steps of the half bar that followed count fully.
_FULL: Final = np.float32(2.0)
_LAGS: Final = np.array(LAG_BARS)
_RECALLED: Final = np.arange(1, RECALL_BARS + 1)
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
        # Of each step: what sounded, the lowest note and the pitch class of the highest, -1 where none sounded; and for
        # how many steps each pitch class had sounded by then (the count wraps, and only differences are read).
        self._bits = np.zeros((lanes, _PAST), dtype=np.int16)
        self._bass = np.full((lanes, _PAST), -1, dtype=np.int8)
        self._top = np.full((lanes, _PAST), -1, dtype=np.int8)
        self._total = np.zeros((lanes, _PAST, OCTAVE), dtype=np.uint16)
        self._shared = np.zeros((lanes, _ALIKE, len(LAG_BARS)), dtype=np.float32)
        self._either = np.zeros((lanes, _ALIKE, len(LAG_BARS)), dtype=np.float32)
        self._same_top = np.zeros((lanes, RECALL_BARS), dtype=np.float32)
        self._any_top = np.zeros((lanes, RECALL_BARS), dtype=np.float32)

    def chosen(self, lanes: IntArray) -> Self:
        """Return an independent copy of some lanes, by their numbers, (lanes,); a lane may occur more than once."""
        twin = copy(self)
        for name in ("_bits", "_bass", "_top", "_total", "_shared", "_either", "_same_top", "_any_top"):
            setattr(twin, name, getattr(self, name)[lanes])
        twin._lanes = np.arange(len(twin._bits))  # noqa: SLF001 - of the same class
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
        shown = np.empty((lanes, _SHOWN, OCTAVE), dtype=np.float32)
        begins, sounds = shown[:, 0], shown[:, 1]
        sounds[:] = _ROWS[sound.bits]
        shown[:, 2], shown[:, 3] = _CLASS[sound.bass], _CLASS[sound.top]
        np.multiply(sounds, 1 - _ROWS[self._bits[:, now - 1]], out=begins)
        np.maximum(begins, shown[:, 3] * sound.is_struck[:, None], out=begins)
        self._bits[:, now], self._bass[:, now] = sound.bits, sound.bass
        self._top[:, now] = np.where(sound.top < 0, -1, sound.top % OCTAVE)
        self._total[:, now] = self._total[:, now - 1] + sounds.astype(np.uint16)
        common = np.empty((lanes, LEVELS + _PLACES), dtype=np.float32)
        common[:, :LEVELS] = _LEVEL[level]
        recalled, common[:, -1] = self._recall(bar_steps)
        lags = np.concatenate([bar_steps[:, None] * _LAGS, recalled[:, None]], axis=1)
        common[:, LEVELS:-1] = self._return(sounds, lags, bar_steps, shown[:, 4:])
        self._step += 1
        found = np.empty((lanes, OCTAVE, WIDTH), dtype=np.float32)
        turned = shown[:, :, _TURNED].transpose(0, 2, 1, 3)
        found[:, :, : -common.shape[1]] = turned.reshape(lanes, OCTAVE, -1)
        found[:, :, -common.shape[1] :] = common[:, None]
        return found

    def _recall(self, bar_steps: IntArray) -> tuple[IntArray, FloatArray]:
        """Return how many steps ago the recalled place is, (lanes,), and how alike the top lines are, 0-1, (lanes,)."""
        then = self._step - bar_steps[:, None] * _RECALLED
        has_past = (then >= 0) & (self._step - then < _PAST)
        before = np.where(has_past, self._top[self._lanes[:, None], then % _PAST], -1)
        top = self._top[:, self._step % _PAST, None]
        self._same_top *= _KEPT
        self._same_top += (before == top) & (top >= 0)
        self._any_top *= _KEPT
        self._any_top += has_past & ((before >= 0) | (top >= 0))
        alike = self._same_top / np.maximum(self._any_top, _ENOUGH) * has_past
        best = alike.argmax(axis=1)
        return _RECALLED[best] * bar_steps, alike[np.arange(len(best)), best]

    def _return(self, sounds: FloatArray, lags: IntArray, bar_steps: IntArray, shown: FloatArray) -> FloatArray:
        """Write what sounded at places of the past, and what followed; return how alike the last beats were to then.

        Args:
            sounds: (lanes, 12) what sounds now.
            lags: (lanes, places) how many steps ago each place is.
            bar_steps: (lanes,) steps in a bar.
            shown: (lanes, 2 * places + 1, 12) receives what sounded and what followed at each place, and the lowest
                note at the last one.

        Returns:
            (lanes, places - 1), each 0-1; 0 where there was no music then.
        """
        then = self._step - lags
        has_past = ((then >= 0) & (lags < _PAST)).astype(np.float32)
        rows = self._lanes[:, None]
        before, after = then % _PAST, (then + np.maximum(1, bar_steps // 2)[:, None]) % _PAST
        sounded = _ROWS[self._bits[rows, before]] * has_past[..., None]
        followed = (self._total[rows, after] - self._total[rows, before]) * (has_past / _FULL)[..., None]
        shown[:, 0:-1:2], shown[:, 1:-1:2] = sounded, np.minimum(followed, 1.0)
        shown[:, -1] = _CLASS[self._bass[self._lanes, before[:, -1]]] * has_past[:, -1:]
        row, fixed = self._step % _ALIKE, sounded[:, :-1]
        self._shared[:, row] = (fixed * sounds[:, None]).sum(axis=2)
        self._either[:, row] = np.maximum(fixed, sounds[:, None]).sum(axis=2) * has_past[:, :-1]
        found: FloatArray = self._shared.sum(axis=1) / np.maximum(self._either.sum(axis=1), 1.0)
        return found


# Twelve-bit sets as rows of zeros and ones, and the pitch class of each note as such a row; the last is for none (-1).
_ROWS: Final = ((np.arange(1 << OCTAVE)[:, None] >> np.arange(OCTAVE)) & 1).astype(np.float32)
_CLASS: Final = np.concatenate([np.eye(OCTAVE)[np.arange(NOTE_MAX + 1) % OCTAVE], np.zeros((1, OCTAVE))]).astype(
    np.float32
)
_LEVEL: Final = np.eye(LEVELS, dtype=np.float32)
