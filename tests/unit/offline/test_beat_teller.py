"""Beats are told one by one, when they happen."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.beat_tracker import BeatView
from improviser.music.meter import COMMON
from improviser.offline.beat_teller import TICK_S, BeatTeller, beat_views
from tests.following import accompaniment, make_tracker, steady


def view_of(beat: float, now_s: float, tempo_bpm: float = 120.0) -> BeatView:
    """Return a view at a moment."""
    return BeatView(now_s - beat % 1 * 60 / tempo_bpm, beat, 1, tempo_bpm, 0.9, COMMON, 0)


def test_a_beat_is_told_once_when_it_is_reached() -> None:
    """The moment is that of the beat within the last reading, and it is told once."""
    teller = BeatTeller()
    assert pytest.approx(2.0) == teller.told(view_of(4.01, 2.005), 2.005)
    assert teller.told(view_of(4.5, 2.25), 2.25) is None


def test_a_correction_tells_no_beat_that_is_long_past() -> None:
    """A beat that turns out to have been is told at the reading, or not at all if it was long ago."""
    teller = BeatTeller()
    assert pytest.approx(2.0 - TICK_S) == teller.told(view_of(4.1, 2.0), 2.0)
    assert teller.told(view_of(5.4, 2.7), 2.7) is None


def test_two_beats_are_not_told_close_together() -> None:
    """A correction that brings the next beat at once does not tell it."""
    teller = BeatTeller()
    teller.told(view_of(4.0, 2.0), 2.0)
    assert teller.told(view_of(5.0, 2.1), 2.1) is None


def test_views_use_nothing_that_comes_later() -> None:
    """The views of a beginning are the same, whatever follows it."""
    messages = accompaniment(steady(100, 17))
    half = [timed for timed in messages if timed.due_s < 5]
    short = list(beat_views(make_tracker(), half, 5.0))
    whole = [pair for pair in beat_views(make_tracker(), messages, 12.0) if pair[0] < 5.0]
    assert short == whole
    assert pytest.approx(np.arange(len(short)) * TICK_S, abs=1e-9) == [at_s - short[0][0] for at_s, _ in short]
