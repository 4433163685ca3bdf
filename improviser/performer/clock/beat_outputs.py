"""Outputs that run along with the beat: MIDI clock and the metronome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.midi.message import STOP, TimedMessage
from improviser.performer.clock.clock_out import ClockOut
from improviser.performer.clock.metronome import Metronome
from improviser.protocol import CLICK_CHANNEL

if TYPE_CHECKING:
    from improviser.engine import Engine
    from improviser.protocol import PerformerSettings


class BeatOutputs:
    """The beat outputs that the settings ask for.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, settings: PerformerSettings, channel: int) -> None:
        """Create the outputs, silent at first. There is no click if improviser plays on the click's `channel`."""
        self._clock_out = ClockOut() if settings.sends_clock else None
        self.metronome = Metronome(always=settings.metronome) if channel != CLICK_CHANNEL else None
        self._all = tuple(each for each in (self._clock_out, self.metronome) if each is not None)

    def count_in(self, beat: float) -> None:
        """Click from `beat` on, the first beat of a count-in."""
        if self.metronome is not None:
            self.metronome.count_in(beat)

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
