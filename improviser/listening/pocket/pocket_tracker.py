"""Follows the player's messages, and learns their pocket: feel, note lengths and swing."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.pocket.articulation import Articulation
from improviser.listening.pocket.feel import Feel
from improviser.listening.pocket.swing import NO_SWING, Swing, SwingTracker
from improviser.midi.message import NoteOn

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from improviser.listening.pocket.feel import BarFeel, PlaceFeel
    from improviser.listening.tempo import BeatClock
    from improviser.midi.message import Message

# The grids whose offbeats can swing: two and four steps per beat.
SWING_STEPS: Final = 2


class PocketTracker:
    """Learns the pocket of one player.

    Attributes:
        swing: The swing of the grid.
    """

    def __init__(self, clock: BeatClock, steps_per_beat: int, bar: BarFeel, start: Swing = NO_SWING) -> None:
        """Start with what is expected of a bar, and with the swing of the clock."""
        self._clock = clock
        self._steps_per_beat = steps_per_beat
        self._bar, self._first_step = bar, 0
        self._feel = Feel(bar)
        self._articulation = Articulation()
        self._swing_tracker = SwingTracker(start)
        self.swing = start

    def begin_bar(self, first_step: int, bar: BarFeel) -> None:
        """Count other bars from the step `first_step` of the grid on."""
        self._bar, self._first_step = bar, first_step
        self._feel.set_bar(bar)
        self._articulation = Articulation()  # the note struck last has its place in the bars before

    def hear(self, message: Message, at_s: float, sounding: AbstractSet[tuple[int, int]]) -> None:
        """Learn from a message of the player.

        Args:
            message: Any message.
            at_s: When it came, in monotonic seconds, less the player's usual lateness.
            sounding: The (channel, note) pairs of the player that sound after it.
        """
        beat = self._clock.straight_beat_at(at_s)
        if not isinstance(message, NoteOn):
            self._articulation.hear(sounding, beat)
            return
        step = floor(self._clock.beat_at(at_s) * self._steps_per_beat + 0.5)
        place = self.place(step)
        self._feel.hear(step, place, beat - self._straight_beat(step), message.velocity)
        self._swing_tracker.hear(beat)
        found = self._articulation.strike((message.channel, message.note), place, beat)
        if found is not None:
            self._feel.hear_gate(*found)

    def place(self, step: int) -> int:
        """Return the step within the bar of a step of the grid."""
        return (step - self._first_step) % self._bar.steps

    def at(self, step: int) -> PlaceFeel:
        """Return the player's feel at a step of the grid."""
        return self._feel.at(self.place(step))

    def follow_swing(self, amount: float) -> None:
        """Set the swing of the clock to `amount`, 0-1, of the player's; call it when the next step is on a beat."""
        found = self._swing_tracker.follow().scaled(amount)
        if found == self.swing or self._steps_per_beat % SWING_STEPS:
            return
        steps = range(self._first_step, self._first_step + self._bar.steps)
        before = np.array([self._straight_beat(step) for step in steps])
        self._clock.set_swing(found.share, found.unit_beats)
        self.swing = found
        self._feel.move(before - np.array([self._straight_beat(step) for step in steps]))

    def _straight_beat(self, step: int) -> float:
        """Return where a step of the grid falls, in beats without swing."""
        return self._clock.swung(step / self._steps_per_beat)
