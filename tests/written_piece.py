"""Pieces of named parts with written chords, for the tests of duets and of training."""

from __future__ import annotations

import numpy as np

from improviser.corpus.casting import ACCOMPANIMENT, BASS, COUNTER, MELODY
from improviser.corpus.piece import Piece

BAR, BOTH = 96, (MELODY, ACCOMPANIMENT)
C, F, G = (0, 0, 0), (5, 0, 5), (7, 4, 11)
"""C, F, and G7 over B: root, quality and bass."""


def piece(name: str, tonic: int, *chords: tuple[int, int, int], parts: tuple[str, ...] = BOTH) -> Piece:
    """Return a piece in 4/4 with a chord a bar, whose tune holds the root and whose accompaniment strikes the triad."""
    rows = [(bar * BAR, root, quality, bass) for bar, (root, quality, bass) in enumerate(chords)]
    tune = [(bar * BAR, BAR, 72 + root) for bar, (root, _, _) in enumerate(chords)]
    triads = [(bar * BAR, BAR, 48 + root + up) for bar, (root, _, _) in enumerate(chords) for up in (0, 4, 7)]
    low = [(bar * BAR, BAR, 36 + bass) for bar, (_, _, bass) in enumerate(chords)]
    above = [(onset, length, note + 4) for onset, length, note in tune]
    notes = {MELODY: tune, ACCOMPANIMENT: triads, BASS: low, COUNTER: above}
    voices = tuple(np.array(notes[part], dtype=np.int32) for part in parts)
    return Piece(name, "score", tonic, "major", (4, 4), 0, 0, "train", voices, parts, np.array(rows, dtype=np.int32))
