"""Turns gestures into notes: velocity follows the player's, accents follow the meter or the player."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import Gesture, GestureKind

# Dynamics: a partner plays a little softer than the lead, and accents strong positions.
# Source: the accent sizes of performance rules, 2-4 dB: A. Friberg, R. Bresin and J. Sundberg (2006).
UNDER: Final = 0.85
ACCENT: Final = 18.0
VELOCITY_MIN, VELOCITY_MAX = 20, 120
# The player's mean velocity in the accents that are expected before any was heard.
USUAL_VELOCITY: Final = 80.0


@dataclass(frozen=True, slots=True)
class Dynamics:
    """The velocity of one gesture.

    Attributes:
        touch: The player's mean velocity, 1-127.
        strength: The metrical strength of the step, 0-1.
        feel: 0: improviser's own accents; 1: the player's; 2: twice as far.
        accent: The player's accent: logarithm of the velocity's ratio to the mean.
        scatter: Logarithm of a factor for each note, lowest first; empty: 1.
    """

    touch: float
    strength: float
    feel: float = 0.0
    accent: float = 0.0
    scatter: tuple[float, ...] = ()

    def velocity(self, index: int) -> int:
        """Return the velocity of the gesture's note number `index`."""
        mean = self.touch * UNDER
        own = mean + ACCENT * (self.strength - 0.5)
        if self.feel:
            scatter = self.scatter[index] if self.scatter else 0.0
            own *= (mean * math.exp(self.accent) / max(own, 1.0)) ** self.feel * math.exp(self.feel * scatter)
        return min(VELOCITY_MAX, max(VELOCITY_MIN, round(own)))


def own_accent(strength: float) -> float:
    """Return improviser's own accent at a metrical strength 0-1, as a logarithm of the ratio to the mean velocity."""
    return math.log1p(ACCENT * (strength - 0.5) / (USUAL_VELOCITY * UNDER))


class Phrase:
    """Turns one gesture per step into note-ons and note-offs on one channel (0-15); tracks the held notes."""

    def __init__(self, channel: int) -> None:
        """Start silent."""
        self._channel = channel
        self._notes: tuple[int, ...] = ()
        self._struck: tuple[int, ...] = ()
        self._end_s: float | None = None

    @property
    def notes(self) -> tuple[int, ...]:
        """The held notes, even if their sound was ended early; empty in silence."""
        return self._notes

    @property
    def struck(self) -> tuple[int, ...]:
        """The notes struck last, whether they still sound or not; empty before the first."""
        return self._struck

    @property
    def can_release(self) -> bool:
        """Whether notes sound that `release` can end early."""
        return bool(self._notes) and self._end_s is None

    def play(self, gesture: Gesture, due_s: float, dynamics: Dynamics) -> list[TimedMessage]:
        """Return the messages of a gesture that is due at `due_s`, in monotonic seconds."""
        if gesture.kind is GestureKind.HOLD:
            return []
        messages = self.end(due_s)
        if gesture.notes:
            messages += [
                TimedMessage(due_s, NoteOn(self._channel, note, dynamics.velocity(index)))
                for index, note in enumerate(gesture.notes)
            ]
            self._notes = self._struck = gesture.notes
            self._end_s = None
        return messages

    def release(self, due_s: float) -> list[TimedMessage]:
        """Return the note-offs that end the held notes early, at `due_s`. They count as held until their end."""
        messages = self._offs(due_s) if self.can_release else []
        self._end_s = due_s
        return messages

    def end(self, due_s: float) -> list[TimedMessage]:
        """End the held notes; return the note-offs of those that sound until then."""
        messages = self._offs(due_s) if self._end_s is None or self._end_s > due_s else []
        self._notes = ()
        return messages

    def _offs(self, due_s: float) -> list[TimedMessage]:
        """Return the note-offs of the held notes."""
        return [TimedMessage(due_s, NoteOff(self._channel, note)) for note in self._notes]

    def forget(self) -> None:
        """Forget the sounding notes, because something else has ended them."""
        self._notes = ()
