"""Following a MIDI clock: the performer's beat, with a manual clock."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.choices import ClockUse
from improviser.engine import Engine, EngineSettings
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, ControlChange, Message, NoteOn, SongPosition
from improviser.protocol import Act, Action, Halted, Knob, Notice, PlayerUse, Silenced, Started, Turn, value_to_line
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.performing import ENGINE, KEYBOARD, START_S, BarNote, Performance, hanging, ons, performer_settings

ON = NoteOn(0, 60, 80)


def play_clock(
    performance: Performance, bpm: float, since_s: float, beats: float, *first: Message, port: str = KEYBOARD
) -> float:
    """Send clock ticks on a port after the messages `first`; return the time of the next tick."""
    tick_s = 60 / bpm / 24
    performance.play(since_s - tick_s / 2, *first, port=port)
    for place in range(round(beats * 24)):
        performance.play(since_s + place * tick_s, CLOCK, port=port)
    return since_s + round(beats * 24) * tick_s


def test_it_starts_with_the_transport() -> None:
    """The bar begins at the first tick after a start, without any note of the player; bars follow the clock."""
    performance = Performance()
    play_clock(performance, 90.0, 1.0, 24, START)
    performance.run(until_s=16.0)
    assert [pytest.approx(1.0 + bar * 4 * 60 / 90, abs=0.002) for bar in range(6)] == ons(performance)[:6]
    assert [0.0] == [event.beat for event in performance.told(Started)]


def test_it_stops_with_the_transport() -> None:
    """After a stop nothing sounds, whatever the player plays; a continue resumes within the bar."""
    performance = Performance()
    stop_s = play_clock(performance, 120.0, 1.0, 6, START)
    play_clock(performance, 120.0, stop_s, 12, STOP)
    for place in range(8):
        performance.play(stop_s + 0.5 * place, ON)
    play_clock(performance, 120.0, stop_s + 6.0, 8, CONTINUE)
    performance.run(until_s=stop_s + 9.5)
    assert [1.0, 3.0, stop_s + 6.0 + 1.0, stop_s + 6.0 + 3.0] == pytest.approx(ons(performance), abs=0.002)
    assert 1 == len(performance.told(Halted))
    assert set() == hanging(performance)


def test_it_jumps_with_the_song_position() -> None:
    """After a jump, forwards or backwards, the improviser is where the clock is in the bar."""
    performance = Performance()
    next_s = play_clock(performance, 120.0, 1.0, 5, START)
    next_s = play_clock(performance, 120.0, next_s, 4, STOP, SongPosition(8), CONTINUE)
    performance.run(until_s=next_s + 0.1)
    # Bars 1 and 2, then from beat 2 of bar 1 on, so that bar 2 begins two beats later.
    assert [1.0, 3.0, 3.5 + 1.0] == pytest.approx(ons(performance), abs=0.002)


def test_a_change_of_tempo_is_followed() -> None:
    """A few beats after the clock's tempo changes, the bars have the new tempo."""
    performance = Performance()
    next_s = play_clock(performance, 120.0, 1.0, 16, START)
    play_clock(performance, 90.0, next_s, 16)
    performance.run(until_s=20.0)
    assert [next_s + bar * 4 * 60 / 90 for bar in (1, 2, 3)] == pytest.approx(ons(performance)[5:8], abs=0.004)


def test_a_clock_that_goes_is_bridged() -> None:
    """When the clock disappears, the beat continues at the last tempo; the loss and the return are each reported."""
    performance = Performance()
    next_s = play_clock(performance, 100.0, 1.0, 12, START)
    gap_s = 12 * 60 / 100
    play_clock(performance, 100.0, next_s + gap_s, 8)
    performance.run(until_s=next_s + gap_s + 4.0)
    assert [1.0 + bar * 2.4 for bar in range(8)] == pytest.approx(ons(performance), abs=0.004)
    texts = [notice.text for notice in performance.told(Notice)]
    assert ["the MIDI clock is gone", "the MIDI clock is back"] == [text.partition(".")[0] for text in texts]


