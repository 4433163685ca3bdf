"""What can be turned while the music plays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from improviser.agent.policy import FloatArray, Mix
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET
from improviser.rewards import COMPONENTS

# What an onset is worth more, in units of the reward, for each unit of density above 1.
DENSITY_SCALE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Knobs:
    """What can be turned while the music plays; it acts with the very next decision.

    Attributes:
        harmony: Weight of harmony's Q-values, 0-2; below 0 it is turned away from.
        coherence: The same of coherence.
        creativity: The same of creativity. None of the three acts on a model whose Q-network has one head.
        density: 0-2; above 1 onsets are preferred, below 1 holds and rests.
        temperature: Of the softmax over the values, 0-5; at 0 the best action is taken.
        prior_weight: How much people's habits count beside the Q-values, 0-5.
    """

    harmony: float = 1.0
    coherence: float = 1.0
    creativity: float = 1.0
    density: float = 1.0
    temperature: float = 0.2
    prior_weight: float = 0.3

    @property
    def weights(self) -> FloatArray:
        """The weights of the reward's components, (3,)."""
        return np.array([self.harmony, self.coherence, self.creativity], dtype=np.float32)

    def turned(self, name: str, position: float) -> Knobs:
        """Return the knobs with one of them turned to `position`, 0-2, where 1 is as these stand.

        The temperature goes times the position, and the density is the position. Harmony, coherence and
        creativity go times (position**2 + 3 * position - 2) / 2: from -1 at 0, which turns away from the
        component, over 0 at 0.56, to 4 at 2. Where it merely didn't count at 0, people's habits would still
        play nearly as coherently as people do, and the lower half of the way would hardly be heard.
        """
        stands = 1.0 if name == "density" else getattr(self, name)
        times = (position**2 + 3 * position - 2) / 2 if name in COMPONENTS else position
        return replace(self, **{name: stands * times})

    def to_mix(self, actions: int = ACTION_COUNT) -> Mix:
        """Return what the values come to, where there are so many actions."""
        preference = np.full(actions, DENSITY_SCALE * (self.density - 1), dtype=np.float32)
        preference[:FIRST_ONSET] = 0.0
        return Mix(self.weights, self.temperature, self.prior_weight, preference if self.density != 1 else None)
