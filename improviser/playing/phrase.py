"""Turns gestures into notes: velocity follows the player's, accents follow the meter."""

from __future__ import annotations

from typing import Final

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import Gesture, GestureKind

# Dynamics: a partner plays a little softer than the lead, and accents strong positions.
# Source: the accent sizes of performance rules, 2-4 dB: A. Friberg, R. Bresin and J. Sundberg (2006).
UNDER: Final = 0.85
ACCENT: Final = 18.0
VELOCITY_MIN, VELOCITY_MAX = 20, 120


class Phrase:
    """Turns one gesture per step into note-ons and note-offs on one channel (0-15); tracks the held notes."""

    def __init__(self, channel: int) -> None:
        """Start silent."""
        self._channel = channel
        self._notes: tuple[int, ...] = ()
        self._struck: tuple[int, ...] = ()

    @property
    def notes(self) -> tuple[int, ...]:
        """The sounding notes; empty in silence."""
        return self._notes

    @property
    def struck(self) -> tuple[int, ...]:
        """The notes struck last, whether they still sound or not; empty before the first."""
        return self._struck

    def play(self, gesture: Gesture, due_s: float, touch: float, strength: float) -> list[TimedMessage]:
        """Return the messages of a gesture that is due at `due_s`.

        Args:
            gesture: What to play.
            due_s: The moment, in monotonic seconds.
            touch: The player's mean velocity, 1-127.
            strength: The metrical strength of the step, 0-1.
        """
        if gesture.kind is GestureKind.HOLD:
            return []
        messages = self.end(due_s)
        if gesture.notes:
            velocity = round(touch * UNDER + ACCENT * (strength - 0.5))
            bounded = min(VELOCITY_MAX, max(VELOCITY_MIN, velocity))
            messages += [TimedMessage(due_s, NoteOn(self._channel, note, bounded)) for note in gesture.notes]
            self._notes = self._struck = gesture.notes
        return messages

    def end(self, due_s: float) -> list[TimedMessage]:
        """End the sounding notes; return their note-offs."""
        notes, self._notes = self._notes, ()
        return [TimedMessage(due_s, NoteOff(self._channel, note)) for note in notes]

    def forget(self) -> None:
        """Forget the sounding notes, because something else has ended them."""
        self._notes = ()
