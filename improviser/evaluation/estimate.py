"""Means over pieces with their 95 % bootstrap intervals.

Source: B. Efron and R. J. Tibshirani (1993), "An Introduction to the Bootstrap", chapter 13 (percentiles).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.evaluation.metrics import Figures

RESAMPLES: Final = 1000
PERCENTILES: Final = (2.5, 97.5)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure's mean over pieces and the ends of its 95 % interval; nan where nothing was counted."""

    mean: float
    low: float
    high: float


Column = dict[str, Estimate]


def resample(pieces: int, seed: int) -> FloatArray:
    """Return how often each piece is in each resample, (RESAMPLES, pieces); the same seed gives the same resamples."""
    if pieces == 0:
        return np.zeros((RESAMPLES, 0))
    shares = np.full(pieces, 1 / pieces)
    return np.random.default_rng(seed).multinomial(pieces, shares, size=RESAMPLES).astype(np.float64)


def make_estimate(mean: float, resampled: FloatArray) -> Estimate:
    """Return a figure with its interval, from its value in each resample; nan values are ignored."""
    known = resampled[np.isfinite(resampled)]
    if not len(known):
        return Estimate(mean, float("nan"), float("nan"))
    low, high = np.percentile(known, PERCENTILES)
    return Estimate(mean, float(low), float(high))


def estimate_column(results: Sequence[Figures], seed: int) -> Column:
    """Return the means over pieces; a piece without a figure is left out of that figure."""
    names = results[0].keys() if results else ()
    weights = resample(len(results), seed)
    return {name: _mean(np.array([result[name] for result in results]), weights) for name in names}


def _mean(values: FloatArray, weights: FloatArray) -> Estimate:
    """Return the mean of the finite values, (pieces,)."""
    there = np.isfinite(values)
    if not there.any():
        return Estimate(float("nan"), float("nan"), float("nan"))
    with np.errstate(invalid="ignore"):
        resampled = (weights @ np.where(there, values, 0.0)) / (weights @ there)
    return make_estimate(float(values[there].mean()), resampled)
