"""The distribution overlap of a column with people, and its divergence, in seven features, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.evaluation.estimate import Column, make_estimate, resample
from improviser.evaluation.metrics.overlap import (
    Distances,
    distances,
    divergence,
    features,
    overlapped_area,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.evaluation.metrics import Performance

# Each resample takes a millisecond for every feature and column.
RESAMPLES: Final = 200
MEAN: Final = "mean"
OVERLAP: Final = "overlap"
DIVERGENCE: Final = "divergence"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The distances between people's pieces, and from the column's pieces to people's, by feature.

    Attributes:
        features: Distances by the name of the feature; empty where too little was played.
        ours: Number of the column's pieces that were compared.
        people: Number of people's pieces that were compared.
    """

    features: dict[str, Distances]
    ours: int
    people: int

    def column(self, seed: int) -> Column:
        """Return "overlap: FEATURE", "divergence: FEATURE" and both means, with intervals over pieces."""
        if not self.features:
            return {}
        ours, people = (resample(count, seed)[:RESAMPLES] for count in (self.ours, self.people))
        means = self._figures(None, None)
        draws = [self._figures(*weights) for weights in zip(people, ours, strict=True)]
        return {
            name: make_estimate(value, _centred(np.array([draw[name] for draw in draws]), name, value))
            for name, value in means.items()
        }

    def _figures(self, people: FloatArray | None, ours: FloatArray | None) -> dict[str, float]:
        """Return the figures with each piece weighted by these weights; None weights all pieces equally."""
        overlaps, divergences = {}, {}
        for name, found in self.features.items():
            densities = found.densities(people, ours)
            overlaps[name] = overlapped_area(*densities, found.grid)
            divergences[name] = divergence(*densities, found.grid)
        overlaps[MEAN] = float(np.mean(list(overlaps.values())))
        divergences[MEAN] = float(np.mean(list(divergences.values())))
        return {f"{OVERLAP}: {name}": value for name, value in overlaps.items()} | {
            f"{DIVERGENCE}: {name}": value for name, value in divergences.items()
        }


def _centred(draws: FloatArray, name: str, value: float) -> FloatArray:
    """Return a figure's values in the resamples, moved so that their mean is the figure.

    A resample holds some pieces twice. This makes its densities rougher and every overlap smaller, so that part of the
    difference comes from the resampling alone.
    """
    most = 1.0 if name.startswith(OVERLAP) else np.inf
    moved: FloatArray = np.clip(draws - draws.mean() + value, 0.0, most)
    return moved


def likeness(ours: Sequence[Performance], people: Sequence[Performance]) -> Likeness:
    """Return the distribution overlap of `ours` with `people`; pieces with fewer than two notes are left out."""
    own, other = ([row for row in map(features, performances) if row is not None] for performances in (ours, people))
    if len(other) < 2 or not own:  # noqa: PLR2004 - one piece has no distances within
        return Likeness({}, len(own), len(other))
    found = {name: distances([row[name] for row in own], [row[name] for row in other]) for name in other[0]}
    return Likeness(found, len(own), len(other))
