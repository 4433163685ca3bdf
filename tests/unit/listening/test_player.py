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
    one.push(np.array([event], dtype=np.int16), np.array([bits]), np.array([event]), np.array([4]))
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


def test_repeated_lanes_go_on_as_the_one() -> None:
    """Each lane of a repeated player goes on as the player itself would, whatever the others do."""
    one = push(push(push(player(), 67, 0b10010001), 72, 0b10010001), -1, 0b10010001)
    many = one.chosen(np.zeros(3, dtype=np.int64))
    events, bits = np.array([69, -1, 62], dtype=np.int16), np.array([0b1000100100, 0b10010001, 0b100])
    many.push(events, bits, np.maximum(events, 60), np.full(3, 4))
    assert -1 == one.line.events[0, -1]
    for lane in range(3):
        alone = one.copy()
        now = slice(lane, lane + 1)
        alone.push(events[now], bits[now], np.maximum(events[now], 60), np.array([4]))
        assert (alone.chord[0], alone.bits[0], alone.bass[0]) == (many.chord[lane], many.bits[lane], many.bass[lane])
        assert pytest.approx(float(many.chord_confidence[lane]), abs=1e-5) == float(alone.chord_confidence[0])
        for name in ("events", "note", "before", "since", "count", "pitches", "intervals", "classes", "runs", "lagged"):
            np.testing.assert_array_equal(getattr(alone.line, name)[0], getattr(many.line, name)[lane], name)


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
