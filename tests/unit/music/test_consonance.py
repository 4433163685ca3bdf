"""The consonance of intervals."""

from __future__ import annotations

from itertools import pairwise

from improviser.music.consonance import CONSONANT_INTERVALS, HURON_INDEX, interval_consonance


def test_the_index_has_hurons_order() -> None:
    """Huron's interval classes are in order of consonance: fifth, thirds, tritone, seconds."""
    assert [5, 3, 4, 6, 2, 1] == sorted(HURON_INDEX, key=lambda interval: -HURON_INDEX[interval])


def test_intervals_have_the_order_of_counterpoint() -> None:
    """Each of these is worth less than the one before: thirds and sixths, fifth, unison, fourth, tritone, seconds."""
    table = interval_consonance()
    order = [4, 7, 0, 5, 6, 2, 1]
    assert all(table[better] > table[worse] for better, worse in pairwise(order))


def test_an_interval_is_as_consonant_as_its_inversion() -> None:
    """Except for fourth and fifth, an interval and its inversion have the same value."""
    table = interval_consonance()
    assert all(table[interval] == table[12 - interval] for interval in (1, 2, 3, 4, 6))


def test_consonances_are_worth_more_than_nothing() -> None:
    """Exactly the consonances of counterpoint are above 0, and all values are in [-1, 1]."""
    table = interval_consonance()
    assert CONSONANT_INTERVALS == tuple(interval for interval in range(12) if table[interval] > 0)
    assert -1.0 == table.min()
    assert 1.0 == table.max()
