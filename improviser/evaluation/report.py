"""The table of an evaluation: one row per figure, one column per policy, and the bands of the figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.evaluation.estimate import Column, Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HUMAN: Final = "human"
RANDOM: Final = "random in key"
PRIOR: Final = "prior only"
GREEDY: Final = "greedy on reward"
BASELINES: Final = (HUMAN, RANDOM, PRIOR, GREEDY)
OVERLAP: Final = "overlap: mean"
RECOVERY: Final = "transposed: recovery beats"
# Marks a figure that lies outside its band.
OUTSIDE: Final = "!"
UNKNOWN: Final = Estimate(math.nan, math.nan, math.nan)

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Band:
    """The range in which a figure should lie; `limits` computes it from the figures of people and of the prior."""

    text: str
    limits: Callable[[float, float], Range]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure compared with its band; `is_kept` is None where the figure or the band is unknown."""

    band: str
    low: float
    high: float
    is_kept: bool | None


def at_most(most: float, unit: str) -> Band:
    """Return the band up to `most`."""
    return Band(f"<= {most:g}{unit}", lambda _human, _prior: (-math.inf, most))


def at_least(least: float, unit: str) -> Band:
    """Return the band from `least` on."""
    return Band(f">= {least:g}{unit}", lambda _human, _prior: (least, math.inf))


def around_human(gap: float, text: str) -> Band:
    """Return the band that extends `gap` on either side of the human figure."""
    return Band(f"+-{text} human", lambda human, _prior: (human - gap, human + gap))


def times_human(least: float, most: float, text: str) -> Band:
    """Return the band between two multiples of the human figure."""
    return Band(f"{text} human", lambda human, _prior: (_times(least, human), _times(most, human)))


BANDS: Final[Mapping[str, Band]] = {
    "not in key %": at_most(0.5, " %"),
    "excessively repeated, holds aside %": at_most(0.2, " %"),
    "leaps resolved %": at_least(80, " %"),
    "starts on tonic or chord tone %": at_least(85, " %"),
    "strong-beat consonance %": at_least(92, " %"),
    "note in chord %": at_least(65, " %"),
    "onsets per bar": times_human(0.75, 1.25, "+-25 % of"),
    "in motif %": times_human(0.75, 1.25, "+-25 % of"),
    "rhythm autocorrelation 1": around_human(0.1, "0.1 of"),
    "unique highest %": around_human(10, "10 points of"),
    "unique lowest %": around_human(10, "10 points of"),
    "bars repeated %": times_human(-math.inf, 1.5, "<= 1.5 x"),
    "Vendi": times_human(0.9, math.inf, ">= 0.9 x"),
    OVERLAP: Band(">= 0.75, > prior only", lambda _human, prior: (max(0.75, math.nextafter(prior, 2)), 1.0)),
    RECOVERY: at_most(6, " beats"),
}


@dataclass(frozen=True, slots=True)
class EvaluationTable:
    """Figures side by side.

    Attributes:
        name: The column that is compared with the bands.
        columns: The figures of each policy, by name.
    """

    name: str
    columns: Mapping[str, Column]

    def rows(self) -> list[str]:
        """Return the names of all figures that any column has, in order."""
        names: dict[str, None] = {}
        for column in self.columns.values():
            names |= dict.fromkeys(column)
        return list(names)

    def value(self, column: str, figure: str) -> Estimate:
        """Return a figure, nan where the column does not have it."""
        return self.columns.get(column, {}).get(figure, UNKNOWN)

    def verdict(self, figure: str, column: str | None = None) -> Verdict | None:
        """Return a column's figure compared with its band; None without a band. The default column is `name`."""
        band = BANDS.get(figure)
        if band is None:
            return None
        human, prior = (self.value(name, figure).mean for name in (HUMAN, PRIOR))
        low, high = band.limits(human, prior)
        mean = self.value(column or self.name, figure).mean
        is_known = not any(math.isnan(number) for number in (low, high, mean))
        return Verdict(band.text, low, high, low <= mean <= high if is_known else None)

    def cells(self, figure: str) -> list[str]:
        """Return a row as text: the figure, each column's mean and interval, and the band.

        The mean of the column `name` is marked with OUTSIDE where it lies outside its band.
        """
        verdict = self.verdict(figure)
        is_outside = verdict is not None and verdict.is_kept is False
        columns = [
            shown(self.value(name, figure), figure) + (f" {OUTSIDE}" if is_outside and name == self.name else "")
            for name in self.columns
        ]
        return [figure, *columns, verdict.band if verdict else ""]


def shown(estimate: Estimate, figure: str) -> str:
    """Return a mean and its interval as text, percentages with one decimal, others with three; "-" if unknown."""
    places = 1 if "%" in figure else 3
    mean, *ends = (f"{number:.{places}f}" for number in (estimate.mean, estimate.low, estimate.high))
    if math.isnan(estimate.mean):
        return "-"
    return mean if math.isnan(estimate.low) else f"{mean} [{', '.join(ends)}]"


def _times(factor: float, human: float) -> float:
    """Return a multiple of the human figure; an infinite factor stays as it is unless the figure is unknown."""
    if math.isnan(human) or math.isfinite(factor):
        return factor * human
    return factor
