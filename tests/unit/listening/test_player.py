"""The player as the improviser hears one."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.player import Player, player_base


def player() -> Player:
    """Return a silent player of one lane, four quarters in sixteenths."""
    return Player(np.array([4]), np.array([16]))


def push(one: Player, event: int, bits: int) -> Player:
    """Push a step into a player in C major."""
    one.push(np.array([event], dtype=np.int16), np.array([bits]), np.array([event]), np.array([0]), np.array([4]))
    return one


def test_a_step_reaches_line_set_and_chord() -> None:
    """After a step the line has the note, the set the pitch classes, and the chord is the implied one."""
    one = push(player(), 67, 0b10010001)
    assert (67, 0b10010001, 67, 0) == (one.line.note[0], one.bits[0], one.bass[0], one.chord[0])


def test_a_copy_goes_its_own_way() -> None:
    """Changes to a copy do not affect the original player."""
    one = push(player(), 67, 0b10010001)
    twin = one.copy()
    for _ in range(8):
        push(twin, 69, 0b1000100100)
    assert (67, 0b10010001, 67, 0) == (one.line.note[0], one.bits[0], one.bass[0], one.chord[0])
    assert (69, 0b1000100100) == (twin.line.note[0], twin.bits[0])
    assert twin.chord[0] != one.chord[0]


@pytest.mark.parametrize(
    ("base", "mean", "tonic"),
    [(48, 66.0, 0), (48, 60.0, 0), (36, 59.9, 0), (47, 59.0, 11), (50, 68.0, 2), (5, 3.0, 5)],
)
def test_the_base_puts_the_mean_into_the_middle(base: int, mean: float, tonic: int) -> None:
    """The base is the tonic nearest to eighteen semitones below the mean, and not below note 0."""
    assert base == player_base(mean, tonic)


@pytest.mark.parametrize("tonic", range(12))
def test_the_base_is_a_tonic_within_the_notes(tonic: int) -> None:
    """For every mean the base is a note of the tonic's pitch class."""
    bases = {player_base(mean / 2, tonic) for mean in range(255)}
    assert {tonic} == {base % 12 for base in bases}
    assert min(bases) >= 0
    assert max(bases) <= 127


def test_the_base_moves_with_the_music() -> None:
    """A mean and a tonic some semitones higher give a base the same semitones higher."""
    assert {48 + up for up in range(24)} == {player_base(60.0 + up, up % 12) for up in range(24)}
