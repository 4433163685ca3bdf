"""Clicks on each beat on a channel of its own: in a count-in, and after it if wanted.

A beat is the unit in which a bar is counted: dotted quarters in 6/8, 2 + 2 + 3 eighths in 7/8.

Source: General MIDI 1, percussion on channel 10: 76 high, 77 low wood block.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.counted_bars import CountedBars
from improviser.protocol import CLICK_CHANNEL

if TYPE_CHECKING:
    from improviser.engine import Engine

DOWNBEAT, BEAT = NoteOn(CLICK_CHANNEL, 76, 110), NoteOn(CLICK_CHANNEL, 77, 80)
CLICK_S: Final = 0.05
# A beat that has passed by up to this share of a beat still clicks: the first one is known only after it is played.
_LATE_BEATS: Final = 0.05
# The loop asks for clicks several times a second, so a beat that is further than this from the last one has jumped.
_JUMP_BEATS: Final = 4.0
# A click that is later than this is left out: the beat has jumped over it.
LATE_S: Final = 0.1
# Two clicks are at least half a quarter note apart.
_BETWEEN_BEATS: Final = 0.25


class Metronome:
    """Clicks along with an engine.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, *, always: bool) -> None:
        """Click always, or only in the count-in."""
        self._always = always
        self._next: float | None = None
        # The beat up to which clicks were given.
        self._given = 0.0
        self._first = -math.inf

    def count_in(self, beat: float) -> None:
        """Click from `beat` on, the first beat of a count-in, and not before it."""
        self._next, self._first = None, beat

    def next_due_s(self, engine: Engine) -> float | None:
        """Return when the next click is due, or None if there is none."""
        return None if self._next is None or not self._is_wanted(self._next) else engine.s_at(self._next)

    def due(self, engine: Engine, now_s: float, through_s: float) -> list[TimedMessage]:
        """Return the clicks, with their note-offs, that are due up to the time `through_s`."""
        if not engine.has_beat:
            self._next = None
            return []
        bars, beat = CountedBars(engine.meter, engine.bar_beat), max(engine.beat_at(now_s), self._first)
        if self._next is None or self._has_jumped(engine.beat_at(through_s)):
            self._next = bars.next_beat(max(beat - _LATE_BEATS, self._first))
        self._given = engine.beat_at(through_s)
        messages: list[TimedMessage] = []
        while self._is_wanted(self._next) and (due_s := engine.s_at(self._next)) <= through_s:
            if due_s < now_s - LATE_S:
                self._next = bars.next_beat(self._next + _BETWEEN_BEATS)
                continue
            is_downbeat = bars.place(self._next) == 0
            messages += [
                TimedMessage(max(due_s, now_s), DOWNBEAT if is_downbeat else BEAT),
                TimedMessage(
                    max(due_s, now_s) + CLICK_S,
                    NoteOff(CLICK_CHANNEL, (DOWNBEAT if is_downbeat else BEAT).note),
                ),
            ]
            self._next = bars.next_beat(self._next + _BETWEEN_BEATS)
        return messages

    def _has_jumped(self, beat: float) -> bool:
        """Return whether the beat has jumped since the last call, so that clicks would be missed or come at once."""
        return not -_LATE_BEATS <= beat - self._given <= _JUMP_BEATS

    def _is_wanted(self, beat: float) -> bool:
        """Return whether a beat gets a click."""
        return self._always or beat < 0
