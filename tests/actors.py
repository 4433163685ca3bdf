"""Actors that need no training.

All of them depend on the observation only, so what is played does not depend on how often they are called.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.checkpoint import weight_shapes
from improviser.agent.config import Group, NetworkConfig
from improviser.agent.policy import Policy
from improviser.engine.role import MELODY, Role
from improviser.listening.observation import COLUMNS
from improviser.playing.actions import ACTION_COUNT, HOLD_ACTION, REST_ACTION

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.agent.policy import Values

HIDDEN: Final = 16
# The value of a preferred action exceeds this.
SECOND_BEST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """Plays a figure, one action for each sixteenth of the bar, in a loop; rests where the action is not legal.

    Attributes:
        actions: The figure; it repeats after its end.
        asked: The observations that the actor received.
    """

    actions: tuple[int, ...]
    asked: list[npt.NDArray[np.uint8]] = field(default_factory=list)

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return values with 1 for the figure's action, SECOND_BEST for a rest and 0 for all others."""
        self.asked.append(observation.copy())
        sixteenth = int(observation[COLUMNS["sixteenth"].start])
        q_values = np.zeros(ACTION_COUNT, dtype=np.float32)
        q_values[REST_ACTION] = SECOND_BEST
        q_values[self.actions[sixteenth % len(self.actions)]] = 1.0
        return np.zeros(ACTION_COUNT, dtype=np.float32), q_values[None]


@dataclass(frozen=True, slots=True)
class Indifferent:
    """Gives all actions the same value, so that the choice is random."""

    actions: int = ACTION_COUNT

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return zeros."""
        del observation
        return np.zeros(self.actions, dtype=np.float32), np.zeros((1, self.actions), dtype=np.float32)


def holder() -> Figure:
    """Return an actor that plays its lowest note on each downbeat and holds it for four beats."""
    return Figure((2, *[HOLD_ACTION] * 15))


def pulse() -> Figure:
    """Return an actor that plays an eighth, the lowest note of its register, in every beat, and then rests."""
    return Figure((2, HOLD_ACTION, REST_ACTION, REST_ACTION))


def random_policy(seed: int = 0, role: Role = MELODY) -> Policy:
    """Return a small policy with the inputs and outputs of live play and random weights."""
    config = NetworkConfig(tuple(Group(*group) for group in role.groups), role.action_count, HIDDEN)
    rng = np.random.default_rng(seed)
    prior, q = (
        {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in weight_shapes(config).items()}
        for _ in range(2)
    )
    return Policy(config, prior, q)
