"""Obeying MIDI Machine Control: the performer's beat, with a manual clock."""

from __future__ import annotations

import pytest

from improviser.midi.message import START, NoteOn
from improviser.protocol import Halted, Recounted, Started
from tests.performing import Performance, hanging, ons, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock

PLAY, STOP = (0x02,), (0x01,)
# Eight seconds, at 30 frames a second: beat 16 at 120 bpm.
LOCATE = (0x44, 0x06, 0x01, 0x60, 0x00, 0x08, 0x00, 0x00)


def send(performance: Performance, at_s: float, *commands: int) -> None:
    """Send commands to the performance."""
    performance.play_bytes(at_s, (0xF0, 0x7F, 0x7F, 0x06, *commands, 0xF7))


def test_play_and_stop_start_and_stop() -> None:
    """The improviser starts at beat 0, stops, and goes on where it stopped; notes do not start it meanwhile."""
    performance = Performance(performer_settings(mmc=True))
    send(performance, 1.0, *PLAY)
    send(performance, 1.5, *PLAY)
    send(performance, 3.5, *STOP)
    performance.play(4.0, NoteOn(0, 60, 80))
    send(performance, 5.0, *STOP)
    send(performance, 6.0, *PLAY)
    performance.run(until_s=8.0)
    assert [1.0, 3.0, 7.5] == pytest.approx(ons(performance), abs=0.002)
    assert ["MMC"] == [event.by for event in performance.told(Halted)]
    assert not hanging(performance)


def test_a_locate_moves_the_beat() -> None:
    """A locate while it plays goes on from there; one while it is stopped is where play begins."""
    performance = Performance(performer_settings(mmc=True))
    send(performance, 1.0, *PLAY)
    send(performance, 2.5, *LOCATE)
    send(performance, 4.0, *STOP, *LOCATE, *PLAY)
    performance.run(until_s=5.5)
    assert [1.0, 2.5, 4.0] == pytest.approx(ons(performance)[:3], abs=0.002)
    assert [16.0] == [event.beat for event in performance.told(Recounted)]
    assert [0.0, 16.0] == [event.beat for event in performance.told(Started)]


def test_without_the_option_it_is_ignored() -> None:
    """Machine control has no effect by default."""
    performance = Performance()
    send(performance, 1.0, *PLAY)
    performance.run(until_s=3.0)
    assert not performance.told(Started)


def test_a_clock_that_is_followed_wins() -> None:
    """While a started MIDI clock ticks, its transport counts, not machine control."""
    performance = Performance(performer_settings(mmc=True))
    play_clock(performance, 120.0, 1.0, 12, START)
    send(performance, 2.0, *STOP)
    send(performance, 2.5, *LOCATE)
    performance.run(until_s=6.0)
    assert [1.0, 3.0, 5.0] == pytest.approx(ons(performance), abs=0.002)
    assert not performance.told(Halted)
