"""A count-in that is asked for while a jam runs."""

from __future__ import annotations

from typing import Any

import pytest

from improviser.choices import ClockUse
from improviser.midi.message import START, STOP, NoteOff, NoteOn
from improviser.music.meter import Meter
from improviser.performer.clock.metronome import Metronome
from improviser.protocol import (
    Act,
    Action,
    CountIn,
    Knob,
    PlayerUse,
    Refused,
    Restarted,
    Started,
    Turn,
    line_to_value,
)
from improviser.session.replay import replay
from improviser.session.session_log import Session
from tests.performing import ENGINE, BarNote, Performance, hanging, ons, performer_settings, ready
from tests.sessions import make_engine
from tests.unit.performer.clock.test_clock_sync import play_clock
from tests.unit.performer.clock.test_clock_sync_tempo import ON, clicks

HIGH, LOW = 76, 77


def asked(at_s: float, bars: int = 1, **settings: Any) -> Performance:  # noqa: ANN401 - any field
    """Return a performance in which somebody asks for a count-in at `at_s`."""
    performance = Performance(performer_settings(**settings))
    performance.at(at_s, lambda: performance.inbox.put(CountIn(bars)))
    return performance


def test_a_count_in_begins_a_jam_that_waits() -> None:
    """Before the first note, a count-in clicks its bars and then plays on by itself, without a metronome."""
    performance = asked(1.0, bars=2)
    performance.run(until_s=9.0)
    assert [1.5 + beat / 2 for beat in range(8)] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)
    assert [HIGH, LOW, LOW, LOW] * 2 == [note for _, note in clicks(performance)]
    assert [(101.5, -8.0)] == [(event.at_s, event.beat) for event in performance.told(Started)]
    assert 5.5 == pytest.approx(min(at_s for at_s in ons(performance) if at_s > 5.0), abs=0.002)
    assert not hanging(performance)


def test_nothing_clicks_before_a_count_in() -> None:
    """The first click is the first beat of the count-in, also if a note wakes the loop before it."""
    performance = asked(1.0, metronome=True)
    for at_s in (1.1, 1.2, 1.3, 1.4):
        performance.play(at_s, ON)
    performance.run(until_s=4.2)
    assert [1.5, 2.0, 2.5, 3.0, 3.5, 4.0] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)


def test_a_count_in_begins_a_jam_anew() -> None:
    """A count-in while improviser plays ends its notes at once, is silent through the clicks, and begins with bar 1."""
    performance = asked(5.25)
    performance.play(0.0, ON)
    performance.run(until_s=10.0)
    own = [at_s for at_s, message in performance.sent if isinstance(message, NoteOn) and message.channel == 0]
    assert [0.0, 2.0, 4.0, 7.75, 9.75] == pytest.approx(own, abs=0.002)
    assert [5.75, 6.25, 6.75, 7.25] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)
    ended = [at_s for at_s, message in performance.sent if at_s > 4.5 and not isinstance(message, NoteOn)]
    assert 5.25 == pytest.approx(ended[0], abs=0.002)
    assert not hanging(performance)


def test_a_count_in_takes_the_tempo_of_taps() -> None:
    """The count-in has the tempo that was tapped before it."""
    performance = Performance(performer_settings())
    for at_s in (0.0, 1.0, 2.0):
        performance.at(at_s, lambda: performance.inbox.put(Act(Action.TAP)))
    performance.at(2.5, lambda: performance.inbox.put(CountIn()))
    performance.run(until_s=8.0)
    assert [3.0, 4.0, 5.0, 6.0] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)


def test_a_number_of_bars_begins_with_the_count_in() -> None:
    """After a count-in the requested number of bars is played from bar 1 on."""
    performance = Performance(performer_settings(bars=2))
    performance.play(0.0, ON)
    performance.at(3.0, lambda: performance.inbox.put(CountIn()))
    assert 9.5 == pytest.approx(performance.run(until_s=60.0).duration_s, abs=0.01)


@pytest.mark.parametrize("stops", [False, True])
def test_a_midi_clock_that_leads_is_not_counted_in(stops: bool) -> None:  # noqa: FBT001 - a parameter
    """A count-in is refused with the reason while a MIDI clock leads, or has stopped and still ticks."""
    performance = asked(3.0)
    play_clock(performance, 120.0, 0.5, 16, START)
    if stops:
        performance.play(2.5, STOP)
    performance.run(until_s=5.0)
    (refused,) = performance.told(Refused)
    assert "count_in" == refused.what
    assert "cannot count in: the MIDI clock on 'Keyboard' keeps the beat. Use the count-in there" in refused.text
    assert not clicks(performance)
    assert 1 == len(performance.told(Started))


