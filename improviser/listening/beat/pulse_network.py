"""The network that judges each period and phase of the beat, from the histograms of past onsets.

Its weights are the same for all periods and phases, so it needs little to learn from, and a tune is judged alike at
any tempo. The first layer looks at a whole turn of the phase. The second also sees the best of related periods: half,
double, a third, a quarter, three times and four times as long. `improviser.studies.beat_fit` fits it with torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import OCTAVE_ROWS, PERIODS, PHASES
from improviser.listening.beat.pulse_histogram import CHANNELS

Array = npt.NDArray[np.float32]
# The arrays of a fitted network by their names, as they stand in its file.
BeatWeights = Mapping[str, npt.NDArray[np.generic]]

WIDTH: Final = 16
UNITS: Final = 24
# Rows from a period to those with which it is compared: as long, half, double, a third, three
# times, four times and a quarter as long.
_THIRD_ROWS: Final = 38
RELATED: Final = (0, -OCTAVE_ROWS, OCTAVE_ROWS, -_THIRD_ROWS, _THIRD_ROWS, 2 * OCTAVE_ROWS, -2 * OCTAVE_ROWS)
# What is known of a period by itself: its logarithm, its square, and the logarithm of onsets per beat.
PLAIN: Final = 3
WEIGHT_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "turn.weight": (PHASES, CHANNELS, WIDTH),
    "turn.bias": (WIDTH,),
    "row.weight": (UNITS, len(RELATED) * WIDTH + PLAIN),
    "row.bias": (UNITS,),
    "cell.weight": (UNITS, 3 * WIDTH),
    "out.weight": (1, UNITS),
    "prior": (PERIODS,),
}
# The same moment, seen from a beat half as long; and the two ways to see it from one twice as long.
HALF_COLUMNS: Final = 2 * np.arange(PHASES) % PHASES
DOUBLE_COLUMNS: Final = np.arange(PHASES) // 2
LOGARITHMS: Final = (np.arange(PERIODS) / OCTAVE_ROWS - 1.5).astype(np.float32)


def related_rows() -> npt.NDArray[np.int64]:
    """Return the rows with which each row is compared, (RELATED, PERIODS); PERIODS stands for none."""
    rows = np.arange(PERIODS) + np.array(RELATED)[:, None]
    return np.where((rows < 0) | (rows >= PERIODS), PERIODS, rows)


_RELATED_ROWS: Final = related_rows()


class PulseNetwork:
    """Judges periods and phases at an onset."""

    def __init__(self, weights: BeatWeights) -> None:
        """Take the arrays of a fitted network."""
        arrays = {name: np.ascontiguousarray(weights[name], dtype=np.float32) for name in WEIGHT_SHAPES}
        # A convolution over the whole turn is a product of spectra.
        self._turn = np.fft.rfft(arrays["turn.weight"], axis=0).astype(np.complex64)
        self._turn_bias = arrays["turn.bias"]
        self._row = np.ascontiguousarray(arrays["row.weight"].T)
        self._row_bias = arrays["row.bias"]
        self._cell = np.ascontiguousarray(arrays["cell.weight"].T)
        self._out = arrays["out.weight"][0]
        self._prior = arrays["prior"]

    def judge(self, histograms: Array, onsets_per_beat: Array) -> Array:
        """Return the logarithm of the probability of each period and phase, (PERIODS, PHASES).

        Args:
            histograms: (PERIODS, PHASES, CHANNELS) of past onsets.
            onsets_per_beat: (PERIODS,) logarithm of the recent number.
        """
        waves = np.fft.rfft(histograms, axis=1).transpose(1, 0, 2).astype(np.complex64) @ self._turn
        first = np.fft.irfft(waves, PHASES, axis=0).astype(np.float32)
        first += self._turn_bias
        np.maximum(first, 0, out=first)
        row = self._rows(first, onsets_per_beat)
        cells = np.concatenate([first, _half(first), _double(first)], axis=2).reshape(-1, 3 * WIDTH) @ self._cell
        cells = cells.reshape(PHASES, PERIODS, UNITS)
        cells += row
        np.maximum(cells, 0, out=cells)
        logits = (cells.reshape(-1, UNITS) @ self._out).reshape(PHASES, PERIODS).T + self._prior[:, None]
        logits -= logits.max()
        found: Array = logits - np.log(np.exp(logits).sum())
        return found

    def _rows(self, first: Array, onsets_per_beat: Array) -> Array:
        """Return what is known of each period as a whole, (PERIODS, UNITS)."""
        best = np.concatenate([first.max(axis=0), np.zeros((1, WIDTH), dtype=np.float32)])
        plain = np.stack([LOGARITHMS, LOGARITHMS**2, onsets_per_beat], axis=1)
        found: Array = np.concatenate([*best[_RELATED_ROWS], plain], axis=1) @ self._row + self._row_bias
        return found


def _half(first: Array) -> Array:
    """Return what a beat half as long sees at the same moment; zero where there is none; (PHASES, PERIODS, WIDTH)."""
    found = np.zeros_like(first)
    found[:, OCTAVE_ROWS:] = first[HALF_COLUMNS, :-OCTAVE_ROWS]
    return found


def _double(first: Array) -> Array:
    """Return what a beat twice as long sees at the same moment, the sum of its two halves; zero where there is none."""
    found = np.zeros_like(first)
    longer = first[:, OCTAVE_ROWS:]
    found[:, :-OCTAVE_ROWS] = longer[DOUBLE_COLUMNS] + longer[DOUBLE_COLUMNS + PHASES // 2]
    return found
