"""How far the tones of one chord lie from those of another, whatever their octaves.

Source: D. Tymoczko (2006), "The geometry of musical chords", Science 313: nearness is small total movement;
here each tone goes to the nearest tone of the other chord, and both directions count.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.chord import CHORD_BITS, CHORD_COUNT
from improviser.music.pitch import OCTAVE


def _movement_table() -> npt.NDArray[np.float32]:
    """Return the mean movement in semitones, (CHORD_COUNT, CHORD_COUNT), from each chord to each."""
    classes = np.arange(OCTAVE)
    members = (CHORD_BITS[:CHORD_COUNT, None] >> classes) & 1 > 0
    apart = np.abs(classes[:, None] - classes)
    circular = np.minimum(apart, OCTAVE - apart)
    nearest = np.where(members[:, None, :], circular[None], OCTAVE).min(axis=2)  # [chord, pitch class]
    there = (members @ nearest.T) / members.sum(axis=1, keepdims=True)
    table: npt.NDArray[np.float32] = ((there + there.T) / 2).astype(np.float32)
    return table


def _shared_table() -> npt.NDArray[np.int64]:
    """Return how many pitch classes each chord shares with each, (CHORD_COUNT, CHORD_COUNT)."""
    members = ((CHORD_BITS[:CHORD_COUNT, None] >> np.arange(OCTAVE)) & 1).astype(np.int64)
    return members @ members.T


# MOVEMENT[chord, chord]: mean movement of a tone, in semitones; SHARED: how many tones stay.
MOVEMENT: Final = _movement_table()
SHARED: Final = _shared_table()
