"""Places written bars on a regular grid of bar lines, so that upbeats and endings keep the phase of the meter.

Repeats are not expanded, so a first ending is followed by the second one. Both are shorter than a bar if the section
has an upbeat, and laid end to end they would shift every later downbeat. A short bar is therefore padded: at its start
if it opens a section (an upbeat), at its end if it closes one (an ending). Any other bar of a wrong length is a slip of
the transcription. If it is too short, it is padded. If it is too long, its remainder is dropped. The result ends where
there are too many slips, or where the meter changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS_PER_SLIP = 8
"""One slip is repaired in each group of this many bars, and one more in the piece."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A written bar: its length, and whether it opens or closes a section.

    `in_meter` is False if another meter is written in the bar. `restores` is True if the piece's own meter is written.
    """

    length_ticks: int
    opens: bool = False
    closes: bool = False
    in_meter: bool = True
    restores: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """The start tick of each bar (None for the remainder of an overfull bar), and the number of repaired slips."""

    starts: list[int | None]
    slips: int


def place_bars(bars: Sequence[Bar], bar_ticks: int) -> Placement:
    """Return the places of the bars on the grid, up to the first bar that does not fit."""
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
    """The start of one bar (None if it is dropped), and whether this repairs a slip."""

    start: int | None
    is_slip: bool = False


def _place(bar: Bar, following: Bar | None, cursor: int, bar_ticks: int) -> _Place | None:
    """Return the place of a bar, or None if it does not fit."""
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
    """Return the place of a bar, with `room` ticks left before the next bar line."""
    gap = room - bar.length_ticks
    is_completed = following is not None and following.length_ticks == gap and not bar.opens
    if gap <= 0 or not bar.length_ticks or is_completed or bar.closes or following is None:
        return _Place(cursor)
    if bar.opens:
        return _Place(cursor + gap)
    return _Place(cursor, is_slip=True)
