"""The positions of bars on the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from improviser.music.meter import METERS

if TYPE_CHECKING:
    from improviser.listening.tempo import BeatClock
    from improviser.music.meter import Meter

# Two computations of the same step differ by less than this, in floating point.
SAME_STEP: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Bars:
    """A sequence of bars in one meter, from a step of the grid on.

    Attributes:
        row: The meter's row of METERS.
        steps: Steps in a bar, rounded up. If the grid does not fit the meter, the next bar line cuts the last step.
        first_step: The step on which the first of these bars begins.
        first_bar: The number of that bar.
    """

    row: int
    steps: int
    first_step: int = 0
    first_bar: int = 0

    @classmethod
    def of(cls, meter: Meter, steps_per_beat: int) -> Self:
        """Return bars of `meter`, one of METERS, from the first step on."""
        return cls(METERS.index(meter), max(1, math.ceil(meter.bar_beats * steps_per_beat)))

    def place(self, step: int) -> tuple[int, int]:
        """Return the bar that a step is in, and the step within the bar; both count from 0."""
        bars, in_bar = divmod(step - self.first_step, self.steps)
        return self.first_bar + bars, in_bar

    def next_line(self, step: int) -> int:
        """Return the first step at or after `step` on which a bar begins."""
        return step + (self.first_step - step) % self.steps

    def followed_by(self, meter: Meter, clock: BeatClock, at_s: float, steps_per_beat: int) -> Bars:
        """Return bars of `meter` from the moment `at_s` on, numbered after these.

        If no step falls on `at_s`, the clock is moved so that the next step does.
        """
        steps = clock.beat_at(at_s) * steps_per_beat
        first = math.ceil(steps - SAME_STEP)
        if first - steps > SAME_STEP:
            clock.anchor_bent(at_s, first / steps_per_beat)
        bar, in_bar = self.place(first)
        return replace(Bars.of(meter, steps_per_beat), first_step=first, first_bar=bar + (in_bar > 0))
