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


def test_with_swing_the_second_eighth_is_late() -> None:
    """At two to one the second eighth is at two thirds of the beat; the beats and the inverse map stay correct."""
    clock = BeatClock(60.0, swing=2 / 3)
    clock.anchor(10.0, 4.0)
    assert [10.0, 10 + 1 / 3, 10 + 2 / 3, 10 + 5 / 6, 11.0] == pytest.approx(
        [clock.s_at(beat) for beat in (4.0, 4.25, 4.5, 4.75, 5.0)]
    )
    for beat in (3.1, 4.0, 4.4, 4.5, 4.9, 7.25):
        assert beat == pytest.approx(clock.beat_at(clock.s_at(beat)))
    assert 10.5 == clock.straight_s_at(4.5)
    assert 4.5 == clock.straight_beat_at(10.5)


def test_sixteenths_can_swing() -> None:
    """With half a beat as its unit, swing moves the second and fourth sixteenth only, and it can be changed."""
    clock = BeatClock(60.0)
    clock.set_swing(0.6, 0.5)
    assert [0.0, 0.3, 0.5, 0.8, 1.0] == pytest.approx([clock.s_at(beat) for beat in (0.0, 0.25, 0.5, 0.75, 1.0)])
    assert [0.25, 0.75] == pytest.approx([clock.beat_at(0.3), clock.beat_at(0.8)])
    clock.set_swing(0.5)
    assert 0.25 == clock.s_at(0.25)
