"""Distribution overlap with people: features and distances by hand, densities compared with known ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from improviser.evaluation.likeness import likeness
from improviser.evaluation.metrics import Performance
from improviser.evaluation.metrics.overlap import (
    FEATURES,
    distance,
    distances,
    divergence,
    features,
    overlapped_area,
)
from tests.tiny_corpus import to_events


def played(text: str, steps: int = 32) -> Performance:
    """Return a performance of a part in 4/4 without a player."""
    nobody = np.zeros(steps, dtype=np.int64)
    return Performance(to_events(text, steps), to_events("", steps), nobody, nobody, 0, 0, 4)


def rows(*numbers: float) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return rows of one number each."""
    return [np.array([number], dtype=np.float64) for number in numbers]


def normal_area(gap: float) -> float:
    """Return the overlapped area of two normal densities whose means lie `gap` deviations apart."""
    return math.erfc(gap / 2 / math.sqrt(2))


def test_features() -> None:
    """Four notes in two bars: each feature counted by hand."""
    found = features(played("60 . 64 . 60 . . . " + "- " * 8 + "72 . . ."))
    assert found is not None
    expected = {
        "pitch count": [3],
        "pitch range": [12],
        "interval": [20 / 3],
        "inter-onset interval": [16 / 3 / 4],
        "note count per bar": [3, 1],
        "pitch classes": [0.75, 0, 0, 0, 0.25, *[0] * 7],
        "note lengths": [0, 0.5, 0, 0.5, *[0] * 8],
    }
    assert list(FEATURES) == list(found)
    for name, row in expected.items():
        assert pytest.approx(row) == found[name].tolist()


def test_too_few_notes_have_no_features() -> None:
    """One note makes no interval."""
    assert features(played("60")) is None


def test_distance() -> None:
    """Rows are compared over the elements that both have, divided by the root of their number."""
    assert 3 == distance(*rows(1, 4))
    assert pytest.approx(math.sqrt((9 + 16) / 2)) == distance(np.array([0.0, 0, 7]), np.array([3.0, 4]))


def test_densities_are_of_the_distances() -> None:
    """Distances of 0 and 10 have a density around these two values, with an area of 1."""
    found = distances(rows(10), rows(0, 10))
    intra, inter = found.densities()
    step = found.grid[1] - found.grid[0]
    assert pytest.approx((1, 1)) == (float(intra.sum() * step), float(inter.sum() * step))
    assert pytest.approx(10, abs=0.1) == float(found.grid[intra.argmax()])
    assert pytest.approx(0.5, abs=0.01) == float(inter[found.grid < 5].sum() * step)


def test_pieces_may_weigh_more() -> None:
    """A piece of weight 0 adds no distances; one of people's pieces with weight 2 has none to itself."""
    found = distances(rows(0, 10), rows(0, 0, 10))
    _, inter = found.densities(np.array([1.0, 1, 0]), np.array([1.0, 0]))
    assert pytest.approx(0, abs=0.1) == float(found.grid[inter.argmax()])
    intra, _ = found.densities(np.array([2.0, 0, 0]), None)
    assert not intra.any()


def test_overlapped_area() -> None:
    """Two normal densities one deviation apart overlap as the normal distribution predicts."""
    grid = np.linspace(-10, 10, 4001)
    first, second = (np.exp(-0.5 * (grid - mean) ** 2) / math.sqrt(2 * math.pi) for mean in (0.0, 1.0))
    assert pytest.approx(1) == overlapped_area(first, first, grid)
    assert pytest.approx(normal_area(1), abs=1e-4) == overlapped_area(first, second, grid)
    # The divergence of two normal densities of deviation 1 is half the square of their gap.
    assert pytest.approx(0.5, abs=1e-4) == divergence(first, second, grid)
    assert 0 == divergence(first, first, grid)


def test_equal_distances_have_a_density() -> None:
    """Where all distances are equal the kernels are a hundredth of them wide."""
    same = distances(rows(5), rows(0, 10))
    intra, inter = same.densities()
    assert overlapped_area(intra, inter, same.grid) < 0.01
    nothing = distances(rows(5, 5), rows(5, 5))
    assert pytest.approx(1) == overlapped_area(*nothing.densities(), nothing.grid)


PEOPLE = ("60 . 62 . 64", "60 . 64 . 67 . 72", "60 62 64 65 67", "60 . . . 59 . . . 60")


def test_likeness_to_oneself() -> None:
    """Playing what people play is close to them in every feature; the mean is that of the seven."""
    people = [played(text) for text in PEOPLE * 5]
    column = likeness(people, people).column(0)
    overlaps = [column[f"overlap: {name}"].mean for name in FEATURES]
    assert min(overlaps) > 0.8
    assert pytest.approx(np.mean(overlaps)) == column["overlap: mean"].mean
    assert max(column[f"divergence: {name}"].mean for name in FEATURES) < 0.2


def test_likeness_of_another_music() -> None:
    """Playing large leaps shares no interval with people, and lowers the mean overlap."""
    people, wild = [played(text) for text in PEOPLE], [played("36 84 36 85 37 90")] * 4
    column = likeness(wild, people).column(0)
    assert column["overlap: interval"].mean < 0.05
    assert column["divergence: interval"].mean > 1
    assert column["overlap: mean"].mean < 0.5
    assert all(found.low <= found.mean <= found.high for found in column.values())
    assert column == likeness(wild, people).column(0)


def test_likeness_of_too_little() -> None:
    """One piece of people's, or none of ours, cannot be compared."""
    one = [played(PEOPLE[0])]
    assert {} == likeness(one, one).column(0)
    assert {} == likeness([played("60")], one * 2).column(0)
