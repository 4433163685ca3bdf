"""Sends the improviser's beat as MIDI clock: ticks, start, stop, continue and song position.

Source: MIDI 1.0: there are 24 ticks a beat. The first tick after a start or continue is at the position that was sent.
The song position counts sixteenths.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from improviser.listening.midi_clock import TICKS_PER_BEAT, TICKS_PER_SIXTEENTH
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition, TimedMessage

if TYPE_CHECKING:
    from improviser.engine import Engine

# If the beat is further than this from where the last tick left it, it has jumped.
JUMP_TICKS: Final = 0.5
# A song position has 14 bits.
_POSITIONS: Final = 1 << 14
# The beat begins with a note that has already been heard. So a position that has passed by up to this is sent.
_LATE_TICKS: Final = 1.0


class ClockOut:
    """Sends ticks along with an engine.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self) -> None:
        """Create a clock that has not started."""
        self._tick: int | None = None
        self._last_s = 0.0

    def next_due_s(self, engine: Engine) -> float | None:
        """Return when the next tick is due, or None if there is none."""
        return None if self._tick is None else engine.s_at(self._tick / TICKS_PER_BEAT)

    def due(self, engine: Engine, now_s: float, through_s: float) -> list[TimedMessage]:
        """Return the messages that are due up to the time `through_s`."""
        if not engine.is_rolling:
            return self._stopped(now_s)
        messages = self._located(engine, now_s)
        while self._tick is not None and (due_s := engine.s_at(self._tick / TICKS_PER_BEAT)) <= through_s:
            messages.append(TimedMessage(max(due_s, now_s), CLOCK))
            self._last_s = due_s
            self._tick += 1
        return messages

    def _stopped(self, now_s: float) -> list[TimedMessage]:
        """Return a stop if the clock was ticking."""
        if self._tick is None:
            return []
        self._tick = None
        return [TimedMessage(now_s, STOP)]

    def _located(self, engine: Engine, now_s: float) -> list[TimedMessage]:
        """Return the messages that say where the beat is, if it has just begun or has jumped."""
        messages: list[TimedMessage] = []
        if self._tick is not None:
            expected = self._tick - 1
            if abs(engine.beat_at(self._last_s) * TICKS_PER_BEAT - expected) <= JUMP_TICKS:
                return messages
            messages.append(TimedMessage(now_s, STOP))
        ticks = engine.beat_at(now_s) * TICKS_PER_BEAT
        sixteenth = max(0, math.ceil((ticks - _LATE_TICKS) / TICKS_PER_SIXTEENTH))
        self._tick = sixteenth * TICKS_PER_SIXTEENTH
        self._last_s = engine.s_at((self._tick - 1) / TICKS_PER_BEAT)
        if sixteenth == 0:
            return [*messages, TimedMessage(now_s, START)]
        position = SongPosition(sixteenth % _POSITIONS)
        return [*messages, TimedMessage(now_s, position), TimedMessage(now_s, CONTINUE)]
