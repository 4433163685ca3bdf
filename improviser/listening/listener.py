"""Follows what the player plays, in the order of time, one grid step after the other.

A note belongs to the step that is nearest to it in the clock's view, after the player's habitual offset is taken off.
It counts for that step even if it is heard after the step was decided: the last steps stay open, and are computed anew
when something of them is heard.

A step can be computed any number of times before it is closed; `foresee` does so. If nothing is heard after that, the
last result is also that of the closed step. So the work is done while there is time, and a decision costs little.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.habit import Habit
from improviser.listening.heard_key import HeardKey
from improviser.listening.player import Player
from improviser.listening.punctuality import Punctuality
from improviser.listening.recurrence import Recurrence
from improviser.listening.window import NoteWindow
from improviser.midi.message import NoteOn
from improviser.music.meter import EIGHTHS_PER_BEAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.listening.pocket.pocket_tracker import PocketTracker
    from improviser.listening.tempo import BeatClock
    from improviser.listening.window import HeardStep
    from improviser.midi.message import Message
    from improviser.music.pitch import IntArray, Span
    from improviser.music.scale import Key

# The weight of the newest onset in the player's mean note, which so follows about the last eight onsets.
REGISTER_PACE: Final = 0.12
# The register moves when this mean is more than this many semitones away from it.
REGISTER_SLACK: Final = 7.0
# A note that ends up to this share of a step after the step began does not sound in it: people play legato.
RELEASE_STEPS: Final = 0.25
# A step stays open for so many steps after its moment: until the next one has been heard, because a key that comes up
# there covers nothing in this one.
OPEN_STEPS: Final = 1.5
# Two computations of the same moment differ by less than this, in floating point.
ROUNDING_STEPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of the player when a step is decided.

    Attributes:
        before: The player's state before the step; one lane.
        player: The player's state as if nothing more were heard of the step.
        heard: What was heard of the step.
        silence: For how many steps nothing has sounded, the step included.
        given: The chords that a chart gives in the step and a beat later, (1, 2); None without a chart.
    """

    before: Player
    player: Player
    heard: HeardStep
    silence: int
    given: IntArray | None = None


@dataclass(slots=True)
class _OpenStep:
    """A step of which something may still be heard, as it was last computed.

    Attributes:
        step: Its number.
        level: (1,) its metrical level.
        before: The player's state before it.
        heard: What was heard of it.
        after: The player's state after it.
    """

    step: int
    level: IntArray
    before: Player
    heard: HeardStep
    after: Player


