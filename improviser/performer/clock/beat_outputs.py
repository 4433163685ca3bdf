"""Outputs that run along with the beat: MIDI clock and the metronome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.midi.message import STOP, TimedMessage
from improviser.performer.clock.clock_out import ClockOut
from improviser.performer.clock.metronome import Metronome

if TYPE_CHECKING:
    from improviser.engine import Engine
    from improviser.protocol import PerformerSettings


class BeatOutputs:
    """The beat outputs that the settings ask for.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, settings: PerformerSettings) -> None:
        """Create the outputs, which are silent at first."""
        self._clock_out = ClockOut() if settings.sends_clock else None
        clicks = settings.metronome or settings.count_in
        self.metronome = Metronome(always=settings.metronome) if clicks else None
        self._all = tuple(each for each in (self._clock_out, self.metronome) if each is not None)

    def next_due_s(self, engine: Engine) -> float | None:
        """Return when the next message is due, or None if there is none."""
        moments = (each.next_due_s(engine) for each in self._all)
        return min((moment for moment in moments if moment is not None), default=None)

    def due(self, engine: Engine, now_s: float, through_s: float) -> list[TimedMessage]:
        """Return the messages that are due up to the time `through_s`."""
        return [message for each in self._all for message in each.due(engine, now_s, through_s)]

    def end(self, engine: Engine, now_s: float) -> list[TimedMessage]:
        """Return the messages that end the clock for those who follow it."""
        return [TimedMessage(now_s, STOP)] if self._clock_out is not None and engine.is_rolling else []
