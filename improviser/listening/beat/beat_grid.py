"""The grids over which the belief about the beat is spread: periods, phases, places in a bar."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.units import S_PER_MINUTE

# The periods of a beat: three octaves, in equal steps of the logarithm, from the fastest.
FASTEST_BPM: Final = 260.0
OCTAVE_ROWS: Final = 24
PERIODS: Final = 3 * OCTAVE_ROWS + 1
PHASES: Final = 18
PERIODS_S: Final = S_PER_MINUTE / FASTEST_BPM * 2 ** (np.arange(PERIODS) / OCTAVE_ROWS)
# The bars that are told apart, in beats; and the places in them: (beats in the bar, place from 0).
BAR_SIZES: Final = (2, 3, 4)
PLACES: Final = tuple((size, place) for size in BAR_SIZES for place in range(size))
# A note this much of a beat before a beat belongs to it.
EARLY_BEATS: Final = 0.12


def period_row(period_s: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the rows of periods in seconds, with their fractions; outside the grid they are below 0 or too large."""
    found: npt.NDArray[np.float64] = np.log2(np.asarray(period_s) * FASTEST_BPM / S_PER_MINUTE) * OCTAVE_ROWS
    return found
