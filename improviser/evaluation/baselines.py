"""The policies that choose actions in an evaluated environment: human reference, baselines, actors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.agent.policy import Actor, Values, draw, select_action
from improviser.engine.decision_values import DecisionValues
from improviser.listening.line import NONE
from improviser.music.scale import SCALE_BITS
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION
from improviser.training.env import Game, RewardWeights
from improviser.training.grid import Part

if TYPE_CHECKING:
    from improviser.engine.role import Role

# Practically 0, but it has a logarithm.
NEVER: Final = 1e-9
# A tonic on C with all three octaves of a melody above it.
LOW_C: Final = 48

Chooser = Callable[[Game, Part, int], int]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the actors play: the knobs, and the weights of the reward components."""

    knobs: DecisionValues
    weights: RewardWeights

    def plain(self) -> Conditions:
        """Return the conditions of a baseline, which samples from its own probabilities unchanged."""
        return replace(self, knobs=DecisionValues(temperature=1.0, prior_weight=1.0))


class PriorOnly:
    """Plays by the prior alone: pure imitation, without a reward."""

    def __init__(self, actor: Actor) -> None:
        """Use the prior of `actor`."""
        self._actor = actor

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the log-probabilities of the prior, and Q-values of 0."""
        log_prior, q_values = self._actor.values(observation)
        return log_prior, np.zeros_like(q_values)


class RandomInKey:
    """Plays random notes or chords of the key, as often as people do: the lowest baseline."""

    def __init__(self, role: Role, mode: int, onset_rate: float, rng: np.random.Generator) -> None:
        """Play in C of `mode`, with an onset in a share `onset_rate` of the steps, and hold in between."""
        scale = int(SCALE_BITS[mode])
        in_key = role.legal(0, LOW_C, is_sounding=True, pitch_classes=scale)[FIRST_ONSET:]
        chances = np.full(role.action_count, NEVER)
        chances[FIRST_ONSET:] += onset_rate * in_key / in_key.sum()
        chances[HOLD_ACTION] += 1 - onset_rate
        self._log_chances = np.log(chances).astype(np.float32)
        self._rng = rng

    def choose(self, legal: npt.NDArray[np.bool_]) -> int:
        """Return one of the legal actions, (actions,)."""
        return draw(self._log_chances, legal, 1.0, self._rng)[1]


def acting(actor: Actor, conditions: Conditions, rng: np.random.Generator, role: Role) -> Chooser:
    """Return a function that chooses an actor's actions in an environment, from the observation alone."""
    mix = conditions.knobs.to_mix(role.action_count)

    def choose(game: Game, part: Part, step: int) -> int:
        """Choose an action as in live play."""
        del part, step
        return select_action(actor.values(game.observation[0]), game.legal[0], rng, mix).action

    return choose


def random_in_key(part: Part, rng: np.random.Generator) -> Chooser:
    """Return a policy that plays random notes or chords in key, as dense as the part's partner or else its player."""
    model = part.player if (part.partner == NONE).all() else part.partner
    notes = RandomInKey(part.role, part.mode, float(np.mean(model >= 0)), rng)
    return lambda game, _part, _step: notes.choose(game.legal[0])


def human(game: Game, part: Part, step: int) -> int:
    """Return the action of the corpus' partner."""
    return int(part.role.actions(part.partner[step : step + 1], game.place)[0])
