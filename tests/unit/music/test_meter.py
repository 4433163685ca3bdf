"""Meters and their strong positions."""

from __future__ import annotations

import pytest
from music21 import meter as oracle

from improviser.errors import UsageError
from improviser.music.accent import COUNTED_AS, LEVELS, STRENGTHS, STRONG
from improviser.music.meter import GROUPS, MAX_BAR_SIXTEENTHS, METERS, PLAIN, Meter, counted_as, parse_meter


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_a_bar_is_as_long_as_music21_says(meter: Meter) -> None:
    """The quarters of a bar are those of music21's time signature."""
    assert oracle.TimeSignature(meter.name).barDuration.quarterLength == meter.bar_beats
    assert 4 * meter.bar_beats == meter.bar_sixteenths == meter.bar_steps(4)


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_every_meter_survives_its_name(meter: Meter) -> None:
    """A meter's name is read as the same meter."""
    assert meter == parse_meter(meter.name)


def test_an_unknown_meter_is_refused() -> None:
    """The error says how a meter is written."""
    for text in ("4/5", "0/4", "17/4", "waltz"):
        with pytest.raises(UsageError, match=rf"^'{text}' is not a supported meter\. Write it as 3/4"):
            parse_meter(text)


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
        ("3/2", "401020103010201030102010"),
        ("4/2", "40102010301020103010201030102010"),
        ("1/4", "4010"),
        ("8/8", "4010201030102010"),
        ("4/8", "40102010"),
        ("1/8", "40"),
        ("10/8", "40101030101030102010"),
        ("11/8", "4010103010103010103010"),
        ("10/4", "4010201030102010301020102010301020102010"),
        ("9/4", "401020102010301020102010301020102010"),
        ("3/16", "401"),
        ("5/16", "40301"),
        ("9/16", "401010301"),
        ("1/16", "4"),
        ("6/16", "401010"),
        ("2/1", "40102010301020103010201030102010"),
    ],
)
def test_each_meter_has_its_hierarchy(name: str, levels: str) -> None:
    """Downbeat, group, beats, eighths and sixteenths get weaker in this order, and nothing follows the bar."""
    row = METERS.index(parse_meter(name))
    assert [int(level) for level in levels.ljust(MAX_BAR_SIXTEENTHS, "0")] == LEVELS[row].tolist()
    assert (LEVELS[row] / 4).tolist() == STRENGTHS[row].tolist()


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_the_groups_of_a_bar_fill_it(meter: Meter) -> None:
    """The groups of a bar add up to it; none is empty or longer than its plain bar."""
    assert meter.bar_sixteenths == sum(length for _, length in GROUPS[meter])
    assert all(0 < length <= plain.bar_sixteenths for plain, length in GROUPS[meter])


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (3, 2, (3, 2)),
        (8, 32, (4, 16)),
        (7, 32, (4, 16)),
        (1, 128, (1, 16)),
        (255, 4, (4, 4)),
        (20, 4, (4, 4)),
    ],
)
def test_any_time_signature_is_counted(numerator: int, denominator: int, expected: tuple[int, int]) -> None:
    """A time signature without a table is counted in the nearest meter."""
    assert Meter(*expected) == counted_as(Meter(numerator, denominator))


def test_in_four_quarters_first_and_third_beat_are_strong() -> None:
    """The strong positions of a bar of four quarters are 0 and 8."""
    assert [0, 8] == [position for position in range(16) if STRENGTHS[0, position] >= STRONG]


def test_a_plain_bar_is_counted_as_itself() -> None:
    """The meters that models are trained in are observed as themselves."""
    for row, meter in enumerate(PLAIN):
        bar = meter.bar_sixteenths
        assert [[place, row] for place in range(bar)] == COUNTED_AS[row, :bar].tolist()


def test_seven_eighths_are_counted_two_and_two_and_three() -> None:
    """A bar of 7/8 is eight sixteenths of 2/4, then the first half of a bar of 6/8."""
    row = METERS.index(Meter(7, 8))
    two, six = PLAIN.index(Meter(2, 4)), PLAIN.index(Meter(6, 8))
    expected = [[place, two] for place in range(8)] + [[place, six] for place in range(6)]
    assert expected == COUNTED_AS[row, :14].tolist()


def test_a_grid_that_does_not_fit_is_refused() -> None:
    """A grid that gives a bar half a step is refused."""
    assert 7 == Meter(7, 8).bar_steps(2)
    with pytest.raises(UsageError, match="a bar of 7/8 does not fit a grid of 3 a beat"):
        Meter(7, 8).bar_steps(3)


@pytest.mark.parametrize(
    ("meter", "beats", "bars"),
    [
        (Meter(4, 4), (-4.0, -0.25, 0.0, 3.75, 4.0 - 1e-7, 4.0, 8.0), (0, 0, 1, 1, 2, 2, 3)),
        (Meter(7, 8), (-3.5, 0.0, 3.25, 3.5, 7.0), (0, 1, 1, 2, 3)),
    ],
)
def test_bars_are_counted_from_beat_0(meter: Meter, beats: tuple[float, ...], bars: tuple[int, ...]) -> None:
    """Bar 1 begins at beat 0; the bars of a count-in are 0 and below."""
    assert bars == tuple(map(meter.bar_at, beats))
