"""Values actions before the player's note of the same step is heard.

A step is often decided before its note has come: on the grid it always is, and people play late. How often a note
still has to come is measured from this player's own onsets. The actor predicts the player's next event. For each
likely event the step is observed as if that event had been heard, and the values of the actions are averaged with the
probabilities of the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.policy import ForeseeingActor
from improviser.listening.line import HOLD, REST, SILENT, TOKEN_HOLD, TOKEN_ONSET, TOKEN_REST
from improviser.listening.observation import PLAYER_BLOCK, encode_player
from improviser.music.accent import LEVELS
from improviser.music.pitch import NOTE_MAX, OCTAVE
from improviser.rewards import COMPONENTS

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.agent.policy import Actor, FloatArray, Values
    from improviser.engine.role import Role
    from improviser.listening.line import Line
    from improviser.listening.listener import Outlook
    from improviser.listening.observation import Place, Rows
    from improviser.listening.window import HeardStep

# The most events that are tried, and the probability that is enough for all of them together.
TRIED: Final = 6
ENOUGH: Final = 0.9
# How many times as much harmony counts where the player's note is not known.
# Source: docs/research/anticipation.md; at 1 fewer notes are consonant (87 % instead of 90 %).
HARMONY_UNSURE: Final = np.float32(2.0)
_HARMONY: Final = COMPONENTS.index("harmony")
# If fewer notes than this share come after the decision, what was heard counts as all there is.
LEAST_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Expected:
    """An event that the player may do in a step, a note, HOLD or REST, and its probability."""

    event: int
    chance: float

    def to_json(self) -> dict[str, object]:
        """Return the event as plain values: what it does, its note if it is an onset, and its probability."""
        does = {HOLD: "hold", REST: "rest"}.get(self.event, "onset")
        return {"does": does, "note": self.event if self.event >= 0 else None, "chance": round(self.chance, 3)}


@dataclass(frozen=True, slots=True)
class Anticipation:
    """The step to be decided, as far as it is known.

    Attributes:
        actor: Values the actions.
        role: The role that we play.
        own: Our line.
        place: The place of the step in the music.
        outlook: What is known of the player.
    """

    actor: Actor
    role: Role
    own: Line
    place: Place
    outlook: Outlook

    def values(self, observation: Rows, share: float) -> tuple[Values, tuple[Expected, ...]]:
        """Return the values of the actions, and what the player is expected to do; nothing if that is known.

        Args:
            observation: (columns,) the observation if nothing more comes.
            share: The probability that a note of this step would not have been heard yet.
        """
        actor = self.actor
        if share < LEAST_SHARE or not isinstance(actor, ForeseeingActor):
            return actor.values(observation), ()
        expected = self._expected(actor, share)
        if len(expected) < 2:  # noqa: PLR2004 - nothing to average
            return actor.values(observation), expected
        return self._averaged(actor, expected), expected

    def _expected(self, actor: ForeseeingActor, share: float) -> tuple[Expected, ...]:
        """Return the likeliest events; none if the step's note is heard, or there is no player or no prediction."""
        line = self.outlook.before.line
        is_absent = line.count[0] == 0 and line.note[0] == SILENT
        if self.outlook.heard.event >= 0 or is_absent:
            return ()
        chances = actor.anticipate(self._before())
        return () if chances is None else likely(chances, self.outlook.heard, share, int(self.place.player_base[0]))

    def _before(self) -> npt.NDArray[np.uint8]:
        """Return the player's columns before the step, (PLAYER_BLOCK,)."""
        out: Rows = np.zeros((1, PLAYER_BLOCK.stop), dtype=np.uint8)
        encode_player(self.outlook.before, self.place, out)
        return out.reshape(-1)

    def _averaged(self, actor: ForeseeingActor, expected: tuple[Expected, ...]) -> Values:
        """Return the values averaged over events: of Q-values the mean, of the prior the log of the mean.

        Averages differ less from each other than single values, and of harmony most. So harmony counts more here.
        """
        events = np.array([each.event for each in expected])
        chances = np.array([each.chance for each in expected], dtype=np.float32)
        log_priors, q_values = actor.values_of(self._observed(events))
        averaged = np.tensordot(chances, q_values, axes=1).astype(np.float32, copy=False)
        if len(averaged) == len(COMPONENTS):
            averaged[_HARMONY] *= HARMONY_UNSURE
        return np.log(chances @ np.exp(log_priors)), averaged

    def _observed(self, events: npt.NDArray[np.int64]) -> Rows:
        """Return an observation for each event, as if it had been heard, (events, columns)."""
        player, place = self.outlook.before.chosen(np.zeros(len(events), dtype=np.int64)), self.place
        bits, bass = sounding_with(events, int(self.outlook.before.line.note[0]), self.outlook.heard)
        level = np.repeat(LEVELS[place.meter, place.sixteenth], len(events))
        given = None if self.outlook.given is None else self.outlook.given.repeat(len(events), axis=0)
        player.push(events.astype(np.int16), bits, bass, level, given)
        out = np.zeros((len(events), self.role.columns), dtype=np.uint8)
        encode_player(player, place, out)
        self.role.encode_own(self.own, player.line.note, place, out)
        return out


def likely(chances: FloatArray, heard: HeardStep, share: float, base: int) -> tuple[Expected, ...]:
    """Return the likeliest events of a step, the likeliest first; their probabilities sum to 1.

    A key that is down cannot rest, and a key that is up cannot hold. So without an onset, what was heard goes on.

    Args:
        chances: (events,) probability of each event before anything of the step was heard.
        heard: What was heard so far; no onset.
        share: The probability that an onset would not have been heard yet.
        base: The note from which the player's tokens count.
    """
    onsets = chances[TOKEN_ONSET:].astype(np.float64) * share
    silent = float(chances[TOKEN_REST]) + (float(chances[TOKEN_HOLD]) if heard.event == HOLD else 0.0)
    weights = np.concatenate([[silent], onsets])
    weights /= weights.sum()
    order = np.argsort(-weights, kind="stable")[:TRIED]
    count = int(np.searchsorted(np.cumsum(weights[order]), ENOUGH)) + 1
    chosen = order[:count]
    total = float(weights[chosen].sum())
    return tuple(
        Expected(heard.event if at == 0 else min(base + int(at) - 1, NOTE_MAX), float(weights[at]) / total)
        for at in chosen
    )


def sounding_with(
    events: npt.NDArray[np.int64], top: int, heard: HeardStep
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return pitch classes as twelve-bit sets and lowest notes, (events,) each, that would sound with each event.

    An onset takes the place of the top note; what else sounds goes on.

    Args:
        events: Notes, HOLD or REST.
        top: The top note before, SILENT if there was none.
        heard: What was heard of the step so far.
    """
    is_alone = heard.bass in {SILENT, top}
    others = 0 if is_alone else heard.bits & ~(1 << top % OCTAVE if top >= 0 else 0)
    bits = np.where(events >= 0, others | 1 << np.maximum(events, 0) % OCTAVE, heard.bits)
    lowest = events if is_alone else np.minimum(events, heard.bass)
    return bits, np.where(events >= 0, lowest, heard.bass)
