"""Meters.

Four of them are plain; models are trained in these. A bar of any other one is counted as some plain bars, or
parts of them, in a row: 7/8 as 2 + 2 + 3 eighths, 5/4 as 3 + 2 quarters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SIXTEENTHS_PER_BEAT: Final = 4
# A beat that was rounded to microseconds still begins its bar.
SLACK_BARS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature; its beat is always a quarter note, so 6/8 has three beats a bar, and 7/8 3.5."""

    numerator: int
    denominator: int

    @property
    def bar_beats(self) -> float:
        """The quarter notes in a bar."""
        return self.numerator * 4 / self.denominator

    def bar_at(self, beat: float) -> int:
        """Return the number of the bar that `beat` is in: 1 from beat 0 on; a count-in's are 0 and below.

        This is the one count of bars: the terminal, the page (names.js) and `improviser explain` show it.
        """
        return math.floor(beat / self.bar_beats + SLACK_BARS) + 1

    @property
    def bar_sixteenths(self) -> int:
        """The sixteenths in a bar."""
        return self.numerator * 16 // self.denominator

    def bar_steps(self, steps_per_beat: int) -> int:
        """Give the steps in a bar of a grid. Raises UsageError where a bar is no whole number of them."""
        steps, rest = divmod(self.numerator * 4 * steps_per_beat, self.denominator)
        if rest:
            raise UsageError(
                f"a bar of {self.name} is no whole number of steps on a grid of {steps_per_beat} a beat; "
                "choose 2 or 4"
            )
        return steps

    @property
    def name(self) -> str:
        """The time signature as written: "6/8"."""
        return f"{self.numerator}/{self.denominator}"


COMMON, TWO, THREE, SIX = PLAIN = (Meter(4, 4), Meter(2, 4), Meter(3, 4), Meter(6, 8))
# Plain meters, and how many sixteenths of them are counted, in the order of the bar.
GROUPS: Final[Mapping[Meter, tuple[tuple[Meter, int], ...]]] = {
    **{meter: ((meter, meter.bar_sixteenths),) for meter in PLAIN},
    Meter(2, 2): ((COMMON, 16),),
    Meter(5, 4): ((THREE, 12), (TWO, 8)),
    Meter(6, 4): ((THREE, 12), (THREE, 12)),
    Meter(7, 4): ((COMMON, 16), (THREE, 12)),
    Meter(3, 8): ((SIX, 6),),
    Meter(5, 8): ((SIX, 6), (TWO, 4)),
    Meter(7, 8): ((TWO, 8), (SIX, 6)),
    Meter(9, 8): ((SIX, 12), (SIX, 6)),
    Meter(12, 8): ((SIX, 12), (SIX, 12)),
}
METERS: Final = tuple(GROUPS)


def parse_meter(text: str) -> Meter:
    """Give the meter that `text`, such as "3/4", names.

    Raises:
        UsageError: The text is none of the meters of METERS.
    """
    for meter in METERS:
        if meter.name == text:
            return meter
    msg = f"'{text}' is no meter that is known; choose one of {', '.join(meter.name for meter in METERS)}"
    raise UsageError(msg)
