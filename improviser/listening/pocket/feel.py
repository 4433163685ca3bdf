"""The player's feel: offset from the grid, accent and note length at each place in the bar.

A mean is kept at three levels: the place in the bar, the metrical level (beat, eighth, sixteenth), and the whole. The
mean of a place is shrunk to that of its level, that to the whole, and the whole to the prior. So one note says a
little about all places, and many notes say much about one.

Source: empirical Bayes means with pseudo-counts; B. Efron and C. Morris (1975).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from improviser.music.pitch import IntArray

Means = npt.NDArray[np.float64]

# A mean counts as this many notes for the mean below it. The notes of a place scatter about as much as this many
# places do: 20 ms within a place and 8 ms between places.
PSEUDO: Final = 6.0
# The weight of a note falls to 1/e in this many bars.
MEMORY_BARS: Final = 16.0
# The metrical levels: sixteenth, eighth, beat and stronger.
LEVEL_COUNT: Final = 3
# A note further from its place's mean counts as one this far away, in beats, so that a slip does little.
OFFSET_REACH: Final = 0.06
# The same for a logarithm of velocity: a factor of two.
ACCENT_REACH: Final = 0.7
# The player's mean velocity follows about the last 16 notes.
VELOCITY_PACE: Final = 1 / 16
# The spread of a pianist's velocities, as the standard deviation of their logarithm, and the notes that it counts as.
# Source: the piano parts of POP909 (`improviser evaluate feel`).
SPREAD: Final = 0.14
SPREAD_PSEUDO: Final = 48.0
# The share of notes that are tied to the next before any was heard.
TIES: Final = 0.8
# The share of the time to the next note for which the others sound, and its standard deviation.
GATE, GATE_SPREAD = 0.75, 0.15
GATE_PSEUDO: Final = 8.0
# From this share on a note is tied to the next.
TIED: Final = 0.97


@dataclass(frozen=True, slots=True)
class PlaceFeel:
    """How the player plays at one place in the bar.

    Attributes:
        offset_beats: How much later than at other places the notes come, in beats; below 0: earlier.
        accent: Logarithm of the velocity's ratio to the player's mean.
        spread: Standard deviation of that logarithm.
        ties: Share of the notes that are tied to the next.
        gate: Mean share of the time to the next note for which the others sound.
        gate_spread: Standard deviation of that share.
    """

    offset_beats: float
    accent: float
    spread: float
    ties: float
    gate: float
    gate_spread: float


@dataclass(slots=True)
class _Sum:
    """A weighted sum of values, and its weight."""

    total: float = 0.0
    weight: float = 0.0

    def mean(self, prior: float) -> float:
        """Return the mean, with PSEUDO values of `prior` beside those counted."""
        return (self.total + PSEUDO * prior) / (self.weight + PSEUDO)


class PlaceMeans:
    """Means of a value at the places in a bar, shrunk to the metrical level, to the whole and to a prior."""

    def __init__(self, levels: IntArray, prior: Means) -> None:
        """Start with nothing heard. The arguments are those of `set_bar`."""
        self._whole = _Sum()
        self._by_level = [_Sum() for _ in range(LEVEL_COUNT)]
        self._levels, self._prior = levels.tolist(), prior.tolist()
        self._by_place = [_Sum() for _ in self._levels]

    def set_bar(self, levels: IntArray, prior: Means) -> None:
        """Use another bar. What was heard stays: at its places if the levels are the same, else of the levels only.

        Args:
            levels: (steps,) metrical level of each step of the bar, 0 to LEVEL_COUNT - 1.
            prior: (steps,) the mean before anything is heard.
        """
        before, self._levels, self._prior = self._levels, levels.tolist(), prior.tolist()
        if before != self._levels:
            self._by_place = [_Sum() for _ in self._levels]

    def fade(self, factor: float) -> None:
        """Multiply the weight of all that was heard by `factor`."""
        for heard in (self._whole, *self._by_level, *self._by_place):
            heard.total *= factor
            heard.weight *= factor

    def add(self, place: int, value: float) -> None:
        """Count a value at a step of the bar."""
        above = value - self._prior[place]
        for heard in (self._whole, self._by_level[self._levels[place]], self._by_place[place]):
            heard.total += above
            heard.weight += 1.0

    def move(self, by: Means) -> None:
        """Add `by`, (steps,), to the values that were counted at each place."""
        for place, (level, heard) in enumerate(zip(self._levels, self._by_place, strict=True)):
            moved = heard.weight * float(by[place])
            for each in (self._whole, self._by_level[level], heard):
                each.total += moved

    @property
    def whole(self) -> float:
        """The mean of all places above the prior."""
        return self._whole.mean(0.0)

    def mean(self, place: int) -> float:
        """Return the mean at a step of the bar."""
        by_level = self._by_level[self._levels[place]].mean(self.whole)
        return float(self._prior[place]) + self._by_place[place].mean(by_level)


class Spread:
    """The standard deviation of values around their means, with a prior."""

    def __init__(self, prior: float, pseudo: float) -> None:
        """Start at `prior`, which counts as `pseudo` values."""
        self._prior, self._pseudo = prior, pseudo
        self._squares = self._weight = 0.0

    def fade(self, factor: float) -> None:
        """Multiply the weight of all that was heard by `factor`."""
        self._squares *= factor
        self._weight *= factor

    def add(self, deviation: float) -> None:
        """Count a value's distance from its mean."""
        self._squares += deviation * deviation
        self._weight += 1

    @property
    def value(self) -> float:
        """The standard deviation."""
        squares = self._squares + self._pseudo * self._prior**2
        return sqrt(squares / (self._weight + self._pseudo))


