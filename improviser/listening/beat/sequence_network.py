"""The network that hears onsets one after the other, and remembers: it judges period and phase of the beat at each.

Beside `pulse_network`, which sees where past onsets lie, it knows their order: long and short, the turns of a line.
`improviser.studies.beat_fit` fits it with torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import PERIODS, PHASES
from improviser.listening.beat.onset_features import FEATURES
from improviser.listening.gated_units import GatedUnits, gated_shapes, log_softmax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.listening.beat.pulse_network import BeatWeights

Array = npt.NDArray[np.float32]

INPUTS: Final = 128
UNITS: Final = 192
LAYERS: Final = 2
SEQUENCE_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "sequence.inp.weight": (INPUTS, FEATURES),
    "sequence.inp.bias": (INPUTS,),
    **gated_shapes("sequence.gru", INPUTS, UNITS, LAYERS),
    "sequence.out.weight": (PERIODS * PHASES, UNITS),
    "sequence.out.bias": (PERIODS * PHASES,),
}


class SequenceNetwork:
    """Judges periods and phases at each onset, from all onsets before."""

    def __init__(self, weights: BeatWeights) -> None:
        """Take the arrays of a fitted network, and begin with nothing heard."""
        self._arrays = {name: np.ascontiguousarray(weights[name], dtype=np.float32) for name in SEQUENCE_SHAPES}
        self._units = GatedUnits(self._arrays, "sequence.gru", LAYERS)

    def judge(self, features: Array) -> Array:
        """Return the logarithm of the probability of each period and phase, (PERIODS, PHASES), at the next onset.

        Args:
            features: (FEATURES,) what `OnsetFeatures` describes.
        """
        heard = np.maximum(self._linear("inp", features), 0)
        return log_softmax(self._linear("out", self._units.hear(heard))).reshape(PERIODS, PHASES)

    def _linear(self, name: str, value: Array) -> Array:
        """Return a layer's output."""
        found: Array = self._arrays[f"sequence.{name}.weight"] @ value + self._arrays[f"sequence.{name}.bias"]
        return found
