"""The distance between the tones of two chords, octaves ignored.

Source: D. Tymoczko (2006), "The geometry of musical chords", Science 313. Two chords are near if the total
movement between them is small. Here each tone moves to the nearest tone of the other chord, in both directions.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.chord import CHORD_BITS, CHORD_COUNT
from improviser.music.pitch import OCTAVE


def _movement_table() -> npt.NDArray[np.float32]:
    """Return the mean movement between each pair of chords in semitones, (CHORD_COUNT, CHORD_COUNT)."""
    classes = np.arange(OCTAVE)
    members = (CHORD_BITS[:CHORD_COUNT, None] >> classes) & 1 > 0
    apart = np.abs(classes[:, None] - classes)
    circular = np.minimum(apart, OCTAVE - apart)
    nearest = np.where(members[:, None, :], circular[None], OCTAVE).min(axis=2)  # [chord, pitch class]
    there = (members @ nearest.T) / members.sum(axis=1, keepdims=True)
    table: npt.NDArray[np.float32] = ((there + there.T) / 2).astype(np.float32)
    return table


def _shared_table() -> npt.NDArray[np.int64]:
    """Return the number of pitch classes that each pair of chords shares, (CHORD_COUNT, CHORD_COUNT)."""
    members = ((CHORD_BITS[:CHORD_COUNT, None] >> np.arange(OCTAVE)) & 1).astype(np.int64)
    return members @ members.T


# MOVEMENT[chord, chord]: mean movement of a tone, in semitones. SHARED[chord, chord]: number of common tones.
MOVEMENT: Final = _movement_table()
SHARED: Final = _shared_table()
