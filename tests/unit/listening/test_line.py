"""A voice's recent past."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.line import (
    HOLD,
    LONG_AGO,
    NO_INTERVAL,
    NONE,
    PITCHES,
    REST,
    RUN_MAX,
    SILENT,
    TOKEN_COUNT,
    TOKEN_HOLD,
    TOKEN_NONE,
    TOKEN_ONSET,
    TOKEN_REST,
    WINDOW,
    Line,
    event_tokens,
    fold,
    note_degrees,
)
from tests.scenes import events


def push(line: Line, *steps: int) -> Line:
    """Push steps into a line of one lane."""
    for event in steps:
        line.push(np.array([event], dtype=np.int16))
    return line


def line_of(text: str) -> Line:
    """Return a line of one lane, in four quarters and sixteenths, that has played `text`."""
    return push(Line(np.array([4]), np.array([16])), *events(text))


def test_a_new_line_is_empty() -> None:
    """Before the first step nothing sounds, and the last onset is long ago."""
    line = line_of("")
    assert (SILENT, LONG_AGO, 0) == (line.note[0], line.since[0], line.count[0])
    assert {NONE} == set(line.events[0].tolist())


def test_a_line_remembers_its_steps_in_order() -> None:
    """The newest event is last, and NONE comes before the first."""
    assert [NONE, 60, HOLD, REST, 62] == line_of("C4 - . D4").events[0, -5:].tolist()


def test_what_sounds_is_held_until_a_rest() -> None:
    """A note sounds through holds, and `before` is the note one step earlier."""
    line = line_of("C4 - -")
    assert (60, 60) == (line.note[0], line.before[0])
    push(line, REST)
    assert (SILENT, 60) == (line.note[0], line.before[0])
    assert SILENT == push(line, HOLD).note[0]


def test_the_steps_since_the_last_onset_are_counted_up_to_a_bound() -> None:
    """The count starts at 0 with an onset and stops at LONG_AGO."""
    assert [0, 2, LONG_AGO] == [line_of("C4" + " -" * held).since[0] for held in (0, 2, 40)]


def test_notes_and_intervals_of_the_last_onsets_are_kept() -> None:
    """The last onsets, their intervals, and the bits of their pitch classes are kept, oldest first."""
    line = line_of("C4 - . E4 D4")
    assert [SILENT, 60, 64, 62] == line.pitches[0, -4:].tolist()
    assert [NO_INTERVAL, NO_INTERVAL, 4, -2] == line.intervals[0, -4:].tolist()
    assert [0, 1 << 0, 1 << 4, 1 << 2] == line.classes[0, -4:].tolist()


def test_a_figure_that_comes_again_runs_at_its_lag() -> None:
    """A beat repeated once has run for four steps at the lag of a beat, and so have two beats at theirs."""
    assert [4, 0, 0, 0] == line_of("C4 - D4 - C4 - D4 -").runs[0].tolist()
    assert [0, 8, 0, 0] == line_of("C4 - D4 - E4 - - F4 C4 - D4 - E4 - - F4").runs[0].tolist()
    assert [0, 0, 0, 0] == line_of("C4 - D4 - C4 - E4").runs[0].tolist()


def test_runs_end_somewhere() -> None:
    """A line that never changes counts up to RUN_MAX, twice which still fits its type."""
    line = push(line_of("C4"), *[HOLD] * (RUN_MAX + 2 * WINDOW))
    assert [RUN_MAX] * 4 == line.runs[0].tolist()
    assert 2 * RUN_MAX <= np.iinfo(line.runs.dtype).max


def test_a_copy_goes_its_own_way() -> None:
    """Changes to a copy do not affect the original line."""
    line = line_of("C4 - D4")
    twin = push(line.copy(), 64)
    assert (62, 64) == (line.note[0], twin.note[0])
    assert (2, 3) == (line.count[0], twin.count[0])
    assert [60, 62] == line.pitches[0, -2:].tolist()


def test_the_running_counts_equal_a_recount() -> None:
    """After any number of steps each lane's counts equal a recount of its history."""
    rng = np.random.default_rng(5)
    lanes, beats, bars = 24, np.full(24, 4), np.repeat([8, 12, 16], 8)
    line = Line(beats, bars)
    history = np.full((lanes, 4 * WINDOW), NONE, dtype=np.int64)
    for _ in range(100):
        # Only a few different events, so that repetition occurs.
        event = rng.choice([60, 62, HOLD, HOLD, REST], lanes)
        line.push(event.astype(np.int16))
        history = np.concatenate([history[:, 1:], event[:, None]], axis=1)
        for lane in range(lanes):
            _check(line, lane, history[lane], bars[lane])


def _check(line: Line, lane: int, history: np.ndarray[tuple[int], np.dtype[np.int64]], bar: int) -> None:
    """Compare a lane's counts to a recount of its history."""
    window = history[-WINDOW:]
    onsets = np.flatnonzero(history >= 0)
    since = len(history) - 1 - onsets[-1] if len(onsets) else LONG_AGO
    assert window.tolist() == line.events[lane].tolist()
    assert np.count_nonzero(window >= 0) == line.count[lane]
    assert min(since, LONG_AGO) == line.since[lane]
    for column, lag in enumerate((4, 8, bar, 2 * bar)):
        changed = np.flatnonzero(history[lag:] != history[:-lag])
        run = len(history) - lag - 1 - changed[-1] if len(changed) else RUN_MAX
        # Before the first step there is nothing to repeat.
        started = np.count_nonzero(history != NONE)
        assert max(0, min(run, started - lag, RUN_MAX)) == line.runs[lane, column]


@pytest.mark.parametrize(
    ("folded", "semitones"),
    [(0, 0), (36, 36), (11, -1), (0, -12), (1, -23), (25, 37), (35, 47), (36, 48), (25, 49)],
)
def test_folding_moves_by_octaves_into_the_range(folded: int, semitones: int) -> None:
    """Notes in the range stay; others move by whole octaves to its nearer end."""
    assert folded == fold(np.array([semitones]))[0]
    assert 0 == (folded - semitones) % 12


def test_tokens_count_from_the_base() -> None:
    """Hold, rest, none, and an onset as its distance above the base."""
    seen = event_tokens(np.array([HOLD, REST, NONE, 48, 60, 84, 47, 85]), np.array([48]))
    onsets = [TOKEN_ONSET + above for above in (0, 12, 36, 11, 25)]
    assert [TOKEN_HOLD, TOKEN_REST, TOKEN_NONE, *onsets] == seen.tolist()
    assert TOKEN_NONE + 1 == TOKEN_COUNT


def test_degrees_count_from_the_base() -> None:
    """A note is its distance above the base, silence 37."""
    assert [37, 0, 36, 11] == note_degrees(np.array([SILENT, 48, 84, 47]), np.array([48])).tolist()


def test_every_base_has_its_row() -> None:
    """Each lane's tokens count from the lane's own base."""
    assert [[2], [14]] == event_tokens(np.array([[60], [60]]), np.array([[60], [48]])).tolist()
    assert PITCHES == line_of("").pitches.shape[1]
