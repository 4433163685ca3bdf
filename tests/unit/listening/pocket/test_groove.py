"""The grooves of drummers."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.errors import UsageError
from improviser.listening.pocket.feel import LEVEL_COUNT
from improviser.listening.pocket.groove import GROOVE_NAMES, PLACES, expected_feel, find_groove
from improviser.listening.pocket.swing import LARGEST
from improviser.music.meter import METERS, parse_meter

COMMON, WALTZ = METERS.index(parse_meter("4/4")), METERS.index(parse_meter("3/4"))


@pytest.mark.parametrize("name", GROOVE_NAMES)
def test_each_groove_is_possible(name: str) -> None:
    """Each groove has a swing, sixteen offsets of less than a sixteenth, and accents around 0."""
    groove = find_groove(name)
    assert 0.5 <= groove.swing.share <= LARGEST
    assert (PLACES, PLACES) == (len(groove.offsets), len(groove.accents))
    assert max(map(abs, groove.offsets)) < 0.06
    assert 0.0 == pytest.approx(np.mean(groove.accents), abs=0.002)


def test_styles_have_what_they_are_known_for() -> None:
    """Swing and shuffle swing their eighths, and funk has its accents on two and four."""
    assert all(find_groove(name).swing.share > 0.6 for name in ("swing", "shuffle"))
    assert {4, 12} == set(np.argsort(find_groove("funk").accents)[-2:].tolist())


def test_an_unknown_groove_is_refused() -> None:
    """The error lists the grooves that there are."""
    with pytest.raises(UsageError, match=r"no groove 'polka'; there are: .*funk"):
        find_groove("polka")


def test_without_a_groove_the_own_accents_are_expected() -> None:
    """Notes are expected on the grid with the given accents, and places have their metrical level."""
    own = np.linspace(-0.1, 0.1, 16)
    bar = expected_feel(COMMON, 4, own, None)
    assert own.tolist() == bar.accents.tolist()
    assert not bar.offsets.any()
    assert [2, 0, 1, 0] * 4 == np.minimum(bar.levels, LEVEL_COUNT - 1).tolist()


def test_a_groove_fits_any_grid() -> None:
    """Each step has the values of its sixteenth; between two sixteenths they are interpolated, also in a waltz."""
    groove = find_groove("funk")
    assert groove.accents == tuple(expected_feel(COMMON, 4, np.zeros(16), groove).accents)
    assert groove.offsets[::2] == tuple(expected_feel(COMMON, 2, np.zeros(8), groove).offsets)
    triplets = expected_feel(WALTZ, 3, np.zeros(9), groove)
    assert (9, 9) == (triplets.steps, len(triplets.levels))
    expected = groove.accents[1] + (groove.accents[2] - groove.accents[1]) / 3
    assert expected == pytest.approx(triplets.accents[1])
