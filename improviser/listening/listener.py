"""All that is heard of the player, in the order of time, one grid step after the other.

A step can be foreseen as often as one likes before it is closed: what is foreseen last, with nothing heard
since, is what closing gives. So the work is done while there is time, and deciding costs next to nothing.
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

# How much of the player's mean note the newest onset is: it follows the last eight or so.
REGISTER_PACE: Final = 0.12
# Semitones that this mean may lie off before the register is taken for another.
REGISTER_SLACK: Final = 7.0


class Listener:
    """Hears one player.

    Attributes:
        keys: The key as heard or locked.
        player: What is known of the player up to the last closed step; one lane.
        register_note: About the middle of the player's register, 0 before the first note. It stays where it
            is until the mean of the last notes has gone far from it, so that the player's tokens keep their
            base.
    """

    def __init__(self, grid: tuple[IntArray, IntArray], clock: BeatClock, meter_row: int, locked: Key | None) -> None:
        """Start with silence.

        Args:
            grid: Steps a beat and a bar, (1,) each.
            clock: What tells the beat of a moment; the key tracker weighs a note by its place in the bar.
            meter_row: Row of METERS.
            locked: The key, if the player chose it.
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
        """The player's mean velocity."""
        return self._window.velocity

    def begin_bar(self, meter_row: int, beat: float, bar_steps: int) -> None:
        """Count bars of another meter, a row of METERS with `bar_steps` steps a bar, from `beat` on."""
        self.keys.begin_bar(meter_row, beat)
        self.player.line.set_bar(bar_steps)

    def hear(self, message: Message, at_s: float) -> None:
        """Process what the player did at `at_s`; it counts once `follow` reaches that moment."""
        self._pending.append((message, at_s))

    def follow(self, until_s: float) -> bool:
        """Process what was heard until `until_s`; return whether there was anything."""
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
        """Move the register to the mean of the last notes, once that has left it."""
        self._mean_note += (note - self._mean_note) * (REGISTER_PACE if self._mean_note else 1.0)
        if abs(self._mean_note - self.register_note) > REGISTER_SLACK:
            self.register_note = self._mean_note

    def take_pending(self) -> list[tuple[Message, float]]:
        """Return what was heard beyond the moment that `follow` reached, and forget it."""
        pending = list(self._pending)
        self._pending.clear()
        return pending

    def foresee(self, since_s: float, level: IntArray) -> tuple[Player, HeardStep]:
        """Return what the player is, and what was heard, if the step that began about `since_s` closed now.

        Args:
            since_s: From then on onsets are the step's.
            level: (1,) how strong the step is, of music.accent.LEVELS.
        """
        heard = self._window.peek(since_s)
        player = self.player.copy()
        if heard.late is not None and player.line.events[0, -1] < 0:
            player.line.amend(np.array([heard.late], dtype=np.int16))
        sound = (np.array([heard.event], dtype=np.int16), np.array([heard.bits]), np.array([heard.bass]))
        player.push(*sound, np.array([self.keys.key.index]), level)
        return player, heard

    def close(self, since_s: float, player: Player) -> None:
        """Close the step that began about `since_s`; `player` is what was foreseen of it last."""
        self._window.close_step(since_s)
        self.player = player
