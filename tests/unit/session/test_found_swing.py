"""The swing of a recorded player."""

from __future__ import annotations

import pytest

from improviser.session.found_swing import find_swing, set_swing


def eighths(share: float, beats: int, start: int = 0) -> list[float]:
    """Return eighths that swing, as beats."""
    return [start + beat + place for beat in range(beats) for place in (0.0, share)]


def test_a_swing_that_is_set_stays() -> None:
    """The offbeat of a swing is the middle of the beat, wherever it is."""
    swing = set_swing(0.6)
    assert [0.5, 99.5, 3.25] == pytest.approx([swing.straight(beat) for beat in (0.6, 99.6, 3.3)])


def test_the_swing_of_the_player_is_found() -> None:
    """The swing holds from the first beat on; straight eighths stay where they are."""
    swung = find_swing(eighths(0.66, 64))
    assert [0.5, 63.5] == pytest.approx([swung.straight(beat) for beat in (0.66, 63.66)], abs=0.02)
    straight = find_swing(eighths(0.5, 64))
    assert [0.5, 63.66] == [straight.straight(beat) for beat in (0.5, 63.66)]


def test_the_swing_may_change() -> None:
    """Each beat has the swing of its time."""
    changing = find_swing([*eighths(0.5, 96), *eighths(0.66, 128, 96)])
    assert [0.5, 223.5] == pytest.approx([changing.straight(beat) for beat in (0.5, 223.66)], abs=0.02)


def test_without_a_player_there_is_no_swing() -> None:
    """Without an onset the grid is straight."""
    assert 0.6 == find_swing([]).straight(0.6)
