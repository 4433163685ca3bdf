"""Priorities of replayed transitions in a sum tree: drawing and changing take logarithmic time.

Source: T. Schaul et al. (2016), "Prioritized Experience Replay", appendix B.2.1.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# Added to each error, so that a row with a small error can still be drawn.
_LEAST: Final = 1e-3


class Priorities:
    """The priorities of the rows in `capacity` places; a new row gets the highest priority so far."""

    def __init__(self, capacity: int, exponent: float) -> None:
        """Start without rows; the priority of a row is its error to the power of `exponent`."""
        self._depth = max(1, (capacity - 1).bit_length())
        self._leaves = 1 << self._depth
        self._sums = np.zeros(2 * self._leaves, dtype=np.float64)
        self._exponent, self._highest = exponent, 1.0

    def add(self, places: npt.NDArray[np.int64]) -> None:
        """Set the highest priority for new rows."""
        self._put(places, np.full(len(places), self._highest))

    def set(self, places: npt.NDArray[np.int64], errors: FloatArray) -> None:
        """Set the priorities of rows by their errors, (n,)."""
        priorities = (np.abs(errors).astype(np.float64) + _LEAST) ** self._exponent
        self._highest = max(self._highest, float(priorities.max()))
        self._put(places, priorities)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Draw one place from each of `count` equal shares of the sum; return places and probabilities, (count,)."""
        sums = self._sums
        aims = (np.arange(count) + rng.random(count)) * (sums[1] / count)
        nodes = np.ones(count, dtype=np.int64)
        for _ in range(self._depth):
            nodes *= 2
            left = sums[nodes]
            # By rounding, an aim may lie beyond the left sum although there is nothing on the right.
            is_right = (aims >= left) & (sums[nodes + 1] > 0)
            aims -= left * is_right
            nodes += is_right
        return nodes - self._leaves, sums[nodes] / sums[1]

    def _put(self, places: npt.NDArray[np.int64], priorities: npt.NDArray[np.float64]) -> None:
        """Set the priorities of places, and update the sums above them."""
        nodes = places + self._leaves
        self._sums[nodes] = priorities
        for _ in range(self._depth):
            nodes //= 2
            self._sums[nodes] = self._sums[2 * nodes] + self._sums[2 * nodes + 1]
