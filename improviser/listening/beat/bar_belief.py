"""The belief about the bar: how many beats it has, which of them is now, and whether beats have three parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import BAR_SIZES, PLACES
from improviser.music.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.listening.beat.bar_network import BarEvidence

Array = npt.NDArray[np.float64]

# Exponents of the evidence after one beat, and of the belief at each beat. Chances per beat that the bar turns to
# another place.
TRUST: Final = 0.35
KEEP: Final = 0.97
RESTART: Final = 0.005
_FLOOR: Final = 1e-9
_NEXT: Final = tuple(PLACES.index((size, (place + 1) % size)) for size, place in PLACES)
_SIZES: Final = np.array([size for size, _ in PLACES])
_METERS: Final = {
    (2, False): Meter(2, 4),
    (3, False): Meter(3, 4),
    (4, False): Meter(4, 4),
    (2, True): Meter(6, 8),
    (3, True): Meter(9, 8),
    (4, True): Meter(12, 8),
}
_BY_METER: Final = {meter: pair for pair, meter in _METERS.items()}


class BarBelief:
    """The belief over the places of the beat that is now.

    Attributes:
        meter: The most likely meter.
        beat_in_bar: The place of the beat that is now, from 0.
    """

    def __init__(self, meter: Meter | None) -> None:
        """Expect `meter`, or any of two, three and four beats."""
        self._given = _BY_METER.get(meter) if meter is not None else None
        size = 0 if self._given is None else self._given[0]
        self._possible = np.where((size == _SIZES) | (size == 0), 1.0, 0.0)
        self._thirds = 0.0
        self._settle(self._possible)

    def advance(self) -> None:
        """Move a beat on."""
        moved = np.empty_like(self._belief)
        moved[list(_NEXT)] = self._belief**KEEP
        self._thirds *= KEEP
        self._settle((1 - RESTART) * moved / moved.sum() + RESTART * self._possible / self._possible.sum())

    def weigh(self, evidence: BarEvidence) -> None:
        """Take the network's evidence after this beat."""
        self._thirds += TRUST * float(evidence.thirds[1] - evidence.thirds[0])
        likely = np.exp(TRUST * evidence.place.astype(np.float64))
        self._settle(self._possible * (self._belief * likely + _FLOOR))

    def _settle(self, belief: Array) -> None:
        """Set the belief to `belief`, and find the bar in it."""
        self._belief = belief / belief.sum()
        masses: Sequence[float] = [float(self._belief[size == _SIZES].sum()) for size in BAR_SIZES]
        size = BAR_SIZES[int(np.argmax(masses))]
        self.beat_in_bar = int(np.argmax(self._belief[size == _SIZES]))
        self.meter = _METERS[self._given or (size, self._thirds > 0)]
