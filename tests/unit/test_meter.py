"""Meters and their strong positions."""

from __future__ import annotations

import pytest
from music21 import meter as oracle

from improviser.errors import UsageError
from improviser.music.accent import COUNTED_AS, LEVELS, MAX_BAR_SIXTEENTHS, STRENGTHS, STRONG
from improviser.music.meter import METERS, PLAIN, Meter, parse_meter


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_a_bar_is_as_long_as_music21_says(meter: Meter) -> None:
    """The quarters of a bar are those of music21's time signature."""
    assert oracle.TimeSignature(meter.name).barDuration.quarterLength == meter.bar_beats
    assert 4 * meter.bar_beats == meter.bar_sixteenths == meter.bar_steps(4)


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_every_meter_survives_its_name(meter: Meter) -> None:
    """A meter's name is read back as the meter."""
    assert meter == parse_meter(meter.name)


def test_an_unknown_meter_is_refused() -> None:
    """The error lists the meters that there are."""
    with pytest.raises(
        UsageError, match=r"'11/8' is no meter that is known; choose one of 4/4, 2/4, 3/4, 6/8, 2/2, 5/4"
    ):
        parse_meter("11/8")


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("4/4", "4010201030102010"),
        ("2/4", "40102010"),
        ("3/4", "401020102010"),
        ("6/8", "401010301010"),
        ("2/2", "4010201030102010"),
        ("5/4", "40102010201030102010"),
        ("6/4", "401020102010301020102010"),
        ("7/4", "4010201030102010301020102010"),
        ("3/8", "401010"),
        ("5/8", "4010103010"),
        ("7/8", "40102010301010"),
        ("9/8", "401010301010301010"),
        ("12/8", "401010301010301010301010"),
    ],
)
def test_each_meter_has_its_hierarchy(name: str, levels: str) -> None:
    """Downbeat, group, beats, eighths and sixteenths are ever weaker; after the bar comes nothing."""
    row = METERS.index(parse_meter(name))
    assert [int(level) for level in levels.ljust(MAX_BAR_SIXTEENTHS, "0")] == LEVELS[row].tolist()
    assert (LEVELS[row] / 4).tolist() == STRENGTHS[row].tolist()


def test_in_four_quarters_first_and_third_beat_are_strong() -> None:
    """The strong positions of a bar of four quarters are 0 and 8."""
    assert [0, 8] == [position for position in range(16) if STRENGTHS[0, position] >= STRONG]


def test_a_plain_bar_is_counted_as_itself() -> None:
    """What models are trained in is what they see."""
    for row, meter in enumerate(PLAIN):
        bar = meter.bar_sixteenths
        assert [[place, row] for place in range(bar)] == COUNTED_AS[row, :bar].tolist()


def test_seven_eighths_are_counted_two_and_two_and_three() -> None:
    """Eight sixteenths of a bar of 2/4, then the first half of one of 6/8."""
    row = METERS.index(Meter(7, 8))
    two, six = PLAIN.index(Meter(2, 4)), PLAIN.index(Meter(6, 8))
    expected = [[place, two] for place in range(8)] + [[place, six] for place in range(6)]
    assert expected == COUNTED_AS[row, :14].tolist()


def test_a_grid_that_does_not_fit_is_refused() -> None:
    """Half a step has no place in a bar."""
    assert 7 == Meter(7, 8).bar_steps(2)
    with pytest.raises(UsageError, match="a bar of 7/8 is no whole number of steps on a grid of 3 a beat"):
        Meter(7, 8).bar_steps(3)


@pytest.mark.parametrize(
    ("meter", "beats", "bars"),
    [
        (Meter(4, 4), (-4.0, -0.25, 0.0, 3.75, 4.0 - 1e-7, 4.0, 8.0), (0, 0, 1, 1, 2, 2, 3)),
        (Meter(7, 8), (-3.5, 0.0, 3.25, 3.5, 7.0), (0, 1, 1, 2, 3)),
    ],
)
def test_bars_are_counted_from_beat_0(meter: Meter, beats: tuple[float, ...], bars: tuple[int, ...]) -> None:
    """Bar 1 begins there; those of a count-in are 0 and below."""
    assert bars == tuple(map(meter.bar_at, beats))
