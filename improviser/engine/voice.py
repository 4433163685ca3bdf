"""What improviser plays: its line, the notes that it holds, and how long they sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import Line
from improviser.music.accent import LEVELS
from improviser.playing.actions import NO_ACTION, GestureKind
from improviser.playing.phrase import Dynamics, Phrase

if TYPE_CHECKING:
    from improviser.agent.policy import Mix
    from improviser.engine.expression import Expression
    from improviser.engine.role import Role
    from improviser.engine.settled import SettledStep
    from improviser.listening.observation import Place
    from improviser.midi.message import TimedMessage
    from improviser.music.pitch import IntArray
    from improviser.playing.actions import Gesture

# Actions are kept for so many steps: 64 bars of 4/4 in sixteenths.
MEMORY_STEPS: Final = 1024


@dataclass(frozen=True, slots=True)
class Touch:
    """How a gesture is played.

    Attributes:
        due_s: When its notes are due, in seconds.
        velocity: The velocity that ours follows.
        feel: How far the expression is the player's, 0-2.
    """

    due_s: float
    velocity: float
    feel: float


@dataclass(frozen=True, slots=True)
class Ending:
    """A step whose notes may end early, if the next step probably ends them.

    Attributes:
        due_s: When the step's messages are due, in seconds.
        mix: How the values of the next decision are combined, without preferences.
    """

    due_s: float
    mix: Mix


class Voice:
    """The one voice that improviser plays in a role.

    Attributes:
        line: What was played, up to the last recorded step. It is replaced and never changed.
        touch: How the last step was played.
    """

    def __init__(self, role: Role, grid: tuple[IntArray, IntArray], channel: int, expression: Expression) -> None:
        """Start silent.

        Args:
            role: The role that is played.
            grid: Steps per beat and per bar, (1,) each.
            channel: 0-15.
            expression: Shapes the notes.
        """
        self.line = Line(*grid)
        self._role, self._expression = role, expression
        self._phrase = Phrase(channel)
        self.touch = Touch(-math.inf, 0.0, 0.0)
        self._held_steps = 0
        self._unrecorded: SettledStep | None = None
        self._actions = np.full(MEMORY_STEPS, NO_ACTION, dtype=np.int16)
        self._early: list[TimedMessage] = []

    @property
    def notes(self) -> tuple[int, ...]:
        """The held notes, even if their sound was ended early; empty in silence."""
        return self._phrase.notes

    @property
    def struck(self) -> tuple[int, ...]:
        """The notes struck last, whether they still sound or not; empty before the first."""
        return self._phrase.struck

    @property
    def may_end_early(self) -> bool:
        """Whether notes sound that are detached from what follows."""
        return self._phrase.can_release and self._expression.is_detached

    def can_hold(self, longest_steps: int) -> bool:
        """Return whether there are notes that may be held for another step, and for `longest_steps` at most."""
        return bool(self.notes) and self._held_steps + 1 < longest_steps

    def set_bar(self, bar_steps: int) -> None:
        """Count bars of `bar_steps` steps from the next step on."""
        self.line = self.line.copy()
        self.line.set_bar(bar_steps)

    def play(self, gesture: Gesture, step: int, place: Place, touch: Touch) -> list[TimedMessage]:
        """Play a gesture in step number `step`, at `place`; return its messages."""
        self.touch = touch
        strength = float(LEVELS[place.meter, place.sixteenth][0]) / 4
        dynamics = Dynamics(touch.velocity, strength)
        if gesture.notes:
            dynamics = self._expression.strike(step, touch.due_s, touch.feel, dynamics, len(gesture.notes))
        self._held_steps = self._held_steps + 1 if gesture.kind is GestureKind.HOLD else 0
        return self._phrase.play(gesture, touch.due_s, dynamics)

    def mend(self, gesture: Gesture, played: SettledStep, before: Line, touch: Touch) -> list[TimedMessage]:
        """Play a gesture in place of that of a step, before which our line was `before`; return its messages."""
        self._early = [timed for timed in self._early if timed.due_s <= touch.due_s]
        self.line, self._unrecorded = before, played
        return self.play(gesture, played.decision.step, played.place, touch)

    def record_later(self, played: SettledStep) -> None:
        """Leave it to `record` to add a step that was just played, because it may still be mended."""
        self._unrecorded = played

    def leave_out(self) -> None:
        """Leave the step that was just played out of our line."""
        self._unrecorded = None

    def record(self) -> None:
        """Add the last step to our line."""
        if self._unrecorded is None:
            return
        played, self._unrecorded = self._unrecorded, None
        self.line = played.own = self.line.copy()
        action, step = played.decision.action, played.decision.step
        self.line.push(self._role.events(np.array([action]), played.place))
        self._actions[step % MEMORY_STEPS] = action

    def recalled(self, step: int, steps_ago: int) -> int:
        """Return the action that was played so many steps before a step; NO_ACTION if that is not known, or for 0."""
        return int(self._actions[(step - steps_ago) % MEMORY_STEPS]) if 0 < steps_ago <= MEMORY_STEPS else NO_ACTION

    def end_early(self, ending: Ending, next_due_s: float, chance: float) -> None:
        """End the held notes early, where the player would, if `chance` has it.

        Args:
            ending: The step in which they may end.
            next_due_s: When the next step's messages are due, in seconds.
            chance: The probability that the next step ends them.
        """
        end_s = self._expression.release_s(ending.due_s, next_due_s, chance)
        self._early += [] if end_s is None else self._phrase.release(end_s)

    def take_early(self) -> list[TimedMessage]:
        """Return the messages that end notes early; each is returned once."""
        early, self._early = self._early, []
        return early

    def end(self, due_s: float) -> list[TimedMessage]:
        """Return the messages that end all notes at `due_s`, or early."""
        return [timed for timed in self.take_early() if timed.due_s < due_s] + self._phrase.end(due_s)

    def forget(self) -> None:
        """Forget the held notes, because something else has ended them."""
        self._phrase.forget()
        self._early, self._held_steps = [], 0
