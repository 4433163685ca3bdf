"""The distribution overlap with people's playing, over a set of pieces: overlapped area and divergence of distances.

Source: L.-C. Yang and A. Lerch (2018), "On the evaluation of generative models in music", Neural Computing and
Applications 32. Each piece has seven features. The distances between people's pieces are called intra, the distances
from the improviser's pieces to people's are called inter. Each set of distances is smoothed by a Gaussian kernel on one
grid. An improviser that plays like people is as far from people as they are from each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.evaluation.metrics.played import (
    Performance,
    length_counts,
    pitch_class_counts,
    whole_bars,
)
from improviser.music.chord import QUALITY_COUNT
from improviser.music.voice_leading import MOVEMENT

GRID: Final = 256
# The grid extends this many bandwidths beyond the outermost distances.
MARGIN: Final = 4.0
# No bandwidth is smaller than this share of the largest distance, so that equal distances have a density.
NARROWEST: Final = 0.01
# The divergence raises smaller densities to this value.
FLOOR: Final = 1e-12

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = npt.NDArray[np.float64]
FEATURES: Final = (
    "pitch count",
    "pitch range",
    "interval",
    "inter-onset interval",
    "note count per bar",
    "pitch classes",
    "note lengths",
)


def features(performance: Performance) -> dict[str, FloatArray] | None:
    """Return each feature as a row of numbers, (1,), (12,) or (bars,); None for fewer than two onsets.

    The features are FEATURES, or for chords the corresponding ones. Intervals are in semitones, inter-onset intervals
    in beats, histograms as shares.
    """
    return _FEATURES[performance.role](performance)


def _chord_features(performance: Performance) -> dict[str, FloatArray] | None:
    """Return the features of chords: roots instead of pitches, and the movement of the tones; no range."""
    chords = performance.events[performance.events >= 0].astype(np.int64)
    roots = np.where(performance.events >= 0, performance.events // QUALITY_COUNT, performance.events)
    rows = _tune_features(replace(performance, events=roots.astype(np.int16)))
    if rows is None:
        return None
    own = {
        "pitch count": np.array([len(np.unique(chords))], dtype=np.float64),
        "interval": np.array([MOVEMENT[chords[:-1], chords[1:]].mean()], dtype=np.float64),
    }
    names = {"pitch count": "chord count", "interval": "movement", "pitch classes": "roots"}
    kept = {name: row for name, row in (rows | own).items() if name != "pitch range"}
    return {names.get(name, name): row for name, row in kept.items()}


def _tune_features(performance: Performance) -> dict[str, FloatArray] | None:
    """Return the values of FEATURES for a tune."""
    events = performance.events
    at = np.flatnonzero(events >= 0)
    if len(at) < 2:  # noqa: PLR2004 - one note makes no interval
        return None
    notes = events[at].astype(np.float64)
    classes, lengths = pitch_class_counts(events), length_counts(events)
    bars = [float(np.sum(bar >= 0)) for bar in whole_bars(events, performance.bar_steps)]
    rows: tuple[object, ...] = (
        [len(np.unique(notes))],
        [notes.max() - notes.min()],
        [np.abs(np.diff(notes)).mean()],
        [np.diff(at).mean() / performance.steps_per_beat],
        bars,
        classes / classes.sum(),
        lengths / lengths.sum(),
    )
    return {name: np.asarray(row, dtype=np.float64) for name, row in zip(FEATURES, rows, strict=True)}


_FEATURES: Final = {"melody": _tune_features, "bass": _tune_features, "comping": _chord_features}


def distance(first: FloatArray, second: FloatArray) -> float:
    """Return the Euclidean distance of two rows; where their lengths differ, over the elements that both have.

    The distance is divided by the square root of the number of elements, so that short and long pieces compare.
    """
    count = min(len(first), len(second))
    return float(np.linalg.norm(first[:count] - second[:count]) / np.sqrt(max(count, 1)))


@dataclass(frozen=True, slots=True)
class Distances:
    """The distances of one feature, each smoothed on a common grid.

    Attributes:
        grid: (GRID,) the points at which the densities are computed.
        intra: (people, people, GRID) kernels of the distances between people's pieces; only the upper triangle counts.
        inter: (ours, people, GRID) kernels of the distances from the improviser's pieces to people's.
    """

    grid: FloatArray
    intra: FloatArray
    inter: FloatArray

    def densities(
        self, people: FloatArray | None = None, ours: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the densities of intra and inter, (GRID,) each, with the pieces weighted by `people` and `ours`."""
        rows, columns = self.inter.shape[:2]
        own = np.ones(rows) if ours is None else ours
        other = np.ones(columns) if people is None else people
        pairs = np.triu(np.outer(other, other), 1)
        return (
            _normal(np.tensordot(pairs, self.intra, 2), self.grid),
            _normal(np.tensordot(np.outer(own, other), self.inter, 2), self.grid),
        )


def distances(ours: Sequence[FloatArray], people: Sequence[FloatArray]) -> Distances:
    """Return the distances of one feature between `ours` and `people`, which needs at least two pieces."""
    intra = np.array([[distance(one, other) for other in people] for one in people])
    inter = np.array([[distance(one, other) for other in people] for one in ours])
    among = intra[np.triu_indices(len(people), 1)]
    widths = [_bandwidth(among, inter), _bandwidth(inter.ravel(), among)]
    margin, top = MARGIN * max(widths), max(float(intra.max()), float(inter.max()))
    grid = np.linspace(-margin, top + margin, GRID)
    return Distances(grid, _kernels(intra, grid, widths[0]), _kernels(inter, grid, widths[1]))


def overlapped_area(intra: FloatArray, inter: FloatArray, grid: FloatArray) -> float:
    """Return the area under both densities, 0 to 1."""
    return float(np.sum(np.minimum(intra, inter)) * (grid[1] - grid[0]))


def divergence(intra: FloatArray, inter: FloatArray, grid: FloatArray) -> float:
    """Return the Kullback-Leibler divergence of inter from intra in nats, 0 or more."""
    p, q = np.maximum(intra, FLOOR), np.maximum(inter, FLOOR)
    return max(0.0, float(np.sum(p * np.log(p / q)) * (grid[1] - grid[0])))


def _bandwidth(values: FloatArray, others: FloatArray) -> float:
    """Return the kernel's width by Scott's rule (D. W. Scott 1992), with a lower limit above 0."""
    largest = max(float(values.max()), float(others.max()), 1e-6)
    return max(float(values.std() * values.size**-0.2), NARROWEST * largest)


def _kernels(values: FloatArray, grid: FloatArray, width: float) -> FloatArray:
    """Return a Gaussian of `width` around each value, (*values.shape, GRID)."""
    kernels: FloatArray = np.exp(-0.5 * ((grid - values[..., None]) / width) ** 2)
    return kernels


def _normal(density: FloatArray, grid: FloatArray) -> FloatArray:
    """Return the density scaled to an area of 1; a density of 0 everywhere stays as it is."""
    area = float(density.sum() * (grid[1] - grid[0]))
    return density / area if area > 0 else density
