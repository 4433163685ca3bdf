"""Players that listen to the improviser: at times one repeats the improviser's last bar, in its own register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import HOLD, REST, SILENT, WINDOW, Line
from improviser.listening.player import Player
from improviser.music.pitch import NOTE_MAX, OCTAVE
from improviser.training.features import Sound, empty_table, listen_step, stack_parts
from improviser.training.grid import UNKNOWN

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.training.features import PlayerTable
    from improviser.training.grid import Part

# The share of bars in which a player repeats the improviser's last bar.
ANSWER_SHARE: Final = 0.3
# With fewer onsets of the improviser in two bars, there is nothing to repeat.
ENOUGH_ONSETS: Final = 4


class Followers:
    """The players of all lanes in one episode; `table` has one row a lane, for the step to be decided."""

    def __init__(
        self,
        parts: list[Part],
        places: npt.NDArray[np.int16],
        offset: npt.NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        """Begin an episode.

        Args:
            parts: What each player plays where it does not follow.
            places: (steps, lanes, columns) the place of each step, see `features.part_places`.
            offset: (lanes,) the step of its part at which each player begins.
            rng: Draws the bars in which the players follow.
        """
        lanes = len(parts)
        steps = np.arange(len(places))[None, :] + offset[:, None]
        self._columns = [column[np.arange(lanes)[:, None], steps] for column in stack_parts(parts)]
        self._places, self._rng = places, rng
        self._bar_steps = np.array([part.bar_steps for part in parts])
        self._player = Player(np.array([part.steps_per_beat for part in parts]), self._bar_steps)
        self._answers = np.zeros(lanes, dtype=np.bool_)
        self._is_broken = np.zeros(lanes, dtype=np.bool_)
        self._lanes = np.arange(lanes)
        self._step = 0
        self.table: PlayerTable = empty_table(parts[0].role, np.ones(lanes, dtype=np.int64))

    def advance(self, own: Line) -> None:
        """Play the next step; `own` is the improviser's line before that step."""
        if self._step == len(self._places):
            return
        self.table.places[:] = self._places[self._step]
        sound = Sound(*(column[:, self._step].copy() for column in self._columns))
        starts = self._step % self._bar_steps == 0
        self._is_broken |= self._answers & starts
        drawn = (self._rng.random(len(starts)) < ANSWER_SHARE) & (own.count >= ENOUGH_ONSETS)
        self._answers = np.where(starts, drawn, self._answers)
        self._take_up(own, sound)
        self._go_on(sound)
        listen_step(self._player, sound, self.table, self._lanes, np.ones(len(starts), dtype=np.bool_))
        self._step += 1

    def _take_up(self, own: Line, sound: Sound) -> None:
        """Play what the improviser played one bar ago, in the lanes that answer."""
        place = self.table.place(self._lanes)
        then = own.events[self._lanes, WINDOW - self._bar_steps].astype(np.int64)
        note = np.clip(then + place.player_base - place.own_base, 0, NOTE_MAX)
        still = self._player.line.note
        holds = (then == HOLD) & (still >= 0)
        sounding = np.where(then >= 0, note, np.where(holds, still, SILENT))
        event = np.where(then >= 0, note, np.where(holds, HOLD, REST))
        for column, value in (
            (sound.event, event),
            (sound.bits, np.where(sounding >= 0, 1 << sounding % OCTAVE, 0)),
            (sound.bass, sounding),
            (sound.chord, np.full_like(sound.chord, UNKNOWN)),
            (sound.given, np.full_like(sound.given, UNKNOWN)),
        ):
            column[self._answers] = value[self._answers]

    def _go_on(self, sound: Sound) -> None:
        """Rest, in the lanes that have just answered, until their part begins a new note."""
        self._is_broken &= (sound.event == HOLD) & ~self._answers
        for column, silence in ((sound.event, REST), (sound.bits, 0), (sound.bass, SILENT)):
            column[self._is_broken] = silence