class Listener:
    """Follows one player.

    Attributes:
        heard_key: The key, heard or locked, as it is known after the last closed step.
        habit: The player's habitual offset from the grid.
        punctuality: How far the player's last onsets were from their steps.
        player: The player's state after the last closed step, as far as it was heard; one lane.
        recurrence: How many bars ago the player played the same.
        register_note: About the middle of the player's register, 0 before the first note. It stays until the mean
            of the last notes is far from it, so that the player's tokens keep their base.
    """

    def __init__(
        self,
        grid: tuple[IntArray, IntArray],
        clock: BeatClock,
        locked: Key | None,
        pocket: PocketTracker | None = None,
        chart: Sequence[int] = (),
    ) -> None:
        """Start with silence.

        Args:
            grid: Steps per beat and per bar, (1,) each.
            clock: Maps a moment to a beat.
            locked: The key, if the player locked one.
            pocket: Learns the player's pocket, if anything does.
            chart: The chord of each eighth of a tune that goes round from beat 0 on: an index or NO_CHORD; empty: none.
        """
        self._chart = np.array(chart, dtype=np.int64)
        self._pocket = pocket
        self.heard_key = HeardKey(locked)
        self.habit = Habit()
        self.punctuality = Punctuality()
        self._clock = clock
        self._steps_per_beat = int(grid[0][0])
        self.player = self._settled = Player(*grid)
        self.recurrence = Recurrence(int(grid[1][0]))
        self.register_note = 0.0
        self._mean_note = 0.0
        self._window = NoteWindow()
        self._open: deque[_OpenStep] = deque()
        self._foreseen: _OpenStep | None = None
        self._first_open = 0
        self._pending: deque[tuple[Message, float]] = deque()

    @property
    def velocity(self) -> float:
        """The mean velocity of the player's last onsets."""
        return self._window.velocity

    @property
    def hands(self) -> Span:
        """The lowest and the highest of the player's last notes; NO_SPAN before the first."""
        return self._window.hands

    def begin(self, step: int) -> None:
        """Begin with `step`: everything heard before belongs to what went before."""
        self._window.begin(step)
        self._settled = self.player
        self._open.clear()
        self._first_open = step

    def set_bar(self, bar_steps: int) -> None:
        """Count bars of `bar_steps` steps from now on."""
        self.player, self._settled = self.player.copy(), self._settled.copy()
        for player in (self.player, self._settled):
            player.set_bar(bar_steps)
        self.recurrence.set_bar(bar_steps)

    def recount(self, bar_steps: int, moved_steps: int) -> None:
        """Count every step later by so many, in bars of `bar_steps` steps."""
        self.set_bar(bar_steps)
        self._window.recount(moved_steps)
        for past in self._open:
            past.step += moved_steps
        self._first_open += moved_steps

    def hear(self, message: Message, at_s: float) -> None:
        """Receive a message that the player sent at `at_s`; `follow` processes it later."""
        self._pending.append((message, at_s))

    def follow(self, until_s: float) -> bool:
        """Process the messages received up to `until_s`; return whether there were any."""
        has_followed = False
        while self._pending and self._pending[0][1] <= until_s:
            self._process(*self._pending.popleft())
            has_followed = True
        return has_followed

    def _process(self, message: Message, at_s: float) -> None:
        """Process a message that the player sent at `at_s`."""
        steps = self._clock.beat_at(at_s) * self._steps_per_beat
        if isinstance(message, NoteOn):
            self.habit.add_onset(steps, self._steps_per_beat)
            steps -= self.habit.steps
            step = math.floor(steps + 0.5)
            self.punctuality.add_onset(at_s - self._clock.s_at(step / self._steps_per_beat))
            self._follow_register(message.note)
        else:
            step = math.ceil(steps - self.habit.steps - RELEASE_STEPS)
        step = max(step, self._first_open)
        self._window.hear(message, step)
        if self._pocket is not None:
            habit_s = self.habit.steps * self._clock.beat_s / self._steps_per_beat
            self._pocket.hear(message, at_s - habit_s, self._window.sounding)

    def _follow_register(self, note: int) -> None:
        """Move the register to the mean of the last notes, if that is more than REGISTER_SLACK away."""
        self._mean_note += (note - self._mean_note) * (REGISTER_PACE if self._mean_note else 1.0)
        if abs(self._mean_note - self.register_note) > REGISTER_SLACK:
            self.register_note = self._mean_note

    @property
    def pending(self) -> tuple[tuple[Message, float], ...]:
        """The messages that `follow` has not processed, with their times."""
        return tuple(self._pending)

    def take_pending(self) -> list[tuple[Message, float]]:
        """Return the messages that `follow` has not processed, and remove them."""
        pending = list(self._pending)
        self._pending.clear()
        return pending

    def foresee(self, step: int, level: IntArray) -> Outlook:
        """Return what is known of the player if `step` closed now.

        Args:
            step: Number of the step, the one after the last that was closed.
            level: (1,) metrical level of the step, from music.accent.LEVELS.
        """
        before = self._before()
        seen = self._foreseen
        if seen is None or (seen.step, seen.level[0]) != (step, level[0]):
            heard = self._window.played(step)
            seen = self._foreseen = _OpenStep(step, level, before, heard, self._pushed(before, heard, step, level))
        player = self._after(seen, before)
        return Outlook(before, player, seen.heard, self._window.silence(step), self._given(step))

    def _before(self) -> Player:
        """Return the player's state after the last closed step, with all that was heard since."""
        before = self._settled
        for past in self._open:
            before = self._after(past, before)
        return before

    def _after(self, past: _OpenStep, before: Player) -> Player:
        """Return the player's state after an open step, from the state `before` it; what has not changed stands."""
        heard = self._window.played(past.step)
        if past.before is not before or past.heard != heard:
            past.before, past.heard = before, heard
            past.after = self._pushed(before, heard, past.step, past.level)
        return past.after

    def close(self, step: int, level: IntArray, outlook: Outlook) -> None:
        """Close `step`; `outlook` is the last result of `foresee`."""
        self._open.append(_OpenStep(step, level, outlook.before, outlook.heard, outlook.player))
        self.player = outlook.player
        self.recurrence.push(step, outlook.heard.event)
        if outlook.player.bits[0]:
            self.heard_key.follow(outlook.player.key_chances[0])

    def reached(self, at_s: float) -> float:
        """Return where the player is at a moment, in steps; all that belongs to earlier steps has been heard then."""
        return self._clock.beat_at(at_s) * self._steps_per_beat - self.habit.steps + ROUNDING_STEPS

    def settle(self, reached: float) -> list[tuple[int, Player]]:
        """Settle the closed steps of which nothing more is heard.

        Args:
            reached: Where the player is, as `reached` returns it; infinity settles all steps.

        Returns:
            The number of each step, and the player's state after it.
        """
        settled = []
        while self._open and self._open[0].step + OPEN_STEPS <= reached:
            past = self._open.popleft()
            self._settled = self._after(past, self._settled)
            self._first_open = past.step + 1
            settled.append((past.step, self._settled))
        self._window.forget(self._first_open)
        return settled

    def _given(self, step: int) -> IntArray | None:
        """Return the chords that the chart gives in a step and a beat later, (1, 2); None without a chart."""
        if not len(self._chart):
            return None
        eighth = step * EIGHTHS_PER_BEAT // self._steps_per_beat
        given: IntArray = self._chart[np.array([[eighth, eighth + EIGHTHS_PER_BEAT]]) % len(self._chart)]
        return given

    def _pushed(self, before: Player, heard: HeardStep, step: int, level: IntArray) -> Player:
        """Return the player's state after a step, from the state before it and what was heard in it."""
        player = before.copy()
        sound = (np.array([heard.event], dtype=np.int16), np.array([heard.bits]), np.array([heard.bass]))
        player.push(*sound, level, self._given(step))
        return player
