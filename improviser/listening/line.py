"""The recent past of one voice, for any number of lanes at once.

A single lane is a live player or improviser itself. Many lanes are the parallel environments of training. So the
code that listens on stage also computes what training learns from. An event is what a voice does in one step of the
grid: a MIDI note (an onset), HOLD (it goes on sounding), REST (it is silent) or NONE (before the beginning).
"""

from __future__ import annotations

from copy import copy
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from improviser.music.pitch import NOTE_MAX, OCTAVE, IntArray

HOLD: Final = -1
REST: Final = -2
NONE: Final = -3
SILENT: Final = -1
# Larger than every interval between two MIDI notes.
NO_INTERVAL: Final = NOTE_MAX + 1
INTERVAL_ROWS: Final = 2 * OCTAVE + 2

WINDOW: Final = 32
PITCHES: Final = 8
RANGE: Final = 37
LONG_AGO: Final = 16

TOKEN_HOLD, TOKEN_REST, TOKEN_ONSET = 0, 1, 2
TOKEN_NONE: Final = TOKEN_ONSET + RANGE
TOKEN_COUNT: Final = TOKEN_NONE + 1
LAG_COUNT: Final = 4
# The first of the lags that depend on the bar.
BAR_LAG: Final = 2
# Twice the longest lag: longer repetition says nothing more, and an unlimited count would overflow.
RUN_MAX: Final = 2 * WINDOW

Events = npt.NDArray[np.int16]


class Line:
    """What a voice did in its last WINDOW steps; every array has one row per lane.

    Attributes:
        events: (lanes, WINDOW) int16, oldest first.
        note: (lanes,) int16, the sounding note, else SILENT.
        before: (lanes,) int16, the sounding note one step ago.
        since: (lanes,) int16, steps since the last onset, at most LONG_AGO.
        count: (lanes,) int16, onsets in the window.
        pitches: (lanes, PITCHES) int16, the notes of the last onsets, oldest first, SILENT where none.
        intervals: (lanes, PITCHES) int16, the melodic interval to each, NO_INTERVAL for the first.
        classes: (lanes, PITCHES) int16, the pitch class of each as a twelve-bit set, 0 where none.
        runs: (lanes, LAG_COUNT) int16, for how many steps the line has repeated itself at each lag, at most RUN_MAX.
        lags: (lanes, LAG_COUNT) int16, the lags in steps: a beat, two beats, a bar, two bars.
        lagged: (lanes, LAG_COUNT) int16, the event at each lag before the newest.
    """

    def __init__(self, beat_steps: IntArray, bar_steps: IntArray) -> None:
        """Start an empty line in each lane; the steps per beat and per bar are (lanes,)."""
        lanes = len(bar_steps)
        lags = np.stack([beat_steps, 2 * beat_steps, bar_steps, 2 * bar_steps], axis=1)
        self.events = np.full((lanes, WINDOW), NONE, dtype=np.int16)
        self.note = np.full(lanes, SILENT, dtype=np.int16)
        self.before = self.note
        self.since = np.full(lanes, LONG_AGO, dtype=np.int16)
        self.count = np.zeros(lanes, dtype=np.int16)
        blank = np.array([SILENT, NO_INTERVAL, 0], dtype=np.int16)
        self._onsets = np.repeat(blank[None, :, None], lanes, axis=0).repeat(PITCHES, axis=2)
        self._name_onsets()
        self.runs = np.zeros((lanes, LAG_COUNT), dtype=np.int16)
        self.lagged = np.full((lanes, LAG_COUNT), NONE, dtype=np.int16)
        self._set_lags(lags)

    def set_bar(self, bar_steps: int) -> None:
        """Set the lags of one bar and of two bars in all lanes; a bar has `bar_steps` steps."""
        lags = self.lags.copy()
        lags[:, BAR_LAG:] = np.minimum((bar_steps, 2 * bar_steps), WINDOW)
        if not np.array_equal(lags, self.lags):
            self._set_lags(lags)
            self.runs[:, BAR_LAG:] = 0

    def _set_lags(self, lags: IntArray) -> None:
        """Set the lags in steps, (lanes, LAG_COUNT), limited to WINDOW."""
        self.lags = np.minimum(lags, WINDOW).astype(np.int16)
        self._places = (np.arange(len(lags))[:, None], WINDOW - self.lags.astype(np.int64))

    def copy(self) -> Self:
        """Return an independent copy."""
        twin = copy(self)
        for name in ("events", "since", "count", "runs", "_onsets"):
            setattr(twin, name, getattr(self, name).copy())
        twin._name_onsets()  # noqa: SLF001 - of the same class
        return twin

    def chosen(self, lanes: IntArray) -> Self:
        """Return an independent copy of some lanes, by their numbers, (lanes,); a lane may occur more than once."""
        twin = copy(self)
        for name in ("events", "note", "before", "since", "count", "runs", "lagged", "_onsets"):
            setattr(twin, name, getattr(self, name)[lanes])
        twin._set_lags(self.lags[lanes])  # noqa: SLF001 - of the same class
        twin._name_onsets()  # noqa: SLF001 - of the same class
        return twin

    def __deepcopy__(self, _memo: object) -> Self:
        """Return `copy()`: the views of a copy must refer to its own array."""
        return self.copy()

    @property
    def held(self) -> Events:
        """For how many steps the last onset has been held, (lanes,), at most LONG_AGO; 0 where nothing sounds."""
        return self.since * (self.note >= 0)

    def push(self, event: Events) -> None:
        """Process the next step's events, (lanes,)."""
        self.lagged = self.events[self._places]
        repeats = self.lagged == event[:, None]
        self.runs += 1
        np.minimum(self.runs, RUN_MAX, out=self.runs)
        self.runs *= repeats
        self.count -= self.events[:, 0] >= 0
        self.events[:, :-1] = self.events[:, 1:]
        self.since += 1
        np.minimum(self.since, LONG_AGO, out=self.since)
        self.before = self.note
        self._take(event)

    def _take(self, event: Events) -> None:
        """Set the event of the newest step, and update what depends on an onset."""
        self.events[:, -1] = event
        rows = (event >= 0).nonzero()[0]
        self.note = np.where(event == HOLD, self.note, np.maximum(event, SILENT))
        self.count[rows] += 1
        self.since[rows] = 0
        notes, last = event[rows], self.pitches[rows, -1]
        self._onsets[rows, :, :-1] = self._onsets[rows, :, 1:]
        self.pitches[rows, -1] = notes
        self.intervals[rows, -1] = np.where(last >= 0, notes - last, NO_INTERVAL)
        self.classes[rows, -1] = _CLASS_BIT[notes]

    def _name_onsets(self) -> None:
        """Make pitches, intervals and classes views of one array, so that they shift together."""
        self.pitches, self.intervals, self.classes = (self._onsets[:, part] for part in range(3))


