"""The bands of a style are measured from people's parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.errors import CorpusError
from improviser.music.expectation import CORPORA
from improviser.studies.style_bands import DENSITIES, density_bands, main, partner_windows, surprise_band
from improviser.training.written_parts import written_parts
from tests.written_piece import C, F, G, piece

PARTS = list(written_parts([piece("a", 0, *([C, F, G, C] * 8))] * 4, "pop", 4, None))


def test_windows_count_both() -> None:
    """With a note a bar, a window of two bars has two onsets of each, which is a density of one."""
    density, onsets = partner_windows(PARTS)
    assert ({1}, {2}) == (set(density.tolist()), set(onsets.tolist()))


def test_a_density_without_windows_takes_the_nearest_band() -> None:
    """Where all windows are alike, so are the bands."""
    assert [[2.0, 2.0]] * DENSITIES == density_bands(PARTS).tolist()


@pytest.mark.parametrize("corpus", range(len(CORPORA)))
def test_surprise_is_that_of_the_lines(corpus: int) -> None:
    """The band is between the surprise of the usual and that of the odd."""
    low, high = surprise_band(PARTS, corpus)
    assert 1.0 < low <= high < 6.0


def test_without_the_sets_it_says_so(tmp_path: Path) -> None:
    """A folder that lacks the style's sets is named."""
    with pytest.raises(CorpusError, match=r"there is no folder .*pop909"):
        main([str(tmp_path), "pop"])
