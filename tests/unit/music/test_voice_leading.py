"""The distance of chords from one another."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.music.chord import CHORD_COUNT, QUALITY_COUNT
from improviser.music.voice_leading import MOVEMENT, SHARED

C, C7, AM, F_SHARP = 0, 4, 9 * QUALITY_COUNT + 1, 6 * QUALITY_COUNT


def test_movement() -> None:
    """The movement is 0 to the same chord, a third of two semitones to A minor, and over half a tone to F sharp."""
    assert 0 == MOVEMENT[C, C]
    assert pytest.approx(2 / 3) == MOVEMENT[C, AM]
    assert MOVEMENT[C, F_SHARP] > 1


def test_movement_is_the_same_both_ways_and_in_every_key() -> None:
    """The movement is symmetric, and the same in every key."""
    np.testing.assert_allclose(MOVEMENT, MOVEMENT.T)
    np.testing.assert_allclose(MOVEMENT, np.roll(MOVEMENT, (QUALITY_COUNT, QUALITY_COUNT), axis=(0, 1)), rtol=1e-6)


def test_shared_tones() -> None:
    """C shares all its tones with C7, two with A minor and none with F sharp."""
    assert [3, 3, 2, 0] == SHARED[C, [C, C7, AM, F_SHARP]].tolist()
    assert (CHORD_COUNT, CHORD_COUNT) == SHARED.shape
