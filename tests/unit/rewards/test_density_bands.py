"""The bands of the density reward are measured from what people play in the training split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from improviser.corpus.library import load_pieces
from improviser.listening.line import NONE, WINDOW
from improviser.listening.observation import STYLES
from improviser.rewards import DENSITY_BANDS
from improviser.training.material import GameSettings, game_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from improviser.training.grid import Part

# Percentiles of the fewest and the most onsets: those of dances end at the median.
PERCENTILES: Final = {"chorale": (10, 90), "fiddle": (10, 50)}
# The rows that were set by hand, by style, and the rows of dances with few windows.
BY_HAND: Final = {"chorale": [1], "fiddle": [1, 2, 3]}
FEW: Final = 300


def window_counts(events: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Return the onsets in each whole window of a line, in the order of time."""
    return np.convolve((events >= 0).astype(np.int64), np.ones(WINDOW, dtype=np.int64), mode="valid")


def measured(parts: Iterable[Part]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the player's density, 0-8, and the partner's onsets in each window that has a partner."""
    duets = [part for part in parts if not (part.partner == NONE).all()]
    players = np.concatenate([window_counts(part.player) for part in duets])
    return np.minimum(players // 2, 8), np.concatenate([window_counts(part.partner) for part in duets])


@pytest.mark.slow
@pytest.mark.parametrize("style", PERCENTILES)
def test_the_bands_are_those_of_people(style: str) -> None:
    """The bands are percentiles of the partner's onsets, except for the rows set by hand."""
    pieces = [piece for piece in load_pieces() if piece.split == "train"]
    density, onsets = measured(game_parts(pieces, GameSettings(style)))
    bands = DENSITY_BANDS[STYLES.index(style)]
    found = [np.percentile(onsets[density == row], PERCENTILES[style]) for row in range(len(bands))]
    differ = [row for row in range(len(bands)) if found[row].tolist() != bands[row].tolist()]
    assert BY_HAND[style] == differ
    if style == "fiddle":
        assert all(np.count_nonzero(density == row) < FEW for row in differ)
