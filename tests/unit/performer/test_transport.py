"""When notes leave during a performance: after the player, or on the grid where something else keeps time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from improviser.choices import ClockUse, NoteTiming
from improviser.midi.message import NoteOn
from improviser.performer.inbox import LinkHeard
from improviser.protocol import Played, SetOffset, SetTiming, Steer, Timed
from tests.performing import ENGINE, START_S, Performance, performer_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

BEAT_S = 0.5
COLLECT_S = 0.02


def play(commands: Sequence[tuple[float, Steer]] = (), **values: object) -> Performance:
    """Play one note a beat for seven seconds, with commands at their times."""
    settings = performer_settings(**{"engine": ENGINE | {"collect_s": COLLECT_S}, "keeps_tempo": True} | values)
    performance = Performance(settings)
    for beat in range(14):
        performance.play(beat * BEAT_S, NoteOn(0, 60, 80))
    for at_s, command in commands:
        performance.at(at_s, partial(performance.inbox.put, command))
    performance.run(until_s=7.0)
    return performance


def behind(performance: Performance, since_s: float = 0.0, until_s: float = 9.0) -> set[float]:
    """Return by how much the notes due within a time are behind their beats, in seconds."""
    due = [played.due_s - START_S for played in performance.told(Played)]
    return {round(at_s - round(at_s / BEAT_S) * BEAT_S, 6) for at_s in due if since_s <= at_s < until_s}


def test_alone_notes_leave_after_the_player() -> None:
    """Without another clock notes leave after the time to collect, and nothing has to be told."""
    performance = play()
    assert {COLLECT_S} == behind(performance)
    assert [] == performance.told(Timed)


def test_with_the_metronome_notes_leave_on_the_grid() -> None:
    """The metronome keeps time: notes leave on the beat from the first bar on."""
    performance = play(metronome=True)
    assert [Timed("on-grid")] == performance.told(Timed)
    assert {0.0} == behind(performance, 0.1)


def test_when_notes_leave_can_be_chosen_and_shifted() -> None:
    """Commands change when notes leave, at once; the offset comes on top."""
    chosen = [(1.1, SetTiming(NoteTiming.ON_GRID)), (3.1, SetOffset(-5.0)), (5.1, SetTiming(NoteTiming.AFTER_YOU))]
    performance = play(chosen)
    grid, after = "on-grid", "after-you"
    assert [Timed(grid, 0.0, grid), Timed(grid, -0.005, grid), Timed(after, -0.005, after)] == performance.told(Timed)
    assert [{0.0}, {-0.005}] == [behind(performance, since_s, since_s + 1.8) for since_s in (1.2, 3.2)]
    assert {round(COLLECT_S - 0.005, 6)} == behind(performance, 5.2)


def test_a_preset_can_choose_when_notes_leave() -> None:
    """What the preset or an option chose holds from the beginning."""
    performance = play(engine=ENGINE | {"collect_s": COLLECT_S, "timing": "on-grid", "offset_s": 0.004})
    assert [] == performance.told(Timed)
    assert {0.004} == behind(performance, 0.1)


def test_an_outer_clock_brings_notes_to_the_grid() -> None:
    """With Link's beat notes leave on the grid."""
    settings = performer_settings(engine=ENGINE | {"collect_s": COLLECT_S}, clock=ClockUse.LINK)
    performance = Performance(settings)
    for place in range(16):
        link = LinkHeard(START_S + place / 4, place / 2, 120.0, is_playing=True, peers=1)
        performance.at(place / 4, partial(performance.inbox.put, link))
    performance.play(0.5, NoteOn(0, 60, 80))
    performance.run(until_s=4.0)
    assert [Timed("on-grid")] == performance.told(Timed)
    assert {0.0} == behind(performance, 0.6)


@pytest.mark.parametrize("offset", [-101.0, 101.0, float("nan"), True, "1"])
def test_a_wrong_offset_is_refused(offset: float) -> None:
    """An offset out of range, or no number, is not a command."""
    with pytest.raises(ValueError, match="offset_ms takes a number from -100 to 100"):
        SetOffset(offset)


def test_a_wrong_timing_is_refused() -> None:
    """A name that is no timing is not a command."""
    with pytest.raises(ValueError, match="later"):
        SetTiming("later")  # type: ignore[arg-type]
