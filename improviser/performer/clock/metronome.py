"""Clicks on each beat on a channel of its own: in a count-in, and after it if wanted.

A beat is the unit in which a bar is counted: dotted quarters in 6/8, 2 + 2 + 3 eighths in 7/8.

Source: General MIDI 1, percussion on channel 10: 76 high, 77 low wood block.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.accent import BEAT_LEVEL, LEVELS
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT, Meter
from improviser.protocol import CLICK_CHANNEL

if TYPE_CHECKING:
    from improviser.engine import Engine

DOWNBEAT, BEAT = NoteOn(CLICK_CHANNEL, 76, 110), NoteOn(CLICK_CHANNEL, 77, 80)
CLICK_S: Final = 0.05
# A beat that has passed by up to this share of a beat still clicks: the first one is known only after it is played.
_LATE_BEATS: Final = 0.05
# The distance between two clicks is half a beat or more.
_BETWEEN_BEATS: Final = 0.25


class Metronome:
    """Clicks along with an engine.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, *, always: bool) -> None:
        """Click always, or only in the count-in."""
        self._always = always
        self._next: float | None = None

    def next_due_s(self, engine: Engine) -> float | None:
        """Return when the next click is due, or None if there is none."""
        return None if self._next is None or not self._is_wanted(self._next) else engine.s_at(self._next)

    def due(self, engine: Engine, now_s: float, through_s: float) -> list[TimedMessage]:
        """Return the clicks, with their note-offs, that are due up to the time `through_s`."""
        if not engine.is_rolling:
            self._next = None
            return []
        meter = Meter(*engine.settings.meter)
        if self._next is None or abs(engine.beat_at(now_s) - self._next) > meter.bar_beats:
            self._next = _click_from(engine.beat_at(now_s) - _LATE_BEATS, meter)
        messages: list[TimedMessage] = []
        while self._is_wanted(self._next) and (due_s := engine.s_at(self._next)) <= through_s:
            is_downbeat = self._next % meter.bar_beats == 0
            messages += [
                TimedMessage(max(due_s, now_s), DOWNBEAT if is_downbeat else BEAT),
                TimedMessage(
                    max(due_s, now_s) + CLICK_S,
                    NoteOff(CLICK_CHANNEL, (DOWNBEAT if is_downbeat else BEAT).note),
                ),
            ]
            self._next = _click_from(self._next + _BETWEEN_BEATS, meter)
        return messages

    def _is_wanted(self, beat: float) -> bool:
        """Return whether a beat gets a click."""
        return self._always or beat < 0


def _click_from(beat: float, meter: Meter) -> float:
    """Return the first counted beat of a bar in a meter that is at `beat` or later."""
    bar = math.floor(beat / meter.bar_beats) * meter.bar_beats
    levels = LEVELS[METERS.index(meter), : meter.bar_sixteenths]
    places = np.flatnonzero(levels >= BEAT_LEVEL) / SIXTEENTHS_PER_BEAT
    return next((bar + float(place) for place in places if bar + place >= beat), bar + meter.bar_beats)
