"""Estimates and bands: means and intervals over pieces, and figures outside their band."""

from __future__ import annotations

import math

import numpy as np
import pytest

from improviser.evaluation.estimate import RESAMPLES, Estimate, estimate_column, make_estimate, resample
from improviser.evaluation.report import BANDS, HUMAN, PRIOR, EvaluationTable, shown


def table(figure: str, ours: float, human: float = math.nan, prior: float = math.nan) -> EvaluationTable:
    """Return a table of one figure."""
    columns = {HUMAN: human, PRIOR: prior, "ours": ours}
    return EvaluationTable("ours", {name: {figure: Estimate(value, 0.0, 1.0)} for name, value in columns.items()})


def test_means_pass_over_what_a_piece_does_not_have() -> None:
    """A piece without a figure is left out of its mean; a figure that no piece has is nan."""
    results = [{"a": 1.0, "b": math.nan, "c": math.nan}, {"a": 3.0, "b": 5.0, "c": math.nan}]
    column = estimate_column(results, 0)
    assert [2, 5] == [column["a"].mean, column["b"].mean]
    assert math.isnan(column["c"].mean)
    # A resample of two pieces holds one of them twice, or both.
    assert (1, 3) == (column["a"].low, column["a"].high)
    assert (5, 5) == (column["b"].low, column["b"].high)
    assert {} == estimate_column([], 0)


def test_resamples_follow_the_seed() -> None:
    """Each resample has as many pieces as there are; the same seed gives the same resamples, another seed others."""
    weights = resample(7, 1)
    assert (RESAMPLES, 7) == weights.shape
    assert {7.0} == set(weights.sum(axis=1).tolist())
    assert np.array_equal(weights, resample(7, 1))
    assert not np.array_equal(weights, resample(7, 2))


def test_intervals_are_those_of_the_normal_distribution() -> None:
    """For many pieces the interval is 1.96 standard errors on either side."""
    values = np.random.default_rng(0).normal(0, 1, 400)
    found = estimate_column([{"a": float(value)} for value in values], 0)["a"]
    assert pytest.approx(2 * 1.96 / 20, rel=0.1) == found.high - found.low


def test_an_interval_of_nothing() -> None:
    """Where no resample has the figure there is no interval."""
    assert math.isnan(make_estimate(1.0, np.array([math.nan])).low)


@pytest.mark.parametrize(
    ("figure", "kept", "left"),
    [
        ("not in key %", (0.5,), (0.51,)),
        ("excessively repeated, holds aside %", (0.2,), (0.3,)),
        ("leaps resolved %", (80.0,), (79.9,)),
        ("starts on tonic or chord tone %", (85.0,), (84.0,)),
        ("strong-beat consonance %", (92.0,), (91.9,)),
        ("note in chord %", (65.0,), (64.9,)),
        ("onsets per bar", (5.0, 4.0), (5.1, 4.0)),
        ("in motif %", (15.0, 20.0), (14.9, 20.0)),
        ("rhythm autocorrelation 1", (-0.25, -0.34), (-0.25, -0.36)),
        ("unique highest %", (60.0, 70.0), (59.0, 70.0)),
        ("unique lowest %", (80.0, 70.0), (81.0, 70.0)),
        ("bars repeated %", (15.0, 10.0), (15.1, 10.0)),
        ("Vendi", (1.8, 2.0), (1.79, 2.0)),
        ("overlap: mean", (0.8, 0.95, 0.79), (0.8, 0.95, 0.8)),
        ("overlap: mean", (0.75, 0.95, 0.5), (0.74, 0.95, 0.5)),
        ("transposed: recovery beats", (6.0,), (6.1,)),
    ],
)
def test_bands(figure: str, kept: tuple[float, ...], left: tuple[float, ...]) -> None:
    """Each band holds the allowed values of a figure, given those of people and of the prior."""
    inside, outside = table(figure, *kept), table(figure, *left)
    verdicts = [held.verdict(figure) for held in (inside, outside)]
    assert [True, False] == [verdict.is_kept for verdict in verdicts if verdict is not None]
    assert "!" not in inside.cells(figure)[3]
    assert outside.cells(figure)[3].endswith(" !")
    assert BANDS[figure].text == outside.cells(figure)[-1]


def test_what_cannot_be_told() -> None:
    """With an unknown figure the result is None; most figures have no band."""
    for held in (table("Vendi", 1.0), table("Vendi", math.nan, 2.0)):
        verdict = held.verdict("Vendi")
        assert verdict is not None
        assert verdict.is_kept is None
        assert "!" not in "".join(held.cells("Vendi"))
    assert table("consonant %", 1.0).verdict("consonant %") is None
    assert "" == table("consonant %", 1.0).cells("consonant %")[-1]


def test_another_column_may_be_judged() -> None:
    """Any column can be compared with a band, though only the main one is marked."""
    verdict = table("not in key %", 0.0, human=2.0).verdict("not in key %", HUMAN)
    assert verdict is not None
    assert verdict.is_kept is False


def test_shown() -> None:
    """Percentages have one decimal, other figures three, and an unknown figure is a dash."""
    assert "12.3 [1.0, 20.0]" == shown(Estimate(12.345, 1, 20), "x %")
    assert "12.345 [1.000, 20.000]" == shown(Estimate(12.345, 1, 20), "x")
    assert "-" == shown(Estimate(math.nan, math.nan, math.nan), "x")
    assert "1.000" == shown(Estimate(1, math.nan, math.nan), "x")
