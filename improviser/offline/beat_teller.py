"""Tells the beats of a performance one by one, each when it happens, from what was heard until then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.midi.message import NoteOn
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from improviser.listening.beat_tracker import BeatTracker, BeatView
    from improviser.midi.message import TimedMessage

# The clock is read this often, in seconds.
TICK_S: Final = 0.01
# A beat that a correction puts further back than this share of a beat is counted, but not told.
MOST_LATE_BEATS: Final = 0.15
# Two beats that are told are at least this share of a beat apart.
LEAST_GAP_BEATS: Final = 0.5


class BeatTeller:
    """Decides at each reading of the clock whether a beat is now."""

    def __init__(self) -> None:
        """Begin before the first beat."""
        self._told = -1
        self._told_s = -1e9

    def told(self, view: BeatView, now_s: float) -> float | None:
        """Return the moment of a beat that is told at `now_s`; None if there is none."""
        beat_s = S_PER_MINUTE / view.tempo_bpm
        at_s = max(view.at_s, now_s - TICK_S)
        if int(view.beat) <= self._told:
            return None
        self._told = int(view.beat)
        if now_s - view.at_s > MOST_LATE_BEATS * beat_s + TICK_S or at_s - self._told_s < LEAST_GAP_BEATS * beat_s:
            return None
        self._told_s = at_s
        return at_s


def beat_views(tracker: BeatTracker, heard: Iterable[TimedMessage], until_s: float) -> Iterator[tuple[float, BeatView]]:
    """Yield the tracker's view at each reading of the clock until `until_s`, from the first note on.

    Args:
        tracker: Hears the notes, each before the first reading at or after its moment.
        heard: The player's messages in the order of time.
        until_s: The moment at which the readings end.
    """
    readings = 0
    for timed in heard:
        while readings * TICK_S < timed.due_s:
            view = tracker.look(readings * TICK_S)
            if view is not None:
                yield readings * TICK_S, view
            readings += 1
        if isinstance(timed.message, NoteOn):
            tracker.hear(timed.due_s, timed.message.note, timed.message.velocity)
    while readings * TICK_S < until_s:
        view = tracker.look(readings * TICK_S)
        if view is not None:
            yield readings * TICK_S, view
        readings += 1
