"""Finds meter and bar lines in what the beat tracker hears, once it has heard the same for long enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.music.meter import COMMON, TWO

if TYPE_CHECKING:
    from improviser.listening.beat_tracker import BeatView
    from improviser.music.meter import Meter

# The bars change after the tracker has said the same on this many beats, and for this many bars; after each change
# for as many bars more, since a tracker that changes its mind is not sure.
SURE_BEATS: Final = 8
SURE_BARS: Final = 2
SURE_BARS_MAX: Final = 8
# Places in a bar that differ by less than this are the same.
_SAME_BEATS: Final = 0.3


class FoundBar(NamedTuple):
    """A bar line: its beat, and the meter of the bars from there on."""

    beat: float
    meter: Meter


class BarFinder:
    """Compares the tracker's bars with the engine's."""

    def __init__(self, meter: Meter | None = None) -> None:
        """Look for bars of one meter only if it is known."""
        self._meter = meter
        self._candidate: FoundBar | None = None
        self._beats = 0
        self._bars_needed = SURE_BARS
        self._last: int | None = None

    def bar_after(self, view: BeatView, beat: float, unit: float, now: FoundBar) -> FoundBar | None:
        """Return the first bar line after `beat` if bars have to be counted from it, else None.

        Args:
            view: What the tracker hears now.
            beat: The player's beat now, in quarter notes of the jam.
            unit: Quarter notes in a beat of the tracker.
            now: A bar line of the jam, and its meter.
        """
        if self._last == int(view.beat):
            return None
        self._last = int(view.beat)
        meter = now.meter if view.meter == TWO and now.meter == COMMON else view.meter
        found = FoundBar(beat - (view.beat_in_bar + view.beat % 1) * unit, meter)
        if self._meter not in {None, meter} or _is_same(found, now, view.meter.bar_beats):
            self._beats, self._candidate = 0, None
            return None
        is_again = self._candidate is not None and _is_same(found, self._candidate, meter.bar_beats)
        self._beats, self._candidate = (self._beats + 1 if is_again else 1), found
        if self._beats * unit < max(SURE_BEATS * unit, self._bars_needed * meter.bar_beats):
            return None
        self._beats = 0
        self._bars_needed = min(SURE_BARS_MAX, self._bars_needed + SURE_BARS)
        bars = 1 + int((beat - found.beat) / meter.bar_beats)
        return FoundBar(found.beat + bars * meter.bar_beats, meter)


def _is_same(one: FoundBar, other: FoundBar, bar_beats: float) -> bool:
    """Return whether two bar lines belong to the same bars, counted in `bar_beats`."""
    apart = one.beat - other.beat
    return one.meter == other.meter and abs(apart - bar_beats * round(apart / bar_beats)) < _SAME_BEATS
