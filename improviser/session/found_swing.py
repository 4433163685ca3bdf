"""The swing of a recorded player, from which the steps of a quantised take are found."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from improviser.listening.pocket.swing import NO_SWING, Swing, SwingTracker

if TYPE_CHECKING:
    from collections.abc import Iterable

# A swing is known this many beats after it begins, so each beat has the swing that is found so much later.
_KNOWN_BEATS: Final = 32.0


class FoundSwing:
    """The swing at each beat of a recording."""

    def __init__(self, swings: Iterable[tuple[float, Swing]]) -> None:
        """Use swings, each with the beat at which it was found; there is at least one."""
        self._beats, self._swings = zip(*swings, strict=True)

    def straight(self, beat: float) -> float:
        """Return the position on the straight grid that is played at `beat`."""
        place = bisect_left(self._beats, beat + _KNOWN_BEATS)
        swing: Swing = self._swings[min(place, len(self._swings) - 1)]
        return swing.straight(beat)


def set_swing(share: float) -> FoundSwing:
    """Return a swing that stays; see `Swing.share`."""
    return FoundSwing([(0.0, Swing(share))])


def find_swing(onsets: Iterable[float]) -> FoundSwing:
    """Return the swing of a player whose onsets are on these beats, in order."""
    tracker, whole = SwingTracker(), None
    swings = [(0.0, NO_SWING)]
    for beat in onsets:
        tracker.hear(beat)
        if beat // 1 != whole:
            whole = beat // 1
            swings.append((beat, tracker.follow()))
    return FoundSwing(swings[1:] or swings)
