"""Melodic expectation: how surprising an interval is after a given degree of the scale.

This is a first-order model of scale degree and interval. These are two of the viewpoints with which M. T. Pearce
(2005), "The Construction and Evaluation of Statistical Models of Melodic Structure in Music Perception and
Composition", explains listeners' expectations. The numbers come from counts in the training corpus.
"""

from __future__ import annotations

import base64
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.expectation_table import EXPECTATION_TABLE
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Mode

CORPORA: Final = ("chorale", "tune")
# The table stores bytes; this is the unit of each.
NATS_A_UNIT: Final = 0.05


def interval_surprisal() -> npt.NDArray[np.float32]:
    """Return the surprisal of each interval in nats, (corpora, modes, 12 degrees, 25 intervals).

    A degree is the previous note's distance in semitones above the tonic. The intervals go from an octave down to an
    octave up.
    """
    units = np.frombuffer(base64.b64decode(EXPECTATION_TABLE), dtype=np.uint8)
    shape = (len(CORPORA), len(Mode), OCTAVE, 2 * OCTAVE + 1)
    return units.reshape(shape).astype(np.float32) * np.float32(NATS_A_UNIT)