@dataclass(frozen=True, slots=True)
class BarFeel:
    """The places of a bar, with the feel that is expected before the player's is known.

    Attributes:
        levels: (steps,) metrical level of each step, 0 to LEVEL_COUNT - 1.
        offsets: (steps,) offset from the grid in beats.
        accents: (steps,) logarithm of the velocity's ratio to the mean.
    """

    levels: IntArray
    offsets: Means
    accents: Means

    @classmethod
    def plain(cls, levels: IntArray) -> BarFeel:
        """Return a bar on the grid, without accents."""
        return cls(levels, np.zeros(len(levels)), np.zeros(len(levels)))

    @property
    def steps(self) -> int:
        """The number of steps in the bar."""
        return len(self.levels)


class Feel:
    """Learns how the player plays at each place in the bar."""

    def __init__(self, bar: BarFeel) -> None:
        """Start with what is expected of the bar."""
        self._bar = bar
        self._offsets = PlaceMeans(bar.levels, bar.offsets)
        self._accents = PlaceMeans(bar.levels, bar.accents)
        self._ties = PlaceMeans(bar.levels, np.full(bar.steps, TIES))
        self._gates = PlaceMeans(bar.levels, np.full(bar.steps, GATE))
        self._spread = Spread(SPREAD, SPREAD_PSEUDO)
        self._gate_spread = Spread(GATE_SPREAD, GATE_PSEUDO)
        self._log_velocity: float | None = None
        self._step = 0

    def set_bar(self, bar: BarFeel) -> None:
        """Use another bar; what was heard of its metrical levels stays."""
        self._bar = bar
        self._offsets.set_bar(bar.levels, bar.offsets)
        self._accents.set_bar(bar.levels, bar.accents)
        self._ties.set_bar(bar.levels, np.full(bar.steps, TIES))
        self._gates.set_bar(bar.levels, np.full(bar.steps, GATE))

    def hear(self, step: int, place: int, offset_beats: float, velocity: int) -> None:
        """Count an onset.

        Args:
            step: Number of its step, which only serves to forget.
            place: Step in the bar.
            offset_beats: How much later than its step it came, in beats.
            velocity: 1-127.
        """
        self._forget(step)
        mean = self._offsets.mean(place)
        self._offsets.add(place, mean + _bounded(offset_beats - mean, OFFSET_REACH))
        loudness = log(velocity)
        if self._log_velocity is None:
            self._log_velocity = loudness
        accent = _bounded(loudness - self._log_velocity, ACCENT_REACH)
        self._spread.add(accent - self._accents.mean(place))
        self._accents.add(place, accent)
        self._log_velocity += VELOCITY_PACE * (loudness - self._log_velocity)

    def hear_gate(self, place: int, gate: float) -> None:
        """Count a note that began at the step `place` of the bar and sounded for `gate` of the time to the next."""
        self._ties.add(place, float(gate >= TIED))
        if gate < TIED:
            self._gate_spread.add(gate - self._gates.mean(place))
            self._gates.add(place, gate)

    def move(self, by: Means) -> None:
        """Add `by`, (steps,) in beats, to the offsets heard, because the grid moved the other way."""
        self._offsets.move(by)

    def at(self, place: int) -> PlaceFeel:
        """Return the player's feel at a step of the bar."""
        return PlaceFeel(
            offset_beats=self._offsets.mean(place) - self._offsets.whole,
            accent=self._accents.mean(place),
            spread=self._spread.value,
            ties=self._ties.mean(place),
            gate=self._gates.mean(place),
            gate_spread=self._gate_spread.value,
        )

    def _forget(self, step: int) -> None:
        """Weaken what was heard by the time since the last onset, at most a bar: a rest is no change of feel."""
        bars = min(1.0, max(0, step - self._step) / self._bar.steps)
        self._step = step
        if bars:
            factor = exp(-bars / MEMORY_BARS)
            for heard in (self._offsets, self._accents, self._ties, self._gates, self._spread, self._gate_spread):
                heard.fade(factor)


def _bounded(value: float, reach: float) -> float:
    """Return `value`, at most `reach` away from 0."""
    return max(-reach, min(reach, value))