def test_where_asked_for_a_running_clock_gives_the_tempo() -> None:
    """With --clock midi a running clock sets the tempo before any start; the player's first note is the downbeat."""
    performance = Performance(performer_settings(clock=ClockUse.MIDI))
    play_clock(performance, 60.0, 0.0, 24)
    performance.play(5.0, ON)
    performance.run(until_s=14.0)
    assert [5.0, 9.0, 13.0] == pytest.approx(ons(performance), abs=0.004)


def test_where_asked_for_no_clock_is_followed() -> None:
    """With --clock own neither the ticks nor the transport of a clock have an effect."""
    performance = Performance(performer_settings(clock=ClockUse.OWN))
    play_clock(performance, 60.0, 0.5, 8, START)
    performance.play(1.0, ON)
    performance.run(until_s=6.0)
    assert [1.0, 3.0, 5.0] == ons(performance)


def test_one_clock_is_followed_at_a_time() -> None:
    """A second clock on another port is ignored while the first one ticks."""
    performance = Performance()
    play_clock(performance, 120.0, 1.0, 16, START)
    play_clock(performance, 90.0, 1.3, 12, START, port="Improviser In")
    performance.run(until_s=8.9)
    assert [1.0, 3.0, 5.0, 7.0] == pytest.approx(ons(performance), abs=0.002)


@pytest.mark.parametrize("seed", range(3))
def test_a_session_with_a_clock_replays(seed: int) -> None:
    """A session with starts, jumps, stops and uneven ticks replays identically."""
    settings = performer_settings(engine=ENGINE | {"temperature": 1.0}, seed=seed)

    def make_engine(ahead_s: float = 0.0) -> Engine:
        """Return the engine of these settings."""
        engine = EngineSettings(**settings.engine, ahead_s=ahead_s)
        return Engine(engine, BarNote(), np.random.default_rng(seed))

    performance = Performance(settings, new_engine=make_engine, player=PlayerUse.NEVER)
    rng = np.random.default_rng(seed)
    next_s = 1.0
    for first in ((START,), (), (SongPosition(5),), (STOP,), (CONTINUE,)):
        next_s = play_clock(performance, rng.uniform(60, 200), next_s, float(rng.integers(3, 9)), *first)
    performance.at(next_s + 1.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 77.0)))
    for at_s in (2.0, 2.7, 3.4):
        performance.at(next_s + at_s, lambda: performance.inbox.put(Act(Action.TAP)))
    performance.run(until_s=next_s + 6.0)
    lines = "".join(map(value_to_line, (settings, *performance.events)))
    again = replay(parse_session(lines, "test"), make_engine)
    assert len(again.live) > 6
    assert again.difference is None


def test_broken_clock_messages_are_ignored() -> None:
    """A song position without its data bytes is ignored, and the beat continues."""
    performance = Performance()
    performance.play_bytes(0.5, (0xF2, 1))
    performance.play_bytes(0.6, (0xF8, 1))
    performance.play(1.0, ON)
    performance.run(until_s=4.0)
    assert [1.0, 3.0] == ons(performance)


def test_a_performance_is_gone_on_with_at_the_clocks_tempo() -> None:
    """A performance that takes over from another has its position and tempo, and stops with the transport."""
    performance = Performance(
        performer_settings(clock=ClockUse.MIDI, resume=(START_S - 9.0, START_S - 1.0, 14.0, 60.0))
    )
    stop_s = play_clock(performance, 60.0, 0.01, 6)
    performance.play(stop_s, STOP)
    performance.run(until_s=12.0)
    assert [1.0, 5.0] == pytest.approx(ons(performance), abs=0.004)
    assert 1 == len(performance.told(Halted))
    assert set() == hanging(performance)


def test_one_stop_is_one_release() -> None:
    """The pedal, all notes off and all sound off that a DAW sends on each channel at a stop add no further release."""
    performance = Performance()
    stop_s = play_clock(performance, 120.0, 1.0, 6, START)
    controls = [ControlChange(channel, control, 0) for channel in range(16) for control in (64, 123, 120)]
    performance.play(stop_s, STOP, *controls)
    performance.run(until_s=stop_s + 1.0)
    assert 1 == sum(event.at_s < START_S + stop_s + 1.0 for event in performance.told(Silenced))
    assert 4 >= sum(at_s >= stop_s for at_s, _ in performance.sent)
