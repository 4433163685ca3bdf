"""The map between seconds and beats."""

from __future__ import annotations

import pytest

from improviser.listening.tempo import BeatClock


def test_beats_follow_one_another_at_the_tempo() -> None:
    """At 90 beats a minute a beat takes two thirds of a second, from the anchor on and before it."""
    clock = BeatClock(90.0)
    clock.anchor(10.0, 4.0)
    assert 2 / 3 == pytest.approx(clock.beat_s)
    assert 11.0 == pytest.approx(clock.s_at(5.5))
    assert 8.0 == pytest.approx(clock.s_at(1.0))


def test_seconds_and_beats_are_each_others_inverse() -> None:
    """The beat at the moment of a beat is that beat."""
    clock = BeatClock(133.0)
    clock.anchor(5.0, 2.0)
    assert 7.25 == pytest.approx(clock.beat_at(clock.s_at(7.25)))


def test_a_change_of_tempo_does_not_move_the_beat() -> None:
    """At the moment of the change the beat stays; from there on it runs at the new tempo."""
    clock = BeatClock(60.0)
    clock.set_tempo(120.0, 3.0)
    assert 3.0 == pytest.approx(clock.beat_at(3.0))
    assert 5.0 == pytest.approx(clock.beat_at(4.0))
