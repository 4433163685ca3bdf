"""The improviser's own MIDI clock coming back over a cable, beside clocks of others that are followed."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from improviser.choices import ClockUse
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, NoteOn, message_to_bytes
from improviser.protocol import Started, Synced, Warned
from tests.performing import KEYBOARD, START_S, Performance, ons, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock
from tests.unit.performer.clock.test_clock_sync_choice import DAW, texts

ON = NoteOn(0, 60, 80)


def returning(delay_s: float, **values: Any) -> Performance:  # noqa: ANN401 - any field
    """Return a performance whose clock comes back on a port after `delay_s` seconds."""
    performance = Performance(performer_settings(sends_clock=True, **values))
    kinds = {message_to_bytes(message)[0] for message in (CLOCK, START, STOP, CONTINUE)} | {0xF2}

    def come_back(data: Any, _at_ns: int) -> None:  # noqa: ANN401 - bytes
        """Receive a sent clock message after the delay."""
        if data[0] in kinds:
            performance.play_bytes(performance.clock.now_s() - START_S + delay_s, tuple(data))

    performance.backend.open_input("Improviser Out", come_back)
    return performance


@pytest.mark.parametrize("use", [ClockUse.AUTO, ClockUse.MIDI])
@pytest.mark.parametrize("delay_s", [0.0, 0.003, 0.05, 0.12])
def test_our_own_clock_that_comes_back_is_not_followed(delay_s: float, use: ClockUse) -> None:
    """The own clock that comes back changes neither the tempo nor the beat, and one warning reports it."""
    performance = returning(delay_s, clock=use)
    performance.play(1.0, ON)
    performance.run(until_s=10.0)
    assert [1.0, 3.0, 5.0, 7.0, 9.0] == pytest.approx(ons(performance), abs=1e-4)
    assert not performance.told(Synced)
    assert not performance.told(Started)
    assert [f"improviser's own MIDI clock comes back on '{KEYBOARD}' and is ignored. Remove that connection"] == texts(
        performance
    )


def test_ticks_that_are_made_up_for_after_a_stall_come_back_too() -> None:
    """Ticks that leave at the same moment after a stall are recognised when they come back."""
    performance = returning(0.002)
    performance.play(1.0, ON)
    for stall in range(6):
        stalled_s = 2.0 + stall * 0.7
        performance.at(stalled_s, partial(performance.clock.advance, START_S + stalled_s + 0.1))
    performance.run(until_s=8.0)
    assert 4 <= len(ons(performance))
    assert ["improviser's own MIDI clock comes back"] == [text.partition(" on ")[0] for text in texts(performance)]


@pytest.mark.parametrize("use", [ClockUse.AUTO, ClockUse.MIDI])
def test_a_cable_that_is_plugged_in_later_is_noticed_too(use: ClockUse) -> None:
    """Ticks that come back without a start are recognised by their times between the sent ticks."""
    performance = Performance(performer_settings(sends_clock=True, clock=use))
    performance.play(1.0, ON)
    for place in range(24 * 6):
        performance.play(3.013 + place * 2.5 / 120, CLOCK)
    performance.run(until_s=8.0)
    assert [1.0, 3.0, 5.0, 7.0] == pytest.approx(ons(performance), abs=1e-4)
    assert ["improviser's own MIDI clock comes back"] == [text.partition(" on ")[0] for text in texts(performance)]


def test_others_clocks_are_followed_while_ours_is_sent() -> None:
    """Another clock is followed, bridged and followed again while the own clock is sent; it may also start later."""
    performance = Performance(performer_settings(sends_clock=True))
    gone_s = play_clock(performance, 97.0, 1.0, 16, START, port=DAW)
    back_s = gone_s + 4 * 60 / 97
    play_clock(performance, 97.0, back_s, 8, port=DAW)
    performance.run(until_s=back_s + 4.0)
    assert not performance.told(Warned)
    assert ["the MIDI clock is gone", "the MIDI clock is back"] == [
        text.partition(".")[0] for text in texts(performance)
    ]
    later = Performance(performer_settings(sends_clock=True))
    later.play(0.5, ON)
    play_clock(later, 90.0, 4.0, 12, START, port=DAW)
    later.run(until_s=10.0)
    assert [4.0, 4.0 + 4 * 60 / 90] == pytest.approx(ons(later)[2:4], abs=0.003)


def test_a_leader_that_starts_again_is_not_taken_for_ours() -> None:
    """A second start of the leading clock is followed, although it resembles the own start coming back."""
    performance = Performance(performer_settings(sends_clock=True))
    next_s = play_clock(performance, 120.0, 1.0, 0.25, START, port=DAW)
    play_clock(performance, 120.0, next_s, 16, START, port=DAW)
    performance.run(until_s=8.0)
    assert not performance.told(Warned)
    assert [1.0, next_s, next_s + 2.0, next_s + 4.0] == pytest.approx(ons(performance)[:4], abs=0.003)


def test_with_clock_midi_a_clock_of_another_tempo_is_told_from_ours() -> None:
    """With --clock midi a clock of another tempo is followed while the own clock is sent."""
    performance = Performance(performer_settings(sends_clock=True, clock=ClockUse.MIDI))
    performance.play(1.0, ON)
    play_clock(performance, 90.0, 3.0, 16, port=DAW)
    performance.run(until_s=12.0)
    assert 90.0 == pytest.approx(performance.told(Synced)[-1].tempo_bpm, abs=0.1)
    assert not performance.told(Warned)
