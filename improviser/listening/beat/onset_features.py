"""What the sequence network sees of an onset: the times since the last ones, how it stands out, how its line moves."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from improviser.listening.beat.onset_collector import Onset, Strength

Array = npt.NDArray[np.float32]

# The time since each of the last onsets, as bumps that are evenly spaced in its logarithm. Two steps back, long and
# short of a swung beat are one beat.
_BACK: Final = 4
_SHORTEST_S, _LONGEST_S = 0.06, 3.0
_BUMPS: Final = np.linspace(math.log2(_SHORTEST_S), math.log2(_LONGEST_S), 20)
_WIDTH: Final = _BUMPS[1] - _BUMPS[0]
_STRENGTHS: Final = 5
# Direction of the line, whether its note is repeated, whether it moves by step.
_MOTIONS: Final = 3
_STEP: Final = 2
_USUAL_INTERVAL: Final = 4.0
# How many onsets were heard, on a logarithmic scale, up to about as many as in training; and whether it is one note.
_COUNTED: Final = 150
_COUNT_SCALE: Final = 5.0
_WHOLE: Final = 2
FEATURES: Final = _BACK * len(_BUMPS) + _STRENGTHS + _MOTIONS + OCTAVE + _WHOLE


class OnsetFeatures:
    """Describes onsets in the order of time."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._moments_s: deque[float] = deque(maxlen=_BACK)
        self._top: int | None = None
        self._count = 0

    def describe(self, onset: Onset, strength: Strength) -> Array:
        """Return the features of the next onset, (FEATURES,)."""
        interval = 0 if self._top is None else onset.top - self._top
        turn = np.zeros(OCTAVE)
        turn[interval % OCTAVE] = 1.0
        motion = math.tanh(interval / _USUAL_INTERVAL), float(interval == 0), float(abs(interval) <= _STEP)
        count = math.log1p(min(self._count, _COUNTED)) / _COUNT_SCALE
        parts = (self._gaps(onset.at_s).ravel(), strength, motion, turn, (count, float(onset.notes == 1)))
        self._moments_s.append(onset.at_s)
        self._top = onset.top
        self._count += 1
        return np.concatenate(parts).astype(np.float32)

    def _gaps(self, at_s: float) -> npt.NDArray[np.float64]:
        """Return the bumps of the times since the last onsets, the newest first, (_BACK, bumps); 0 where none is."""
        found = np.zeros((_BACK, len(_BUMPS)))
        if self._moments_s:
            past_s = at_s - np.array(self._moments_s)[::-1]
            logs = np.log2(np.clip(past_s, _SHORTEST_S, _LONGEST_S))
            found[: len(past_s)] = np.exp(-0.5 * ((logs[:, None] - _BUMPS) / _WIDTH) ** 2)
        return found
