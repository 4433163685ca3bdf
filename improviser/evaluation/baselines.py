"""Who chooses in a game that is measured: people, baselines, actors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.agent.policy import Actor, Values, draw, select_action
from improviser.engine.knobs import Knobs
from improviser.listening.line import NONE
from improviser.music.scale import SCALE_BITS
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION
from improviser.training.env import Game, RewardWeights
from improviser.training.grid import Part

if TYPE_CHECKING:
    from improviser.engine.role import Role

# A chance that is none, but has a logarithm.
NEVER: Final = 1e-9
# A tonic of C with all three octaves of a melody above it.
LOW_C: Final = 48

Chooser = Callable[[Game, Part, int], int]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the actors play: by which knobs, and by which weights their reward is summed."""

    knobs: Knobs
    weights: RewardWeights

    def plain(self) -> Conditions:
        """Return the same for a baseline, which draws from its own chances as they are."""
        return replace(self, knobs=Knobs(temperature=1.0, prior_weight=1.0))


class PriorOnly:
    """Plays by people's habits alone: what imitation without a reward gives."""

    def __init__(self, actor: Actor) -> None:
        """Take the prior of `actor`."""
        self._actor = actor

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the prior, and Q-values that are all nothing."""
        log_prior, q_values = self._actor.values(observation)
        return log_prior, np.zeros_like(q_values)


class RandomInKey:
    """Plays notes or chords of the key at random, as often as people: the least that music must beat."""

    def __init__(self, role: Role, mode: int, onset_rate: float, rng: np.random.Generator) -> None:
        """Play in C of `mode`, an onset in a share `onset_rate` of the steps, and hold in between."""
        scale = int(SCALE_BITS[mode])
        in_key = role.legal(0, LOW_C, is_sounding=True, pitch_classes=scale)[FIRST_ONSET:]
        chances = np.full(role.action_count, NEVER)
        chances[FIRST_ONSET:] += onset_rate * in_key / in_key.sum()
        chances[HOLD_ACTION] += 1 - onset_rate
        self._log_chances = np.log(chances).astype(np.float32)
        self._rng = rng

    def choose(self, legal: npt.NDArray[np.bool_]) -> int:
        """Return an action among the legal ones, (actions,)."""
        return draw(self._log_chances, legal, 1.0, self._rng)[1]


def acting(actor: Actor, conditions: Conditions, rng: np.random.Generator, role: Role) -> Chooser:
    """Return what lets an actor choose in a game, by the observation alone."""
    mix = conditions.knobs.to_mix(role.action_count)

    def choose(game: Game, part: Part, step: int) -> int:
        """Choose as on stage."""
        del part, step
        return select_action(actor.values(game.observation[0]), game.legal[0], rng, mix).action

    return choose


def random_in_key(part: Part, rng: np.random.Generator) -> Chooser:
    """Return random notes or chords of the part's key, as many as its partner, or else its player, has."""
    model = part.player if (part.partner == NONE).all() else part.partner
    notes = RandomInKey(part.role, part.mode, float(np.mean(model >= 0)), rng)
    return lambda game, _part, _step: notes.choose(game.legal[0])


def human(game: Game, part: Part, step: int) -> int:
    """Choose what the corpus' partner did."""
    return int(part.role.actions(part.partner[step : step + 1], game.place)[0])
