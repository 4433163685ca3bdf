"""What the sequence network sees of an onset."""

from __future__ import annotations

import numpy as np

from improviser.listening.beat.onset_collector import Onset, Strength
from improviser.listening.beat.onset_features import FEATURES, Array, OnsetFeatures

STRENGTH = Strength(0.0, 1.0, 0.5, 0.25, 0.0)


def onset(at_s: float, note: int = 60) -> Onset:
    """Return an onset of one note."""
    return Onset(at_s, 1, note, note, 80, 1 << note % 12)


def test_nothing_is_known_of_what_came_before_the_first() -> None:
    """The first onset has no times before it, and its own strength."""
    found = OnsetFeatures().describe(onset(5.0), STRENGTH)
    assert (FEATURES,) == found.shape
    assert not found[:80].any()
    assert [*STRENGTH] == found[80:85].tolist()


def test_the_times_since_the_last_onsets_are_seen() -> None:
    """An onset after another one is described by the time between, whenever that was."""
    rows: list[Array] = []
    for gap_s in (0.25, 0.25, 0.5):
        features = OnsetFeatures()
        features.describe(onset(len(rows)), STRENGTH)
        rows.append(features.describe(onset(len(rows) + gap_s, 62), STRENGTH))
    np.testing.assert_array_equal(rows[0], rows[1])
    assert np.argmax(rows[0][:20]) < np.argmax(rows[2][:20])
    assert not rows[0][20:80].any()


def test_a_turn_of_the_line_is_seen() -> None:
    """Up by a second, the same note and down by an octave differ; an octave is the same pitch class."""
    rows: list[Array] = []
    for note in (62, 60, 48):
        features = OnsetFeatures()
        features.describe(onset(0.0), STRENGTH)
        rows.append(features.describe(onset(0.5, note), STRENGTH)[85:100])
    up, same, down = rows
    assert (True, 0, 1) == (up[0] > 0, up[1], up[2])
    assert (0, 1, 1) == tuple(same[:3])
    assert (True, 0, 0) == (down[0] < -0.9, down[1], down[2])
    assert np.argmax(same[3:]) == np.argmax(down[3:]) == 0


def test_long_playing_looks_like_that_of_training() -> None:
    """After as many onsets as in training the count stays."""
    features = OnsetFeatures()
    rows = [features.describe(onset(0.25 * index), STRENGTH) for index in range(200)]
    assert rows[100][-2] < rows[160][-2]
    np.testing.assert_array_equal(rows[160], rows[199])
