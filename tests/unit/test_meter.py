"""Meters and their strong positions."""

from __future__ import annotations

import pytest
from music21 import meter as oracle

from improviser.errors import UsageError
from improviser.music.meter import (
    LEVELS,
    MAX_BAR_SIXTEENTHS,
    METERS,
    STRENGTHS,
    STRONG,
    Meter,
    parse_meter,
)


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_a_bar_is_as_long_as_music21_says(meter: Meter) -> None:
    """The quarters of a bar are those of music21's time signature."""
    assert oracle.TimeSignature(meter.name).barDuration.quarterLength == meter.bar_beats
    assert 4 * meter.bar_beats == meter.bar_sixteenths


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.name)
def test_every_meter_survives_its_name(meter: Meter) -> None:
    """A meter's name is read back as the meter."""
    assert meter == parse_meter(meter.name)


def test_an_unknown_meter_is_refused() -> None:
    """The error lists the meters that there are."""
    with pytest.raises(
        UsageError, match=r"'5/4' is no meter that is known; choose one of 4/4, 2/4, 3/4, 6/8"
    ):
        parse_meter("5/4")


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("4/4", "4010201030102010"),
        ("2/4", "40102010"),
        ("3/4", "401020102010"),
        ("6/8", "401010301010"),
    ],
)
def test_each_meter_has_its_hierarchy(name: str, levels: str) -> None:
    """Downbeat, half bar, beats, eighths and sixteenths are ever weaker; after the bar comes nothing."""
    row = METERS.index(parse_meter(name))
    assert [int(level) for level in levels.ljust(MAX_BAR_SIXTEENTHS, "0")] == LEVELS[row].tolist()
    assert (LEVELS[row] / 4).tolist() == STRENGTHS[row].tolist()


def test_in_four_quarters_first_and_third_beat_are_strong() -> None:
    """The strong positions of a bar of four quarters are 0 and 8."""
    assert [0, 8] == [position for position in range(16) if STRENGTHS[0, position] >= STRONG]
