"""Meters and how strong each of their grid positions is.

Positions are counted in sixteenths, so that every grid of 1 to 4 steps a beat reads one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.errors import UsageError

SIXTEENTHS_PER_BEAT: Final = 4
MAX_BAR_SIXTEENTHS: Final = 16
STRONG: Final = 0.75


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature; its beat is always a quarter note, so 6/8 has three beats a bar."""

    numerator: int
    denominator: int

    @property
    def bar_beats(self) -> int:
        """The quarter notes in a bar."""
        return self.numerator * 4 // self.denominator

    @property
    def bar_sixteenths(self) -> int:
        """The sixteenths in a bar."""
        return self.bar_beats * SIXTEENTHS_PER_BEAT

    @property
    def name(self) -> str:
        """The time signature as written: "6/8"."""
        return f"{self.numerator}/{self.denominator}"


METERS: Final = (Meter(4, 4), Meter(2, 4), Meter(3, 4), Meter(6, 8))


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


def _strengths(meter: Meter) -> npt.NDArray[np.float32]:
    """Give the strength in [0, 1] of each sixteenth of a bar, zero-padded to MAX_BAR_SIXTEENTHS.

    Source: the metrical hierarchy of Lerdahl and Jackendoff (1983), one level lower, one step weaker.
    """
    table = np.zeros(MAX_BAR_SIXTEENTHS, dtype=np.float32)
    bar = meter.bar_sixteenths
    table[0:bar:2] = 0.25
    if meter.denominator == 8:  # noqa: PLR2004 - compound: the bar halves into two dotted beats
        table[6] = STRONG
    else:
        table[0:bar:4] = 0.5
    if meter == Meter(4, 4):
        table[8] = STRONG
    table[0] = 1.0
    return table


# STRENGTHS[row of METERS, sixteenth in bar]
STRENGTHS: Final = np.stack([_strengths(meter) for meter in METERS])
# The same in quarters, 0-4.
LEVELS: Final = (STRENGTHS * 4).astype(np.int64)
# The level of a plain beat; what is weaker lies between beats.
BEAT_LEVEL: Final = 2
