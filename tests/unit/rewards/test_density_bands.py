"""The bands of the density reward are measured from what people play in the training split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from improviser.corpus.library import load_pieces
from improviser.listening.observation import STYLES
from improviser.rewards import DENSITY_BANDS
from improviser.studies.style_bands import partner_windows
from improviser.training.material import GameSettings, game_parts

if TYPE_CHECKING:
    pass

# Percentiles of the fewest and the most onsets: those of dances end at the median.
PERCENTILES: Final = {"chorale": (10, 90), "fiddle": (10, 50)}
# The rows that were set by hand, by style, and the rows of dances with few windows.
BY_HAND: Final = {"chorale": [1], "fiddle": [1, 2, 3]}
FEW: Final = 300


@pytest.mark.slow
@pytest.mark.parametrize("style", PERCENTILES)
def test_the_bands_are_those_of_people(style: str) -> None:
    """The bands are percentiles of the partner's onsets, except for the rows set by hand."""
    pieces = [piece for piece in load_pieces() if piece.split == "train"]
    density, onsets = partner_windows(game_parts(pieces, GameSettings(style)))
    bands = DENSITY_BANDS[STYLES.index(style)]
    found = [np.percentile(onsets[density == row], PERCENTILES[style]) for row in range(len(bands))]
    differ = [row for row in range(len(bands)) if found[row].tolist() != bands[row].tolist()]
    assert BY_HAND[style] == differ
    if style == "fiddle":
        assert all(np.count_nonzero(density == row) < FEW for row in differ)
