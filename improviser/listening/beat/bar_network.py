"""The network that judges the bar: from the summaries of the last beats to the place of the last one in its bar."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import PLACES
from improviser.listening.beat.beat_summary import SUMMARY
from improviser.listening.gated_units import log_softmax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.listening.beat.pulse_network import BeatWeights

Array = npt.NDArray[np.float32]

# The beats that are seen at once.
SEEN_BEATS: Final = 16
UNITS: Final = 48
BAR_SHAPES: Final[Mapping[str, tuple[int, ...]]] = {
    "bar.hidden.weight": (UNITS, SEEN_BEATS * (SUMMARY + 1)),
    "bar.hidden.bias": (UNITS,),
    "bar.place.weight": (len(PLACES), UNITS),
    "bar.place.bias": (len(PLACES),),
    "bar.thirds.weight": (2, UNITS),
    "bar.thirds.bias": (2,),
}


class BarEvidence(NamedTuple):
    """What the network judges after a beat, as logarithms of probabilities.

    Attributes:
        place: (PLACES,) bar size, and the place of the beat in its bar.
        thirds: (2,) whether beats have two parts or three.
    """

    place: Array
    thirds: Array


class BarNetwork:
    """Judges the bar after each beat."""

    def __init__(self, weights: BeatWeights) -> None:
        """Take the arrays of a fitted network."""
        self._arrays = {name: np.ascontiguousarray(weights[name], dtype=np.float32) for name in BAR_SHAPES}
        none = np.zeros(SUMMARY + 1, dtype=np.float32)
        self._rows = deque([none] * SEEN_BEATS, maxlen=SEEN_BEATS)

    def add_beat(self, summary: Array) -> BarEvidence:
        """Return the evidence after one more beat, whose summary is `summary`."""
        self._rows.append(np.append(summary, np.float32(1)))
        hidden = np.maximum(self._linear("hidden", np.concatenate(self._rows)), 0)
        return BarEvidence(log_softmax(self._linear("place", hidden)), log_softmax(self._linear("thirds", hidden)))

    def _linear(self, name: str, value: Array) -> Array:
        """Return a layer's output."""
        found: Array = self._arrays[f"bar.{name}.weight"] @ value + self._arrays[f"bar.{name}.bias"]
        return found
