"""The written chords of a piece by moment, and struck."""

from __future__ import annotations

import numpy as np

from improviser.corpus.chord_steps import chords_at, rows_at, struck_chords
from improviser.music.chord import NO_CHORD, QUALITY_COUNT

# C from the first beat on, nothing from the third, and G7 over B from the fifth.
CHORDS = np.array([(24, 0, 0, 0), (72, -1, 0, -1), (120, 7, 4, 11)], dtype=np.int32)


def test_each_moment_has_its_chord() -> None:
    """Before the first chord, and where it is written that there is none, there is no chord."""
    found = chords_at(CHORDS, np.array([0.0, 24.0, 71.9, 72.0, 119.0, 500.0]))
    assert [NO_CHORD, 0, 0, NO_CHORD, NO_CHORD, 7 * QUALITY_COUNT + 4] == found.tolist()
    assert [-1, 0, -1, 11] == rows_at(CHORDS, np.array([0.0, 30.0, 80.0, 130.0]))[:, 3].tolist()


def test_chords_are_struck_where_they_change_and_at_bar_lines() -> None:
    """The bass is an octave below the lowest note of the chord's place; nothing is struck without a chord."""
    notes = struck_chords(CHORDS, 96, 192)
    assert [24, 120] == sorted(set(notes[:, 0].tolist()))
    assert [(24, 48, 48), (24, 48, 52), (24, 48, 55), (24, 48, 60)] == [tuple(row) for row in notes[:4].tolist()]
    assert 47 == notes[4, 2]
    again = struck_chords(CHORDS[2:], 48, 288)
    assert [120, 144, 192, 240] == sorted(set(again[:, 0].tolist()))
