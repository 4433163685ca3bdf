"""From gestures to notes: touch follows the player's, accents follow the meter."""

from __future__ import annotations

from typing import Final

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import Gesture, GestureKind

# Dynamics: a partner stays a little under the lead, and leans on strong positions.
# Source: the accent sizes of performance rules, 2-4 dB: A. Friberg, R. Bresin and J. Sundberg (2006).
UNDER: Final = 0.85
ACCENT: Final = 18.0
VELOCITY_MIN, VELOCITY_MAX = 20, 120


class Phrase:
    """Turns one gesture a step into note-ons and note-offs on one channel (0-15); knows what it holds."""

    def __init__(self, channel: int) -> None:
        """Start silent."""
        self._channel = channel
        self._note: int | None = None

    @property
    def note(self) -> int | None:
        """The note that sounds, None in silence."""
        return self._note

    def play(self, gesture: Gesture, due_s: float, touch: float, strength: float) -> list[TimedMessage]:
        """Give the messages of a gesture that is due at `due_s`.

        Args:
            gesture: What to do.
            due_s: When, in monotonic seconds.
            touch: The player's mean velocity, 1-127.
            strength: The metrical strength of the step, 0-1.
        """
        if gesture.kind is GestureKind.HOLD:
            return []
        messages = self.end(due_s)
        if gesture.note is not None:
            velocity = round(touch * UNDER + ACCENT * (strength - 0.5))
            bounded = min(VELOCITY_MAX, max(VELOCITY_MIN, velocity))
            messages.append(TimedMessage(due_s, NoteOn(self._channel, gesture.note, bounded)))
            self._note = gesture.note
        return messages

    def end(self, due_s: float) -> list[TimedMessage]:
        """Give the note-off of what sounds, if anything does."""
        if self._note is None:
            return []
        message = TimedMessage(due_s, NoteOff(self._channel, self._note))
        self._note = None
        return [message]

    def forget(self) -> None:
        """Hold nothing: somebody else has ended what sounded."""
        self._note = None
