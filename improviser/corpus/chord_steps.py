"""The written chords of a piece, by moment, and as they may be struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.music.chord import CHORD_BITS, NO_CHORD, QUALITY_COUNT
from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Struck chords begin at this note, and their bass an octave below.
CHORD_LOW: Final = 52


def rows_at(chords: NDArray[np.int32], ticks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the chord at each moment, rows as in Piece.chords; root and bass are -1 where there is none."""
    at = np.searchsorted(chords[:, 0], ticks, side="right") - 1
    rows = chords[np.maximum(at, 0)].astype(np.int64)
    rows[(at < 0) | (rows[:, 1] < 0), 1:] = (-1, 0, -1)
    return rows


def chords_at(chords: NDArray[np.int32], ticks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the index of the chord at each moment, NO_CHORD where there is none."""
    rows = rows_at(chords, ticks)
    return np.where(rows[:, 1] >= 0, rows[:, 1] * QUALITY_COUNT + rows[:, 2], NO_CHORD)


def struck_chords(chords: NDArray[np.int32], bar_ticks: int, ticks: int) -> NDArray[np.int32]:
    """Return notes (onset, duration, note) that strike each chord where it changes and at each bar line.

    Args:
        chords: Rows as in Piece.chords.
        bar_ticks: The length of a bar.
        ticks: Where the notes end.
    """
    changes = chords[(chords[:, 0] > 0) & (chords[:, 0] < ticks), 0]
    starts = np.unique(np.concatenate([np.arange(0, ticks, bar_ticks), changes]))
    rows = rows_at(chords, starts.astype(np.float64))
    notes: list[tuple[int, int, int]] = []
    for (_, root, quality, bass), start, end in zip(
        rows.tolist(), starts.tolist(), [*starts[1:].tolist(), ticks], strict=True
    ):
        if root < 0:
            continue
        bits = int(CHORD_BITS[root * QUALITY_COUNT + quality])
        struck = {CHORD_LOW + (each - CHORD_LOW) % OCTAVE for each in range(OCTAVE) if bits >> each & 1}
        struck.add(CHORD_LOW - OCTAVE + (bass - CHORD_LOW) % OCTAVE)
        notes += [(start, end - start, note) for note in sorted(struck)]
    return np.array(notes, dtype=np.int32).reshape(-1, 3)
