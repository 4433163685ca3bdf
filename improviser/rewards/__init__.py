"""The rewards: harmony, coherence and creativity, each a weighted sum of named terms.

Each role has one function `judge`. Training, the live display and the evaluation all use it. `MELODY`, `COMPING`
and `BASS` hold it with everything that belongs to it. The melody's parts are also exported under their own names.
"""

from improviser.rewards.bass import BASS
from improviser.rewards.comping import COMPING
from improviser.rewards.melody import (
    DENSITY_BANDS,
    MELODY,
    MOMENT,
    TERMS,
    component_weights,
    judge,
    moments,
    stepwise_harmony,
)
from improviser.rewards.scene import COMPONENTS, FloatArray, Rewards, Scene

__all__ = [
    "BASS",
    "COMPING",
    "COMPONENTS",
    "DENSITY_BANDS",
    "MELODY",
    "MOMENT",
    "TERMS",
    "FloatArray",
    "Rewards",
    "Scene",
    "component_weights",
    "judge",
    "moments",
    "stepwise_harmony",
]
