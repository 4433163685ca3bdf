"""What the ear advises: which notes are likely of the chord behind the player.

That a note is of the chord is rewarded at once, and the observation says how likely it is. So this part of the value of
harmony is known, where the Q-network has it from samples: for notes that people and it seldom play, from few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import RANGE
from improviser.listening.observation import COLUMNS, TONE_SHARES
from improviser.music.pitch import OCTAVE
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION

if TYPE_CHECKING:
    from improviser.agent.policy import FloatArray, Policy
    from improviser.listening.observation import Rows

_EDGES: Final = np.array([0.0, *TONE_SHARES, 1.0], dtype=np.float32)
# The chance that a pitch class is of the chord, in the middle of each of the observation's steps.
CHANCES: Final = (_EDGES[:-1] + _EDGES[1:]) / 2
_TONES: Final = COLUMNS["chord_tones"]
_OWN_NOTE: Final = COLUMNS["own_note"].start
_ABOVE_TONIC: Final = np.arange(RANGE) % OCTAVE


@dataclass(frozen=True, slots=True)
class ChordAdvice:
    """How much likelier than usual a melody's notes are of the chord, the note that is held included.

    What is usual is the mean over the onsets that the prior expects, so that the pace stays as it is.

    Attributes:
        weight: What a note that is certainly of the chord gains on one that certainly is not, in units of the reward.
    """

    weight: float

    def __call__(self, observations: Rows, log_priors: FloatArray) -> FloatArray:
        """Return what is added to the values of harmony, (rows, actions).

        Args:
            observations: (rows, columns) of the melody role.
            log_priors: (rows, actions) log-probabilities under the prior.
        """
        chances = (np.float32(self.weight) * CHANCES).take(observations[:, _TONES])
        onsets = chances.take(_ABOVE_TONIC, axis=1)
        expected = np.exp(log_priors[:, FIRST_ONSET:])
        usual = np.einsum("ra,ra->r", expected, onsets) / expected.sum(axis=1)
        added = np.zeros_like(log_priors)
        np.subtract(onsets, usual[:, None], out=added[:, FIRST_ONSET:])
        for row, note in enumerate(observations[:, _OWN_NOTE].tolist()):
            if note < RANGE:
                added[row, HOLD_ACTION] = chances[row, note % OCTAVE] - usual[row]
        return added


def advised(policy: Policy, weight: float) -> Policy:
    """Return a melody's policy with the ear's advice of some weight; with 0 it is the same."""
    return policy.with_advice(ChordAdvice(weight)) if weight else policy
