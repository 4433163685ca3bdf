"""Cues: what an onset says about the key. Each cue is one row of a fitted table.

A cue relates a note to its context: the beat that it is on, the length of the note before, the note that it moved
from, the note that it sounds with. It does not depend on how a note is spelled. In transposed music the same cue
has another row: `CUE_ROTATIONS` holds the row of each cue relative to each tonic.

| cue | rows | stands for |
|---|---|---|
| beginning | 12 | the very first note |
| place | 12 x 5 x 2 | each note: metrical level 0-4; is it the lowest of the last eight? |
| length | 12 x 6 x 2 | each note, at the next moment: beats until then; was it on a strong position? |
| motion | 12 x 12 | each note: which note of the previous moment it moved from |
| turn | 12 x 12 | each note: which note of the moment before that it moved from |
| chord | 12 x 12 | a note of a chord: which note struck just before it is in the chord; the lower note comes first |

A moment is all notes that are struck together. Of a chord only the outer notes count in later cues.
"""

from __future__ import annotations

from bisect import bisect
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.accent import LEVELS
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE

# Notes struck within this many beats are one chord. It is less than half of a sixteenth triplet.
CHORD_BEATS: Final = 0.08
# Bounds in beats between the classes of length: a sixteenth, an eighth, dotted, a quarter, a half, more.
LENGTH_BOUNDS: Final = (0.3, 0.6, 0.85, 1.3, 2.3)
STRONG_LEVEL: Final = 3
LOW_MEMORY: Final = 8
# A silence counts as at most this many beats, because it says nothing about the key.
LONGEST_GAP_BEATS: Final = 8.0
# The most cues of one note: place, motion, turn, and two lengths or a chord.
MOST_CUES: Final = 5

_LEVELS: Final = int(LEVELS.max()) + 1
_LENGTHS: Final = len(LENGTH_BOUNDS) + 1
_PAIRS: Final = OCTAVE * OCTAVE
_BEGINNING: Final = 0
_PLACE: Final = _BEGINNING + OCTAVE
_LENGTH: Final = _PLACE + 2 * _LEVELS * OCTAVE
_MOTION: Final = _LENGTH + 2 * _LENGTHS * OCTAVE
_TURN: Final = _MOTION + _PAIRS
_CHORD: Final = _TURN + _PAIRS
CUE_COUNT: Final = _CHORD + _PAIRS


def _rotations() -> npt.NDArray[np.int64]:
    """Return the row of each cue relative to each tonic, (CUE_COUNT, 12)."""
    tonics = np.arange(OCTAVE)
    rows = np.arange(CUE_COUNT)[:, None]
    single = rows - rows % OCTAVE + (rows % OCTAVE - tonics) % OCTAVE
    pair = rows - _MOTION
    one, other = (pair // OCTAVE - tonics) % OCTAVE, (pair - tonics) % OCTAVE
    double = rows - pair % _PAIRS + OCTAVE * one + other
    return np.where(rows < _MOTION, single, double)


CUE_ROTATIONS: Final = _rotations()


@dataclass(slots=True)
class _Moment:
    """Notes struck together: the outer ones, their time in beats, and their metrical level."""

    low: int
    high: int
    beat: float
    level: int

    def nearest(self, note: int) -> int:
        """Return the outer note that is nearer to `note`."""
        return self.low if abs(self.low - note) < abs(self.high - note) else self.high


class Cues:
    """Turns onsets, one at a time, into cues."""

    def __init__(self, meter_row: int = 0) -> None:
        """Start before the first note, in a meter of METERS."""
        self.begin_bar(meter_row, 0.0)
        self._moments: deque[_Moment] = deque(maxlen=3)
        self._recent: deque[int] = deque(maxlen=LOW_MEMORY)

    def begin_bar(self, meter_row: int, beat: float) -> None:
        """Count bars of the meter in a row of METERS from now on; one of them begins at `beat`."""
        self._levels = [int(level) for level in LEVELS[meter_row]]
        self._bar_sixteenths = METERS[meter_row].bar_sixteenths
        self._bar_beat = beat

    def recount(self, moved_beats: float) -> None:
        """Count every beat that was heard `moved_beats` later."""
        for moment in self._moments:
            moment.beat += moved_beats

    def add_note(self, note: int, beat: float) -> tuple[list[int], float]:
        """Process an onset; return the rows of its cues, at most MOST_CUES, and the beats since the previous moment.

        The beats are at most LONGEST_GAP_BEATS, and 0 within a chord.

        Args:
            note: 0-127.
            beat: Its time in quarter notes, in ascending order. 0 is a downbeat, unless `begin_bar` set another one.
        """
        rows: list[int] = []
        moments = self._moments
        gap_beats = max(0.0, beat - moments[-1].beat) if moments else 0.0
        if not moments:
            rows.append(_BEGINNING + note % OCTAVE)
        if moments and gap_beats < CHORD_BEATS:
            rows.append(self._join(note))
            gap_beats = 0.0
        else:
            rows += self._leave(gap_beats)
            moments.append(_Moment(note, note, beat, self._level(beat)))
        is_low = note <= min(self._recent, default=note)
        self._recent.append(note)
        rows.append(_PLACE + (2 * moments[-1].level + is_low) * OCTAVE + note % OCTAVE)
        rows += self._moves(note)
        return rows, min(gap_beats, LONGEST_GAP_BEATS)

    def _level(self, beat: float) -> int:
        """Return the metrical level, 0-4, of the nearest sixteenth."""
        sixteenth = round((beat - self._bar_beat) * SIXTEENTHS_PER_BEAT)
        return self._levels[sixteenth % self._bar_sixteenths]

    def _join(self, note: int) -> int:
        """Add a note to the current moment; return its chord cue."""
        moment = self._moments[-1]
        other = moment.nearest(note)
        moment.low, moment.high = min(moment.low, note), max(moment.high, note)
        low, high = min(note, other), max(note, other)
        return _CHORD + OCTAVE * (low % OCTAVE) + high % OCTAVE

    def _leave(self, gap_beats: float) -> list[int]:
        """Return the length cues of the last moment's outer notes, which last for `gap_beats`."""
        if not self._moments:
            return []
        last = self._moments[-1]
        kind = 2 * bisect(LENGTH_BOUNDS, gap_beats) + (last.level >= STRONG_LEVEL)
        outer = (last.low,) if last.low == last.high else (last.low, last.high)
        return [_LENGTH + kind * OCTAVE + note % OCTAVE for note in outer]

    def _moves(self, note: int) -> list[int]:
        """Return the motion and turn cues of a note."""
        before = list(self._moments)[-2::-1]
        return [
            base + OCTAVE * (moment.nearest(note) % OCTAVE) + note % OCTAVE
            for base, moment in zip((_MOTION, _TURN), before, strict=False)
        ]
