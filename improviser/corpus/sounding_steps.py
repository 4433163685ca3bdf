"""What some notes sound together, by step of a sixteenth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from improviser.corpus.piece import TICKS_PER_BEAT
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import NOTE_MAX, OCTAVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def sounds_of(voices: Sequence[npt.NDArray[np.integer]], steps: int) -> npt.NDArray[np.int64]:
    """Return what some voices sound in each step, (steps, 4): bits, lowest note, highest note, whether it is struck.

    Args:
        voices: (notes, 3) each: onset and duration in ticks, and the note; as in Piece.voices.
        steps: The number of steps.
    """
    ticks = TICKS_PER_BEAT // SIXTEENTHS_PER_BEAT
    found = np.stack([np.zeros(steps), np.full(steps, NOTE_MAX + 1), np.full(steps, -1), np.zeros(steps)], axis=1)
    rows, struck = found.astype(np.int64), np.full(steps, -1)
    for onset, length, note in np.concatenate(voices).tolist():
        start, end = round(onset / ticks), max(round(onset / ticks) + 1, round((onset + length) / ticks))
        rows[start:end, 0] |= 1 << note % OCTAVE
        rows[start:end, 1] = np.minimum(rows[start:end, 1], note)
        rows[start:end, 2] = np.maximum(rows[start:end, 2], note)
        struck[start : start + 1] = np.maximum(struck[start : start + 1], note)
    rows[:, 1] = np.where(rows[:, 2] < 0, -1, rows[:, 1])
    rows[:, 3] = (struck >= 0) & (struck == rows[:, 2])
    return rows