def test_a_clock_that_is_gone_can_be_counted_in() -> None:
    """After the clock has gone, a count-in begins the improviser's own beat, and it plays from bar 1 on."""
    performance = asked(5.0)
    play_clock(performance, 120.0, 0.5, 4, START)
    performance.run(until_s=10.0)
    assert not performance.told(Refused)
    assert [5.5, 6.0, 6.5, 7.0] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.02)


def test_link_is_not_counted_in() -> None:
    """A count-in is refused where Link keeps the beat."""
    performance = asked(1.0, clock=ClockUse.LINK)
    performance.propose = lambda _tempo_bpm: None
    performance.run(until_s=4.0)
    (refused,) = performance.told(Refused)
    assert refused.text.startswith("cannot count in: Link keeps the beat. Press play")
    assert not clicks(performance)


def test_the_built_in_player_gives_way_to_a_count_in() -> None:
    """The built-in player leaves for a count-in as for a note of somebody else, and the tempo that was set stays."""
    performance = Performance(performer_settings(), player=PlayerUse.WHEN_ALONE)
    performance.at(3.0, lambda: performance.inbox.put(CountIn()))
    performance.at(2.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 60.0)))
    performance.run(until_s=9.0)
    assert 1 == len(performance.told(Restarted))
    assert [3.5, 4.5, 5.5, 6.5] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)
    assert not performance.told(Refused)


def test_a_tune_that_does_not_give_way_is_not_counted_in() -> None:
    """A count-in is refused while the built-in player plays its tune to the end."""
    performance = Performance(performer_settings(), player=PlayerUse.ALWAYS)
    performance.at(3.0, lambda: performance.inbox.put(CountIn()))
    performance.run(until_s=6.0)
    (refused,) = performance.told(Refused)
    assert "cannot count in: the built-in player keeps the beat" == refused.text


def test_the_metronome_rests_with_the_improviser() -> None:
    """While improviser rests, the metronome is silent: the next note begins a bar, wherever it falls."""
    performance = Performance(performer_settings(metronome=True, engine=ENGINE | {"patience_bars": 1}))
    performance.play(0.0, ON)
    performance.play(0.4, NoteOff(0, 60))
    performance.play(9.3, ON)
    performance.run(until_s=10.9)
    moments = [at_s for at_s, _ in clicks(performance)]
    assert not [at_s for at_s in moments if 6.0 < at_s < 9.0]
    assert [9.3, 9.8, 10.3, 10.8] == pytest.approx([at_s for at_s in moments if at_s > 9.0], abs=0.002)


def test_improviser_on_the_channel_of_the_click_has_none() -> None:
    """If improviser itself plays on channel 10, a count-in has no clicks there."""
    performance = asked(1.0, engine=ENGINE | {"channel": 9})
    performance.run(until_s=3.4)
    assert [(101.5, -4.0)] == [(event.at_s, event.beat) for event in performance.told(Started)]
    assert not clicks(performance)


@pytest.mark.parametrize("bars", ["0", "9", "true", '"2"', "1.5"])
def test_a_count_in_has_a_few_whole_bars(bars: str) -> None:
    """A count-in has 1 to 8 bars."""
    assert CountIn(2) == line_to_value('{"event": "count_in", "bars": 2}')
    with pytest.raises(ValueError, match="no value"):
        line_to_value(f'{{"event": "count_in", "bars": {bars}}}')


def test_a_count_in_is_replayed_exactly() -> None:
    """A replay of the journal of a jam with a count-in plays the same notes at the same times."""
    performance = asked(5.25)
    performance.play(0.0, ON)
    for place in range(12):
        performance.play(8.0 + place / 4, NoteOn(0, 62 + place % 5, 70 + place))
    performance.run(until_s=12.0)
    events = [ready(ports={}), *performance.events]
    replayed = replay(Session(performance.settings, events), lambda _ahead_s: make_engine(BarNote(), **ENGINE))
    assert replayed.difference is None
    assert len(replayed.again) > 6


def test_the_metronome_clicks_in_the_meter_that_is_counted_now() -> None:
    """After a change of meter, the first click of each bar is high."""
    engine = make_engine(BarNote(), **ENGINE)
    engine.start(0.0, 0.0)
    engine.begin_bar(1.0, Meter(3, 4))
    assert (Meter(3, 4), 2.0) == (engine.meter, engine.bar_beat)
    due = Metronome(always=True).due(engine, 1.0, 4.0)
    sounded = [(timed.due_s, timed.message.note) for timed in due if isinstance(timed.message, NoteOn)]
    assert [HIGH, LOW, LOW, HIGH, LOW, LOW, HIGH] == [note for _, note in sounded]
    assert [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0] == pytest.approx([due_s for due_s, _ in sounded])
