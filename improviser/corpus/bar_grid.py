"""Puts written bars on a regular grid of bar lines, so that upbeats and endings keep the phase of the meter.

Repeats are not expanded, so first and second endings follow each other, each shorter than a bar where the
section has an upbeat. Laid end to end they would shift every later downbeat. A short bar is therefore
padded: before it where it opens a section (an upbeat), after it where it closes one (an ending). Any other
bar of a wrong length is a slip of the transcription: too short, it is padded; too long, its rest is
dropped. The bars end where there are too many slips, or where the meter changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS_PER_SLIP = 8
"""One slip in so many bars is mended, and one more."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar as written: its length, and whether a section opens or closes at it.

    `in_meter` is False where another meter is written in the bar, `restores` True where the piece's own is.
    """

    length_ticks: int
    opens: bool = False
    closes: bool = False
    in_meter: bool = True
    restores: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """The start tick of each bar, None for the rest of an overfull one, and how many slips were mended."""

    starts: list[int | None]
    slips: int


def place_bars(bars: Sequence[Bar], bar_ticks: int) -> Placement:
    """Return the places of the bars on the grid, up to the first that fits none."""
    starts: list[int | None] = []
    cursor = slips = 0
    for index, (bar, following) in enumerate(zip_longest(bars, bars[1:])):
        place = _place(bar, following, cursor, bar_ticks)
        if place is None or slips + place.is_slip > 1 + index // BARS_PER_SLIP:
            break
        slips += place.is_slip
        starts.append(place.start)
        cursor = cursor if place.start is None else place.start + bar.length_ticks
    return Placement(starts, slips)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one bar starts, None where it is dropped, and whether that mends a slip."""

    start: int | None
    is_slip: bool = False


def _place(bar: Bar, following: Bar | None, cursor: int, bar_ticks: int) -> _Place | None:
    """Return the place of a bar, or None where it fits no grid."""
    if not bar.in_meter:
        is_rest = following is not None and following.restores
        return _Place(None, is_slip=True) if is_rest else None
    if bar.length_ticks > bar_ticks and bar.length_ticks % bar_ticks:
        return None
    phase = cursor % bar_ticks
    if phase + bar.length_ticks > bar_ticks:
        cursor, phase = cursor + (-cursor % bar_ticks), 0
    return _place_within(bar, following, cursor, bar_ticks - phase)


def _place_within(bar: Bar, following: Bar | None, cursor: int, room: int) -> _Place:
    """Return the place of a bar of which `room` ticks are left before the next bar line."""
    gap = room - bar.length_ticks
    is_completed = following is not None and following.length_ticks == gap and not bar.opens
    if gap <= 0 or not bar.length_ticks or is_completed or bar.closes or following is None:
        return _Place(cursor)
    if bar.opens:
        return _Place(cursor + gap)
    return _Place(cursor, is_slip=True)
