"""Measuring how long the player's notes sound."""

from __future__ import annotations

import pytest

from improviser.listening.pocket.articulation import Articulation

A, B = (0, 60), (0, 64)


def test_a_note_is_measured_when_the_next_begins() -> None:
    """A note of a quarter of a beat, half a beat before the next, has a gate of one half, at its place."""
    articulation = Articulation()
    assert articulation.strike(A, 3, 1.0) is None
    articulation.hear({A}, 1.1)
    articulation.hear(frozenset(), 1.25)
    articulation.hear(frozenset(), 1.3)
    assert pytest.approx((3, 0.5)) == articulation.strike(B, 5, 1.5)


def test_a_note_that_still_sounds_is_tied() -> None:
    """A key that is down, or a note that the pedal holds, when the next is struck has a gate of one."""
    articulation = Articulation()
    articulation.strike(A, 0, 0.0)
    assert (0, 1.0) == articulation.strike(B, 2, 0.5)


def test_a_chord_ends_with_its_last_key() -> None:
    """The notes of a chord are measured together."""
    articulation = Articulation()
    articulation.strike(A, 0, 0.0)
    assert articulation.strike(B, 0, 0.05) is None
    articulation.hear({B}, 0.1)
    articulation.hear(frozenset(), 0.4)
    assert pytest.approx((0, 0.8)) == articulation.strike(A, 2, 0.5)


@pytest.mark.parametrize(("end_beat", "next_beat"), [(0.2, 1.0), (2.5, 2.6)])
def test_rests_and_long_notes_say_nothing(end_beat: float, next_beat: float) -> None:
    """A note before a rest, and one that lasts more than two beats, are not measured."""
    articulation = Articulation()
    articulation.strike(A, 0, 0.0)
    articulation.hear(frozenset(), end_beat)
    assert articulation.strike(B, 0, next_beat) is None


def test_a_beat_that_goes_back_begins_anew() -> None:
    """After a loop the note before it says nothing, and the next one is measured again."""
    articulation = Articulation()
    articulation.strike(A, 0, 40.0)
    assert articulation.strike(B, 0, 0.0) is None
    articulation.hear(frozenset(), 0.25)
    assert (0, 0.5) == articulation.strike(A, 2, 0.5)
