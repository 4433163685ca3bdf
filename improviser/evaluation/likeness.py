"""How like people a whole column plays: overlap and divergence in seven features, with their intervals."""

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

# Each takes a millisecond for every feature and column.
RESAMPLES: Final = 200
MEAN: Final = "mean"
OVERLAP: Final = "overlap"
DIVERGENCE: Final = "divergence"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """The distances within people and from ours to people, by feature; empty where too little was played.

    Attributes:
        features: Distances by the name of the feature.
        ours: How many of our pieces were compared.
        people: And of people's.
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
        """Return the figures where each piece weighs as much as is said."""
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
    """Return what the resamples make of a figure, moved so that their mean is its value.

    A resample holds some pieces twice, so its densities are rougher, and every overlap smaller: that much is
    the resampling's own.
    """
    most = 1.0 if name.startswith(OVERLAP) else np.inf
    moved: FloatArray = np.clip(draws - draws.mean() + value, 0.0, most)
    return moved


def likeness(ours: Sequence[Performance], people: Sequence[Performance]) -> Likeness:
    """Return how like `people` we play; pieces of fewer than two notes are left out."""
    own, other = ([row for row in map(features, performances) if row is not None] for performances in (ours, people))
    if len(other) < 2 or not own:  # noqa: PLR2004 - one piece has no distances within
        return Likeness({}, len(own), len(other))
    found = {name: distances([row[name] for row in own], [row[name] for row in other]) for name in other[0]}
    return Likeness(found, len(own), len(other))
