"""Follows what the player plays, in the order of time, one grid step after the other.

A step can be computed any number of times before it is closed; `foresee` does so. If nothing is heard after that, the
last result is also that of the closed step. So the work is done while there is time, and a decision costs little.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.key_tracker import KeyTracker
from improviser.listening.player import Player
from improviser.listening.window import NoteWindow
from improviser.midi.message import NoteOn

if TYPE_CHECKING:
    from improviser.listening.tempo import BeatClock
    from improviser.listening.window import HeardStep
    from improviser.midi.message import Message
    from improviser.music.pitch import IntArray
    from improviser.music.scale import Key

# The weight of the newest onset in the player's mean note, which so follows about the last eight onsets.
REGISTER_PACE: Final = 0.12
# The register moves when this mean is more than this many semitones away from it.
REGISTER_SLACK: Final = 7.0


class Listener:
    """Follows one player.

    Attributes:
        keys: Tracks the key, heard or locked.
        player: The player's state after the last closed step; one lane.
        register_note: About the middle of the player's register, 0 before the first note. It stays until the mean
            of the last notes is far from it, so that the player's tokens keep their base.
    """

    def __init__(self, grid: tuple[IntArray, IntArray], clock: BeatClock, meter_row: int, locked: Key | None) -> None:
        """Start with silence.

        Args:
            grid: Steps per beat and per bar, (1,) each.
            clock: Maps a moment to a beat; the key tracker weighs a note by its position in the bar.
            meter_row: Row of METERS.
            locked: The key, if the player locked one.
        """
        self.keys = KeyTracker(locked, meter_row)
        self._clock = clock
        self.player = Player(*grid)
        self.register_note = 0.0
        self._mean_note = 0.0
        self._window = NoteWindow()
        self._pending: deque[tuple[Message, float]] = deque()

    @property
    def velocity(self) -> float:
        """The mean velocity of the player's last onsets."""
        return self._window.velocity

    def begin_bar(self, meter_row: int, beat: float, bar_steps: int) -> None:
        """Count bars of the meter in a row of METERS, with `bar_steps` steps per bar, from `beat` on."""
        self.keys.begin_bar(meter_row, beat)
        self.player.line.set_bar(bar_steps)

    def hear(self, message: Message, at_s: float) -> None:
        """Receive a message that the player sent at `at_s`; `follow` processes it later."""
        self._pending.append((message, at_s))

    def follow(self, until_s: float) -> bool:
        """Process the messages received up to `until_s`; return whether there were any."""
        has_followed = False
        while self._pending and self._pending[0][1] <= until_s:
            message, at_s = self._pending.popleft()
            if isinstance(message, NoteOn):
                self.keys.add_note(message.note, self._clock.beat_at(at_s))
                self._follow_register(message.note)
            self._window.hear(message, at_s)
            has_followed = True
        return has_followed

    def _follow_register(self, note: int) -> None:
        """Move the register to the mean of the last notes, if that is more than REGISTER_SLACK away."""
        self._mean_note += (note - self._mean_note) * (REGISTER_PACE if self._mean_note else 1.0)
        if abs(self._mean_note - self.register_note) > REGISTER_SLACK:
            self.register_note = self._mean_note

    def take_pending(self) -> list[tuple[Message, float]]:
        """Return the messages that `follow` has not processed, and remove them."""
        pending = list(self._pending)
        self._pending.clear()
        return pending

    def foresee(self, since_s: float, level: IntArray) -> tuple[Player, HeardStep]:
        """Return the player's state and the heard step, as if the step from `since_s` on closed now.

        Args:
            since_s: Onsets from this moment on belong to the step.
            level: (1,) metrical level of the step, from music.accent.LEVELS.
        """
        heard = self._window.peek(since_s)
        player = self.player.copy()
        if heard.late is not None and player.line.events[0, -1] < 0:
            player.line.amend(np.array([heard.late], dtype=np.int16))
        sound = (np.array([heard.event], dtype=np.int16), np.array([heard.bits]), np.array([heard.bass]))
        player.push(*sound, np.array([self.keys.key.index]), level)
        return player, heard

    def close(self, since_s: float, player: Player) -> None:
        """Close the step from `since_s` on; `player` is the last result of `foresee`."""
        self._window.close_step(since_s)
        self.player = player
