"""The improviser's beat as MIDI clock, for others to follow: ticks, start, stop, continue, song position.

Source: MIDI 1.0: 24 ticks a beat, the first one after a start or continue being the place that was told; song
position in sixteenths.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from improviser.listening.midi_clock import TICKS_PER_BEAT, TICKS_PER_SIXTEENTH
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition, TimedMessage

if TYPE_CHECKING:
    from improviser.engine import Engine

# Where the beat is further than this from where the last tick left it, it has jumped.
JUMP_TICKS: Final = 0.5
# A song position has 14 bits.
_POSITIONS: Final = 1 << 14
# The beat begins with a note that has been heard already: a place that is so little past is still told.
_LATE_TICKS: Final = 1.0


class ClockOut:
    """Ticks along with an engine. Threads: the performer's beat only."""

    def __init__(self) -> None:
        """Start silent."""
        self._tick: int | None = None
        self._last_s = 0.0

    def next_due_s(self, engine: Engine) -> float | None:
        """Return when the next tick is due; None where none is."""
        return None if self._tick is None else engine.s_at(self._tick / TICKS_PER_BEAT)

    def due(self, engine: Engine, now_s: float, through_s: float) -> list[TimedMessage]:
        """Return what is due up to the moment `through_s`."""
        if not engine.is_rolling:
            return self._stopped(now_s)
        messages = self._located(engine, now_s)
        while self._tick is not None and (due_s := engine.s_at(self._tick / TICKS_PER_BEAT)) <= through_s:
            messages.append(TimedMessage(max(due_s, now_s), CLOCK))
            self._last_s = due_s
            self._tick += 1
        return messages

    def _stopped(self, now_s: float) -> list[TimedMessage]:
        """Return the stop, where it ticked."""
        if self._tick is None:
            return []
        self._tick = None
        return [TimedMessage(now_s, STOP)]

    def _located(self, engine: Engine, now_s: float) -> list[TimedMessage]:
        """Return what tells where the beat is, where it has just begun or has jumped."""
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
