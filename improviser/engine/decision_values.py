"""The values that a decision is made by: weights, density and temperature. Knobs scale them while the music plays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from improviser.agent.policy import FloatArray, Mix
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET
from improviser.rewards import COMPONENTS

# What is added to the value of an onset, in units of the reward, for each unit of density above 1.
DENSITY_SCALE: Final = 0.5


@dataclass(frozen=True, slots=True)
class DecisionValues:
    """The values that a decision is made by; a change acts on the next decision.

    Attributes:
        harmony: Weight of the Q-values of harmony, 0-2; below 0, harmony is avoided.
        coherence: The same for coherence.
        creativity: The same for creativity. The three have no effect on a model whose Q-network has one head.
        density: 0-2; above 1 onsets are preferred, below 1 holds and rests.
        temperature: Temperature of the softmax over the values, 0-5; at 0 the best action is taken.
        prior_weight: Weight of the prior beside the Q-values, 0-5.
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

    def turned(self, name: str, position: float) -> DecisionValues:
        """Return the knobs with one of them turned to `position`, 0-2; at 1 it keeps its value.

        The temperature is multiplied by the position; the density becomes the position. Harmony, coherence and
        creativity are multiplied by (position**2 + 3 * position - 2) / 2. This factor is -1 at position 0, which avoids
        the component; it is 0 at 0.56, and 4 at 2. If the factor at position 0 were only 0, the prior would still
        play nearly as coherently as people do, and the lower half of the range would hardly be audible.
        """
        stands = 1.0 if name == "density" else getattr(self, name)
        times = (position**2 + 3 * position - 2) / 2 if name in COMPONENTS else position
        return replace(self, **{name: stands * times})

    def to_mix(self, actions: int = ACTION_COUNT) -> Mix:
        """Return how values are combined in decisions among this number of actions."""
        preference = np.full(actions, DENSITY_SCALE * (self.density - 1), dtype=np.float32)
        preference[:FIRST_ONSET] = 0.0
        return Mix(self.weights, self.temperature, self.prior_weight, preference if self.density != 1 else None)
