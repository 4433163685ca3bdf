"""What melodies are expected to do: how surprising an interval is after a note of the scale.

A first-order model of scale degree and interval, two of the viewpoints by which M. T. Pearce (2005), "The
Construction and Evaluation of Statistical Models of Melodic Structure in Music Perception and Composition",
explains listeners' expectations; its numbers are counts of the training corpus.
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
# The unit of the table, which is one of bytes.
NATS_A_UNIT: Final = 0.05


def interval_surprisal() -> npt.NDArray[np.float32]:
    """Return the nats, (corpora, modes, 12 degrees, 25 intervals), by which each interval surprises.

    The interval, from an octave down to an octave up, follows a note so many semitones above the tonic.
    """
    units = np.frombuffer(base64.b64decode(EXPECTATION_TABLE), dtype=np.uint8)
    shape = (len(CORPORA), len(Mode), OCTAVE, 2 * OCTAVE + 1)
    return units.reshape(shape).astype(np.float32) * np.float32(NATS_A_UNIT)