def fold(semitones: IntArray) -> IntArray:
    """Return `semitones` moved by octaves into 0..RANGE-1; values in that range stay as they are."""
    raised = np.where(semitones < 0, semitones % OCTAVE, semitones)
    top = RANGE - OCTAVE
    return np.where(raised >= RANGE, top + (raised - top) % OCTAVE, raised)


def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return flat tables for `event_tokens` and `note_degrees`, with one row per base and events from NONE on.

    The flat tables are rolled by NONE, so that the index `base * _TABLE_ROW + event` also holds for negative events.
    """
    bases, events = np.arange(NOTE_MAX + 1)[:, None], np.arange(NONE, NOTE_MAX + 1)[None, :]
    above = fold(events - bases)
    silent = np.where(events == NONE, TOKEN_NONE, HOLD - events)
    tokens = np.where(events >= 0, TOKEN_ONSET + above, silent)
    degrees = np.where(events >= 0, above, RANGE)
    flat = (np.roll(table.astype(np.uint8).ravel(), NONE) for table in (tokens, degrees))
    return next(flat), next(flat)


_TABLE_ROW: Final = NOTE_MAX + 1 - NONE
_TOKENS, _DEGREES = _tables()


def _interval_table() -> npt.NDArray[np.uint8]:
    """Return the rows for `interval_rows`: of each interval from -NOTE_MAX to NOTE_MAX, then of NO_INTERVAL."""
    clipped = np.clip(np.arange(-NOTE_MAX, NO_INTERVAL + 1), -OCTAVE, OCTAVE) + OCTAVE
    clipped[-1] = INTERVAL_ROWS - 1
    return clipped.astype(np.uint8)


_INTERVALS: Final = _interval_table()
_CLASS_BIT: Final = (1 << np.arange(NOTE_MAX + 1) % OCTAVE).astype(np.int16)
# More than twice the widest interval, so that no two turns share a number.
_TURN_BASE: Final = np.int32(2 * NO_INTERVAL + 1)


def interval_rows(intervals: IntArray) -> npt.NDArray[np.uint8]:
    """Return melodic intervals, clipped to an octave, as rows: -12..12 as 0..24, and NO_INTERVAL as 25."""
    return _INTERVALS[intervals + NOTE_MAX]


def turns(intervals: IntArray) -> npt.NDArray[np.int32]:
    """Return a number for each turn, (lanes, intervals - 1); a turn is a pair of successive intervals.

    Different turns have different numbers. An inverted turn has the same number with the opposite sign.
    """
    return intervals[:, :-1] * _TURN_BASE + intervals[:, 1:]


def event_tokens(events: IntArray, base: IntArray) -> npt.NDArray[np.uint8]:
    """Return the tokens of `events` relative to the note `base`, folded by octaves into the range above it.

    Token 0 is hold, 1 rest, 2..38 an onset 0..36 semitones above the base, 39 none; the arrays broadcast.
    """
    return _TOKENS.take(base * _TABLE_ROW + events)


def note_degrees(notes: IntArray, base: IntArray) -> npt.NDArray[np.uint8]:
    """Return `notes` as semitones 0..36 above `base`, folded by octaves, 37 for SILENT; arrays broadcast."""
    return _DEGREES.take(base * _TABLE_ROW + notes)


def sounding_notes(events: Events) -> npt.NDArray[np.int64]:
    """Return the sounding note of each step, (steps,), -1 in silence."""
    marks = np.where(events == HOLD, 0, np.arange(len(events)))
    source = events[np.maximum.accumulate(marks)]
    return np.where(source >= 0, source, -1).astype(np.int64)
