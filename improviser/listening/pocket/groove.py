"""Grooves: the swing, offsets and accents of drummers in a style, as a prior of the player's feel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.errors import UsageError
from improviser.listening.pocket.feel import LEVEL_COUNT, BarFeel
from improviser.listening.pocket.groove_table import GROOVE_TABLE
from improviser.listening.pocket.swing import Swing
from improviser.music.accent import LEVELS
from improviser.music.meter import SIXTEENTHS_PER_BEAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.listening.pocket.feel import Means

# The sixteenths of a bar of 4/4. In other meters the first of them are used.
PLACES: Final = 16
MILLI: Final = 1000


@dataclass(frozen=True, slots=True)
class Groove:
    """How drummers of a style play a bar of 4/4.

    Attributes:
        swing: Their swing.
        offsets: PLACES offsets from the swung grid, in beats.
        accents: PLACES logarithms of the velocity's ratio to the mean.
    """

    swing: Swing
    offsets: tuple[float, ...]
    accents: tuple[float, ...]


def find_groove(name: str) -> Groove:
    """Return the groove `name` of GROOVE_NAMES.

    Raises:
        UsageError: There is no such groove.
    """
    if name not in GROOVE_TABLE:
        raise UsageError(f"no groove '{name}'; there are: {', '.join(GROOVE_NAMES)}")
    (share, unit_beats), offsets, accents = GROOVE_TABLE[name]
    return Groove(Swing(share, unit_beats), *(tuple(one / MILLI for one in row) for row in (offsets, accents)))


def expected_feel(row: int, steps_per_beat: int, accents: Means, groove: Groove | None) -> BarFeel:
    """Return the feel to expect of a bar.

    Args:
        row: The meter's row of METERS.
        steps_per_beat: 1-4.
        accents: (steps,) accents without a groove: logarithms of ratios to the mean velocity.
        groove: The groove that replaces them and adds offsets, if any.
    """
    steps = len(accents)
    sixteenths = np.arange(steps) * SIXTEENTHS_PER_BEAT / steps_per_beat
    levels = np.minimum(LEVELS[row, sixteenths.astype(np.int64)], LEVEL_COUNT - 1)
    if groove is None:
        return BarFeel(levels, np.zeros(steps), accents)
    return BarFeel(levels, _at(sixteenths, groove.offsets), _at(sixteenths, groove.accents))


def _at(sixteenths: Means, values: Sequence[float]) -> Means:
    """Return the values at some sixteenths of a bar, (steps,), in between by interpolation."""
    return np.interp(sixteenths % PLACES, np.arange(PLACES + 1), [*values, values[0]])


GROOVE_NAMES: Final = tuple(GROOVE_TABLE)
