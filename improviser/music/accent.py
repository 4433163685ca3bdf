"""The metrical strength of each position in a bar.

Positions are counted in sixteenths, so that every grid of 1 to 4 steps per beat uses the same table.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.meter import COMMON, GROUPS, MAX_BAR_SIXTEENTHS, METERS, PLAIN, SIX, Meter

STRONG: Final = 0.75


def _plain_strengths(meter: Meter) -> npt.NDArray[np.float32]:
    """Return the strength in [0, 1] of each sixteenth of a bar of a plain meter.

    Source: the metrical hierarchy of Lerdahl and Jackendoff (1983). Each level lower is one step weaker.
    """
    bar = meter.bar_sixteenths
    table = np.zeros(bar, dtype=np.float32)
    table[::2] = 0.25
    if meter == SIX:  # the bar consists of two dotted beats
        table[6] = STRONG
    else:
        table[::4] = 0.5
    if meter == COMMON:
        table[8] = STRONG
    table[0] = 1.0
    return table


def _strengths(meter: Meter) -> npt.NDArray[np.float32]:
    """Return the strength of each sixteenth of a bar, zero-padded; groups after the first begin at STRONG, not at 1."""
    bars = [_plain_strengths(plain)[:length] for plain, length in GROUPS[meter]]
    for later in bars[1:]:
        later[0] = STRONG
    table = np.concatenate(bars)
    return np.pad(table, (0, MAX_BAR_SIXTEENTHS - len(table)))


def _counted(meter: Meter) -> npt.NDArray[np.uint8]:
    """Return for each sixteenth of a bar its position in a plain bar and that meter's row of PLAIN, zero-padded."""
    places = [(at, PLAIN.index(plain)) for plain, length in GROUPS[meter] for at in range(length)]
    return np.pad(np.array(places, dtype=np.uint8), ((0, MAX_BAR_SIXTEENTHS - len(places)), (0, 0)))


# STRENGTHS[row of METERS, sixteenth in bar]
STRENGTHS: Final = np.stack([_strengths(meter) for meter in METERS])
# The strengths times four, as whole numbers 0-4.
LEVELS: Final = (STRENGTHS * 4).astype(np.int64)
# The level of an ordinary beat. Weaker positions lie between the beats.
BEAT_LEVEL: Final = 2
# COUNTED_AS[row of METERS, sixteenth in bar]: sixteenth in the bar of a plain meter, row of PLAIN
COUNTED_AS: Final = np.stack([_counted(meter) for meter in METERS])
