"""Finding the player's swing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from improviser.listening.pocket.swing import NO_SWING, Swing, SwingTracker

EIGHTHS, SIXTEENTHS, DOTTED = (0.0, 0.5), (0.0, 0.25, 0.5, 0.75), (0.0, 0.75)


def heard(swing: Swing, onsets: Sequence[float], bars: int = 8, late: float = 0.0, seed: int = 0) -> SwingTracker:
    """Return a tracker after bars of four beats with these onsets, played with a swing and a person's jitter."""
    rng, tracker = np.random.default_rng(seed), SwingTracker()
    for beat in range(4 * bars):
        for onset in onsets:
            if rng.random() < 0.7:
                tracker.hear(beat + swing.place(onset) + late + 0.025 * rng.standard_normal())
    return tracker


@pytest.mark.parametrize("share", [0.57, 0.6, 0.67])
@pytest.mark.parametrize("late", [-0.03, 0.0, 0.04])
def test_swung_eighths_are_found(share: float, late: float) -> None:
    """After eight bars the share of the first eighth is known within .03, also of a player who is early or late."""
    swing = heard(Swing(share), EIGHTHS, late=late).follow()
    assert 1.0 == swing.unit_beats
    assert share == pytest.approx(swing.share, abs=0.03)


def test_swung_sixteenths_are_found() -> None:
    """Sixteenths that swing have half a beat as their unit."""
    swing = heard(Swing(0.64, 0.5), SIXTEENTHS).follow()
    assert 0.5 == swing.unit_beats
    assert 0.64 == pytest.approx(swing.share, abs=0.03)


@pytest.mark.parametrize("onsets", [(0.0,), EIGHTHS, SIXTEENTHS, DOTTED])
@pytest.mark.parametrize("seed", range(5))
def test_a_straight_player_is_found_straight(onsets: Sequence[float], seed: int) -> None:
    """Beats, eighths, sixteenths and dotted eighths are no swing."""
    assert NO_SWING == heard(NO_SWING, onsets, seed=seed).follow()


@pytest.mark.parametrize("seed", range(5))
def test_onsets_that_keep_to_no_grid_are_no_swing(seed: int) -> None:
    """Onsets all over the beat say nothing."""
    rng, tracker = np.random.default_rng(seed), SwingTracker()
    for beat in range(32):
        for phase in sorted(rng.random(3)):
            tracker.hear(beat + phase)
    assert NO_SWING == tracker.follow()


def test_the_first_swing_is_kept_until_the_player_shows_another() -> None:
    """The swing at the start stays while little is heard, and a straight player ends it."""
    start = Swing(0.6)
    tracker = SwingTracker(start)
    tracker.hear(0.0)
    assert start == tracker.follow()
    for beat in range(1, 64):
        tracker.hear(beat)
        tracker.hear(beat + 0.5)
    assert NO_SWING == tracker.follow()


def test_a_player_who_changes_is_followed() -> None:
    """Some bars after the player has begun to play straight, the swing is gone."""
    tracker = heard(Swing(0.66), EIGHTHS)
    assert NO_SWING != tracker.follow()
    for beat in range(32, 160):
        tracker.hear(beat)
        tracker.hear(beat + 0.5)
    assert NO_SWING == tracker.follow()


def test_a_chord_counts_once() -> None:
    """Notes struck together are one onset."""
    one, many = SwingTracker(), SwingTracker()
    for beat in (0.0, 0.62, 1.0):
        one.hear(beat)
        for note in range(4):
            many.hear(beat + 0.01 * note)
    assert one.follow() == many.follow()
    assert np.array_equal(one._evidence, many._evidence)  # noqa: SLF001 - what the next onsets are added to


def test_a_swing_can_be_scaled() -> None:
    """Half of a swing is half as far from straight, in the same unit."""
    assert Swing(0.58, 0.5) == Swing(0.66, 0.5).scaled(0.5)
    assert Swing(0.5, 1.0) == Swing(0.66).scaled(0.0)


def test_a_beat_that_goes_back_is_heard_on() -> None:
    """After a loop or a new start the beats are smaller, and onsets count as before."""
    tracker = heard(NO_SWING, EIGHTHS)
    rng, swing = np.random.default_rng(1), Swing(0.64)
    for loop in range(16):
        for onset in (*(beat + place for beat in range(4) for place in EIGHTHS),):
            tracker.hear(onset // 1 + swing.place(onset % 1) + 0.01 * rng.standard_normal() - 40 * (loop % 2))
    assert 0.64 == pytest.approx(tracker.follow().share, abs=0.03)


@pytest.mark.parametrize("swing", [Swing(0.66), Swing(0.6, 0.5), Swing()])
def test_a_swung_place_is_made_straight_again(swing: Swing) -> None:
    """The straight position of a place is where it came from."""
    places = [place / 8 for place in range(-8, 25)]
    assert places == pytest.approx([swing.straight(swing.place(place)) for place in places])
