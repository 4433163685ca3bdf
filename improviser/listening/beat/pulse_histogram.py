"""Where past onsets lie in the beat, for each period that the beat may have.

For a period, a past onset lies some beats back; the fraction of that number is its lag phase. If the phase is `p` now,
it was `p` less the lag phase at that onset. So one histogram of lag phases serves all phases: each is a rotation of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import PERIODS, PERIODS_S, PHASES

Array = npt.NDArray[np.float64]

# The onsets that count, and the memories with which they are forgotten, in beats.
LAGS: Final = 56
MEMORY_BEATS: Final = (1.5, 5.0, 14.0)
DENSITY_BEATS: Final = 5.0
# All onsets, accents, fresh harmony, and notes before a gap; each with each memory. Then the onset that is now.
WEIGHTS: Final = 4
NOW: Final = 3
CHANNELS: Final = WEIGHTS * len(MEMORY_BEATS) + NOW
# A gap after a note counts up to this many beats.
_LONGEST_GAP_BEATS: Final = 2.0
_LEAST: Final = 0.3
_ROWS: Final = np.arange(PERIODS)[:, None] * PHASES


def pulse_histograms(
    at_s: Array, accent: Array, fresh: Array
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the histograms at the last of some onsets, and how dense the onsets are.

    Args:
        at_s: (onsets,) moments of the last onsets, at most LAGS + 1 of them.
        accent: (onsets,) how much each stands out.
        fresh: (onsets,) share of pitch classes that had not sounded.

    Returns:
        (PERIODS, PHASES, CHANNELS) histograms, and (PERIODS,) logarithms of the number of recent onsets per beat.
    """
    dense = np.full(PERIODS, _LEAST)
    found = np.zeros((PERIODS, PHASES, CHANNELS), dtype=np.float32)
    if len(at_s) > 1:
        past = slice(None, -1)
        lag = (at_s[-1] - at_s[past]) / PERIODS_S[:, None]
        gap = np.minimum(np.diff(at_s) / PERIODS_S[:, None], _LONGEST_GAP_BEATS)
        bins = _Bins(lag)
        for index, memory in enumerate(MEMORY_BEATS):
            kept = np.exp(-lag / memory)
            amount = kept.sum(axis=1) + _LEAST
            if memory == DENSITY_BEATS:
                dense = amount
            total = 1 / amount[:, None]
            weights = (kept, kept * accent[past], kept * fresh[past], kept * gap)
            for channel, weight in enumerate(weights):
                found[..., index * WEIGHTS + channel] = bins.filled(weight * total)
    found[:, 0, -NOW:] = 1.0, accent[-1], fresh[-1]
    return found, np.log2(dense / DENSITY_BEATS).astype(np.float32)


class _Bins:
    """The bins of lag phases; a phase between two bins counts in both."""

    def __init__(self, lag: Array) -> None:
        """Find the bins of lags in beats, (PERIODS, onsets)."""
        place = lag % 1 * PHASES
        low = place.astype(np.int64)
        self._share = place - low
        self._low = (low % PHASES + _ROWS).ravel()
        self._high = ((low + 1) % PHASES + _ROWS).ravel()

    def filled(self, weight: Array) -> Array:
        """Return the histogram of the lags with some weights, (PERIODS, PHASES)."""
        high = weight * self._share
        size = PERIODS * PHASES
        found = np.bincount(self._low, (weight - high).ravel(), size) + np.bincount(self._high, high.ravel(), size)
        return found.astype(np.float64).reshape(PERIODS, PHASES)
