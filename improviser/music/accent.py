"""How strong each place in a bar is.

Places are counted in sixteenths, so that every grid of 1 to 4 steps a beat reads one table.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.meter import COMMON, GROUPS, MAX_BAR_SIXTEENTHS, METERS, PLAIN, SIX, Meter

STRONG: Final = 0.75


def _plain_strengths(meter: Meter) -> npt.NDArray[np.float32]:
    """Return the strength in [0, 1] of each sixteenth of a bar of a plain meter.

    Source: the metrical hierarchy of Lerdahl and Jackendoff (1983), one level lower, one step weaker.
    """
    bar = meter.bar_sixteenths
    table = np.zeros(bar, dtype=np.float32)
    table[::2] = 0.25
    if meter == SIX:  # the bar halves into two dotted beats
        table[6] = STRONG
    else:
        table[::4] = 0.5
    if meter == COMMON:
        table[8] = STRONG
    table[0] = 1.0
    return table


def _strengths(meter: Meter) -> npt.NDArray[np.float32]:
    """Return the strength of each sixteenth of a bar, zero-padded; its later groups begin strongly only."""
    bars = [_plain_strengths(plain)[:length] for plain, length in GROUPS[meter]]
    for later in bars[1:]:
        later[0] = STRONG
    table = np.concatenate(bars)
    return np.pad(table, (0, MAX_BAR_SIXTEENTHS - len(table)))


def _counted(meter: Meter) -> npt.NDArray[np.uint8]:
    """Return the position and the row of PLAIN as which each sixteenth of a bar is counted, zero-padded."""
    places = [(at, PLAIN.index(plain)) for plain, length in GROUPS[meter] for at in range(length)]
    return np.pad(np.array(places, dtype=np.uint8), ((0, MAX_BAR_SIXTEENTHS - len(places)), (0, 0)))


# STRENGTHS[row of METERS, sixteenth in bar]
STRENGTHS: Final = np.stack([_strengths(meter) for meter in METERS])
# The same in quarters, 0-4.
LEVELS: Final = (STRENGTHS * 4).astype(np.int64)
# The level of a plain beat; what is weaker lies between beats.
BEAT_LEVEL: Final = 2
# COUNTED_AS[row of METERS, sixteenth in bar]: sixteenth in the bar of a plain meter, row of PLAIN
COUNTED_AS: Final = np.stack([_counted(meter) for meter in METERS])
