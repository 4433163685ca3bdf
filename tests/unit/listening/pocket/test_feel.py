"""The player's feel by place in the bar."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from improviser.listening.pocket.feel import GATE, SPREAD, TIES, BarFeel, Feel

# A bar of two beats in sixteenths: beats, eighths and sixteenths.
LEVELS = np.array([2, 0, 1, 0, 2, 0, 1, 0])


def heard(feel: Feel, bars: int, play: dict[int, tuple[float, int]]) -> Feel:
    """Return `feel` after bars in which each place has its offset in beats and its velocity."""
    for bar in range(bars):
        for place, (offset, velocity) in sorted(play.items()):
            feel.hear(len(LEVELS) * bar + place, place, offset, velocity)
    return feel


def test_before_anything_is_heard_the_expected_feel_is_returned() -> None:
    """Without a note the offsets, accents, spread and gates are the prior's."""
    prior = np.linspace(-0.02, 0.02, 8)
    at = Feel(BarFeel(LEVELS, prior, -prior)).at(7)
    assert (0.02, -0.02, SPREAD, TIES, GATE) == pytest.approx((at.offset_beats, at.accent, at.spread, at.ties, at.gate))


def test_offsets_are_learned_by_place_and_level() -> None:
    """A late eighth is found at its place, half of it at the other eighth, and the mean of all places is left out."""
    feel = heard(Feel(BarFeel.plain(LEVELS)), 16, {0: (0.0, 80), 2: (0.03, 80), 4: (0.0, 80)})
    assert 0.015 < feel.at(2).offset_beats < 0.03
    assert 0.0 < feel.at(6).offset_beats < feel.at(2).offset_beats
    assert feel.at(0).offset_beats < 0.0
    late = heard(Feel(BarFeel.plain(LEVELS)), 16, dict.fromkeys((0, 2, 4, 6), (0.03, 80)))
    assert 0.0 == pytest.approx(late.at(0).offset_beats, abs=0.004)


def test_a_slip_does_little() -> None:
    """One note that is far off counts as one that is somewhat off."""
    feel = heard(Feel(BarFeel.plain(LEVELS)), 16, {0: (0.0, 80), 2: (0.0, 80)})
    feel.hear(130, 2, 0.4, 80)
    assert 0.0 < feel.at(2).offset_beats < 0.004


def test_accents_are_ratios_to_the_mean() -> None:
    """A place that is twice as loud as the others has the accent of that, at any loudness."""
    for loud in (1, 2):
        play = {0: (0.0, 60 * loud), 2: (0.0, 30 * loud), 4: (0.0, 30 * loud), 6: (0.0, 30 * loud)}
        feel = heard(Feel(BarFeel.plain(LEVELS)), 24, play)
        assert log(2) == pytest.approx(feel.at(0).accent - feel.at(2).accent, abs=0.25)


def test_the_spread_is_the_players() -> None:
    """A player of even velocities lowers the spread, and a wild one raises it."""
    rng = np.random.default_rng(0)
    even, wild = Feel(BarFeel.plain(LEVELS)), Feel(BarFeel.plain(LEVELS))
    for step in range(200):
        even.hear(step, step % 8, 0.0, 80)
        wild.hear(step, step % 8, 0.0, int(rng.integers(30, 120)))
    assert even.at(0).spread < SPREAD < wild.at(0).spread


def test_tied_and_detached_notes_are_told_apart() -> None:
    """Ties and the gates of the other notes are learned by place."""
    feel = Feel(BarFeel.plain(LEVELS))
    for _ in range(20):
        feel.hear_gate(0, 1.0)
        feel.hear_gate(2, 0.4)
    assert feel.at(0).ties > TIES > feel.at(2).ties
    assert feel.at(2).gate < 0.55
    assert feel.at(2).gate < feel.at(4).gate < GATE


def test_what_was_heard_fades() -> None:
    """After many bars of another feel the first one is forgotten; a long rest fades no more than a bar."""
    feel = heard(Feel(BarFeel.plain(LEVELS)), 16, {0: (0.0, 80), 2: (0.03, 80)})
    before = feel.at(2).offset_beats
    feel.hear(100_000, 0, 0.0, 80)
    assert before == pytest.approx(feel.at(2).offset_beats, rel=0.15)
    for bar in range(64):
        feel.hear(200_000 + 8 * bar, 0, 0.0, 80)
        feel.hear(200_002 + 8 * bar, 2, 0.0, 80)
    assert abs(feel.at(2).offset_beats) < 0.1 * before


def test_another_bar_keeps_what_is_known_of_the_levels() -> None:
    """With another meter a late eighth is still late, and places of their own are learned anew."""
    feel = heard(Feel(BarFeel.plain(LEVELS)), 16, {0: (0.0, 80), 2: (0.03, 80), 4: (0.0, 80), 6: (0.03, 80)})
    feel.set_bar(BarFeel.plain(LEVELS[:4]))
    assert feel.at(2).offset_beats > 0.005 > feel.at(0).offset_beats


def test_the_same_bar_keeps_what_is_known_of_its_places() -> None:
    """With bars of the same levels, as after another preset, the places are still known."""
    feel = heard(Feel(BarFeel.plain(LEVELS)), 16, {0: (0.0, 80), 2: (0.03, 80), 4: (0.0, 80), 6: (-0.03, 80)})
    before = feel.at(2).offset_beats, feel.at(6).offset_beats
    feel.set_bar(BarFeel.plain(LEVELS))
    assert before == (feel.at(2).offset_beats, feel.at(6).offset_beats)


def test_a_moved_grid_moves_the_offsets() -> None:
    """When the grid moves, what was heard moves the other way against it."""
    feel = heard(Feel(BarFeel.plain(LEVELS)), 16, {0: (0.0, 80), 2: (0.03, 80)})
    moved = np.zeros(8)
    moved[2] = -0.03
    feel.move(moved)
    assert 0.0 == pytest.approx(feel.at(2).offset_beats, abs=0.004)
