"""Mends a clash: the player's note came after its step was decided, and clashes with what we play.

What we play is replaced at the moment of that note, by the best of all legal actions that do not clash with it: another
note or chord, or a rest. So the mending sounds together with the note that caused it. On the weakest positions of the
bar a clash is a passing note, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.policy import select_action
from improviser.engine.anticipation import sounding_with
from improviser.listening.line import HOLD, SILENT
from improviser.listening.observation import encode_player
from improviser.music.accent import LEVELS
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION

if TYPE_CHECKING:
    from improviser.agent.policy import Actor, Choice, Mix
    from improviser.engine.role import Role
    from improviser.engine.settled import SettledStep
    from improviser.engine.situation import Prospect
    from improviser.engine.voice import Touch
    from improviser.listening.line import Line
    from improviser.listening.observation import Rows
    from improviser.listening.player import Player

# What we play is not replaced sooner than this after it began: a note's end must not come before its beginning.
SHORTEST_S: Final = 0.010


@dataclass(frozen=True, slots=True)
class Decided:
    """A step that was decided, as far as mending needs it.

    Attributes:
        played: The step as it is played now.
        prospect: The step as it was decided.
        own: Our line before the step.
        touch: How it was played.
    """

    played: SettledStep
    prospect: Prospect
    own: Line
    touch: Touch

    @property
    def step(self) -> int:
        """The number of the step."""
        return self.played.decision.step

    @property
    def is_settled(self) -> bool:
        """Whether all that belongs to the step has been heard."""
        return self.played.player is not None

    def clashes(self, role: Role, note: int) -> bool:
        """Return whether `note`, heard after the decision, clashes with what we play on a position that matters."""
        place = self.prospect.place
        if LEVELS[place.meter, place.sixteenth][0] == 0:
            return False
        event = role.events(np.array([self.played.decision.action]), place)
        sounding = np.where(event == HOLD, self.own.note, event)
        return bool(sounding[0] >= 0 and role.clashes(sounding, note)[0])

    def mended(self, role: Role, actor: Actor, note: int, mix: Mix, rng: np.random.Generator) -> tuple[Choice, Rows]:
        """Return the best legal action that does not clash with `note`, and the observation with it, (columns,).

        Nothing is drawn from `rng`.
        """
        place, legal = self.prospect.place, self.prospect.legal.copy()
        actions = np.arange(FIRST_ONSET, len(legal))
        legal[FIRST_ONSET:] &= ~role.clashes(role.events(actions, place), note)
        legal[HOLD_ACTION] = False
        observation = self._observed(role, note)
        choice = select_action(actor.values(observation), legal, rng, replace(mix, temperature=0.0))
        return choice, observation

    def _observed(self, role: Role, note: int) -> Rows:
        """Return the observation, (columns,), as it would have been with `note`."""
        player = self._player_with(note)
        out: Rows = np.zeros((1, role.columns), dtype=np.uint8)
        encode_player(player, self.prospect.place, out)
        role.encode_own(self.own, player.line.note, self.prospect.place, out)
        return out.reshape(-1)

    def _player_with(self, note: int) -> Player:
        """Return the player's state after the step, with `note` heard in it."""
        before, heard, place = self.prospect.outlook.before, self.prospect.outlook.heard, self.prospect.place
        top = SILENT if heard.event >= 0 else int(before.line.note[0])
        bits, bass = sounding_with(np.array([note]), top, heard)
        event = np.array([max(note, heard.event)], dtype=np.int16)
        player = before.copy()
        player.push(event, bits, bass, LEVELS[place.meter, place.sixteenth], self.prospect.outlook.given)
        return player
