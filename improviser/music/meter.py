"""Meters, and how their bars are counted.

Four meters are plain; models are trained in these. A bar of any other meter is counted as a sequence of plain
bars, or parts of them: 7/8 as 2 + 2 + 3 eighths, 5/4 as 3 + 2 quarters, 3/2 as three times two quarters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SIXTEENTHS_PER_BEAT: Final = 4
EIGHTHS_PER_BEAT: Final = 2
EIGHTH: Final = 8
# A tolerance, so that a beat rounded to microseconds is still counted in the bar that it begins.
SLACK_BARS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature. The beat is always a quarter note: a bar of 6/8 has 3 beats, a bar of 7/8 has 3.5."""

    numerator: int
    denominator: int

    @property
    def bar_beats(self) -> float:
        """The number of quarter notes in a bar."""
        return self.numerator * 4 / self.denominator

    @property
    def felt_beats(self) -> float:
        """The number of quarter notes in a beat as it is felt: 1.5 in 6/8, else that of the lower number."""
        is_in_threes = self.denominator >= EIGHTH and self.numerator % 3 == 0
        return (3 if is_in_threes else 1) * 4 / self.denominator

    def bar_at(self, beat: float) -> int:
        """Return the number of the bar that contains `beat`: bar 1 begins at beat 0, a count-in has bars 0 and below.

        The terminal, the page (names.js) and `improviser explain` all show this number.
        """
        return math.floor(beat / self.bar_beats + SLACK_BARS) + 1

    @property
    def bar_sixteenths(self) -> int:
        """The number of sixteenths in a bar."""
        return self.numerator * 16 // self.denominator

    def bar_steps(self, steps_per_beat: int) -> int:
        """Return the grid steps in a bar; raise UsageError if a bar is not a whole number of steps."""
        steps, rest = divmod(self.numerator * 4 * steps_per_beat, self.denominator)
        if rest:
            raise UsageError(f"a bar of {self.name} does not fit a grid of {steps_per_beat} a beat; choose 2 or 4")
        return steps

    @property
    def name(self) -> str:
        """The time signature as written: "6/8"."""
        return f"{self.numerator}/{self.denominator}"


COMMON, TWO, THREE, SIX = PLAIN = (Meter(4, 4), Meter(2, 4), Meter(3, 4), Meter(6, 8))
# A plain meter, and how many sixteenths of it are counted.
Group = tuple[Meter, int]
DENOMINATORS: Final = (1, 2, 4, 8, 16)
# Four whole notes.
MAX_BAR_SIXTEENTHS: Final = 64
# The usual grouping of a bar, for plain meters and for those where `_groups` would differ from it.
_USUAL: Final[Mapping[Meter, tuple[Group, ...]]] = {
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


def _groups(meter: Meter) -> tuple[Group, ...]:
    """Return the groups of a bar of any meter, depending on its denominator."""
    count = meter.numerator
    match meter.denominator:
        case 1:
            return ((COMMON, 16),) * count
        case 2:
            return ((TWO, 8),) * count if count % 2 else ((COMMON, 16),) * (count // 2)
        case 4:
            return _quarters(count)
        case 8:
            return _eighths(count)
        case _:
            return _sixteenths(count)


def _quarters(count: int) -> tuple[Group, ...]:
    """Return groups of four quarters, then of three; one or two quarters are counted in 2/4."""
    fours = next((fours for fours in range(count // 4, -1, -1) if (count - 4 * fours) % 3 == 0), None)
    if fours is None:
        return ((TWO, 4 * count),)
    return ((COMMON, 16),) * fours + ((THREE, 12),) * ((count - 4 * fours) // 3)


def _eighths(count: int) -> tuple[Group, ...]:
    """Return groups of three eighths, paired as bars of 6/8, then of two; multiples of eight are bars of 4/4."""
    if count % 8 == 0:
        return ((COMMON, 16),) * (count // 8)
    threes = count // 3 - (count - count // 3) % 2 if count > 1 else 0
    rest = 2 * (count - 3 * threes)
    return ((SIX, 12),) * (threes // 2) + ((SIX, 6),) * (threes % 2) + (((TWO, rest),) if rest else ())


def _sixteenths(count: int) -> tuple[Group, ...]:
    """Return groups of eighths; an odd count ends with a group of three sixteenths."""
    if count % 2 == 0:
        return _eighths(count // 2)
    if count == 1:
        return ((TWO, 1),)
    return (*(_eighths((count - 3) // 2) if count > 3 else ()), (SIX, 3))  # noqa: PLR2004 - three sixteenths


def _all_groups() -> dict[Meter, tuple[Group, ...]]:
    """Return the groups of every supported meter, those of _USUAL first."""
    every = (
        Meter(numerator, denominator)
        for denominator in DENOMINATORS
        for numerator in range(1, MAX_BAR_SIXTEENTHS * denominator // 16 + 1)
    )
    return {**_USUAL, **{meter: _groups(meter) for meter in every if meter not in _USUAL}}


# The groups of each meter, in bar order. METERS and every table of accents have the same rows.
GROUPS: Final[Mapping[Meter, tuple[Group, ...]]] = _all_groups()
METERS: Final = tuple(GROUPS)


def parse_meter(text: str) -> Meter:
    """Return the meter that is written as `text`, such as "3/4".

    Raises:
        UsageError: The meter is not in METERS.
    """
    for meter in METERS:
        if meter.name == text:
            return meter
    msg = (
        f"'{text}' is not a supported meter. Write it as 3/4 or 7/8: the lower number is 1, 2, 4, 8 or 16, and a "
        "bar has at most four whole notes"
    )
    raise UsageError(msg)


def counted_as(meter: Meter) -> Meter:
    """Return the meter of METERS in which a bar of `meter`, which may be any time signature, is counted.

    A bar that is not a whole number of sixteenths is rounded up. A bar of more than four whole notes is counted as
    bars of 4/4; the next bar line cuts the last of them short.
    """
    numerator, denominator = meter.numerator, meter.denominator
    if Meter(numerator, denominator) in GROUPS:
        return meter
    sixteenths = math.ceil(numerator * 16 / denominator)
    return Meter(sixteenths, 16) if sixteenths <= MAX_BAR_SIXTEENTHS else COMMON
