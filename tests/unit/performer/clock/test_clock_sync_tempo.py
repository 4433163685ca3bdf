"""The improviser's own tempo: set, tapped, counted in and clicked."""

from __future__ import annotations

import pytest

from improviser.choices import ClockUse
from improviser.listening.taps import Taps
from improviser.midi.message import START, ControlChange, NoteOn
from improviser.music.meter import Meter
from improviser.protocol import Act, Action, Kept, Knob, Played, Refused, Started, Synced, Turn
from tests.performing import ENGINE, Performance, bound, hanging, ons, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock

ON = NoteOn(0, 60, 80)
CLICKS = 9


def clicks(performance: Performance) -> list[tuple[float, int]]:
    """Return the time and the note of each click."""
    sent = ((at_s, message) for at_s, message in performance.sent if isinstance(message, NoteOn))
    return [(at_s, message.note) for at_s, message in sent if message.channel == CLICKS]


def test_taps_give_the_mean_of_the_last_spans() -> None:
    """The tempo is the mean of the last intervals; a new series begins after two seconds, or where time goes back."""
    taps = Taps()
    assert [None, 120.0, 120.0] == [taps.tap(at_s) for at_s in (1.0, 1.5, 2.0)]
    assert 96.0 == pytest.approx(taps.tap(2.875))
    assert taps.tap(4.9) is None
    assert 60.0 == taps.tap(5.9)
    assert taps.tap(5.0) is None


def test_the_tempo_is_set_while_it_plays() -> None:
    """A new tempo holds from its moment on, and the beat does not jump."""
    performance = Performance()
    performance.play(0.0, ON)
    performance.at(3.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 60.0)))
    performance.run(until_s=11.0)
    # At 120 bpm bars take 2 s. At 3 s, on beat 6, the bar line is 2 beats away; then bars take 4 s.
    assert [0.0, 2.0, 5.0, 9.0] == pytest.approx(ons(performance), abs=0.002)
    assert [(103.0, 6.0, 60.0, True)] == [
        (event.at_s, event.beat, event.tempo_bpm, event.is_own) for event in performance.told(Synced)
    ]


def test_the_end_is_in_bars_whatever_the_tempo() -> None:
    """The end comes after the requested bars, also when the tempo changes."""
    performance = Performance(performer_settings(bars=4))
    performance.play(0.0, ON)
    performance.at(4.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 60.0)))
    summary = performance.run(until_s=60.0)
    assert 12.0 == pytest.approx(summary.duration_s, abs=0.01)


def test_a_tempo_beyond_all_reason_is_none() -> None:
    """A command cannot hold a tempo outside 20 to 400."""
    with pytest.raises(ValueError, match="tempo takes a number from 20 to 400"):
        Turn(Knob.TEMPO, 4000.0)


def test_taps_set_tempo_and_beat() -> None:
    """Taps by a pedal set the tempo, and move the nearest beat to the tap."""
    performance = Performance(performer_settings(bindings=bound(tap=80)))
    performance.play(0.0, ON)
    for place in range(4):
        at_s = 2.1 + place * 0.6
        performance.play(at_s, ControlChange(0, 80, 127), ControlChange(0, 80, 0))
    performance.run(until_s=10.0)
    tempos = [event.tempo_bpm for event in performance.told(Synced)]
    assert [100.0] * 3 == pytest.approx(tempos)
    assert [5.0, 6.0, 7.0] == [event.beat for event in performance.told(Synced)]
    # The last tap, at 3.9 s, is beat 7; beats 8 and 12 are bar lines.
    assert [4.5, 6.9, 9.3] == pytest.approx(ons(performance)[-3:], abs=0.002)


def test_taps_before_the_first_note_are_its_tempo() -> None:
    """Taps before the first note set the tempo, but the downbeat is the first note."""
    performance = Performance()
    for at_s in (0.0, 1.0):
        performance.at(at_s, lambda: performance.inbox.put(Act(Action.TAP)))
    performance.play(1.4, ON)
    performance.run(until_s=10.0)
    assert [1.4, 5.4, 9.4] == pytest.approx(ons(performance), abs=0.002)


def test_a_knob_sets_the_tempo() -> None:
    """A knob's value plus 60 is the tempo, once the knob has passed the present tempo."""
    performance = Performance(performer_settings(bindings=bound(tempo=21)))
    performance.play(0.0, ON, ControlChange(0, 21, 40), ControlChange(0, 21, 70), ControlChange(0, 21, 71))
    performance.run(until_s=6.0)
    assert [130.0, 131.0] == [event.tempo_bpm for event in performance.told(Synced)]


def test_an_outer_clocks_tempo_is_not_set_here() -> None:
    """While a clock leads, setting the tempo is refused, and a tap has no effect."""
    performance = Performance()
    play_clock(performance, 90.0, 1.0, 24, START)
    performance.at(3.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 60.0)))
    performance.at(3.3, lambda: performance.inbox.put(Act(Action.TAP)))
    performance.run(until_s=8.0)
    assert not any(event.is_own for event in performance.told(Synced))
    assert any("cannot set the tempo" in event.text for event in performance.told(Refused))
    assert 1 == len(performance.told(Started))


def test_a_tap_is_the_downbeat_of_a_clock_that_has_not_told() -> None:
    """A tap sets the downbeat of a clock that was running already and has not told its bars."""
    performance = Performance(performer_settings(clock=ClockUse.MIDI))
    play_clock(performance, 120.0, 0.5, 40)
    performance.play(1.0, ON)
    performance.at(4.5, lambda: performance.inbox.put(Act(Action.TAP)))
    performance.run(until_s=12.0)
    assert [4.5] == [pytest.approx(event.at_s - 100, abs=0.01) for event in performance.told(Started)]
    assert [6.5, 8.5, 10.5] == pytest.approx(ons(performance)[-3:], abs=0.005)


def test_a_count_in_begins_by_itself() -> None:
    """A count-in is a bar of clicks, high on the downbeat; bars follow without a note of the player."""
    performance = Performance(performer_settings(count_in=1))
    performance.run(until_s=7.0)
    assert [(0.5, 76), (1.0, 77), (1.5, 77), (2.0, 77)] == clicks(performance)
    own = [at_s for at_s in ons(performance) if at_s > 2.4]
    assert [2.5, 4.5, 6.5] == pytest.approx(own, abs=0.002)
    assert not hanging(performance)


def test_a_count_in_is_no_part_of_the_bars() -> None:
    """The count-in does not count among the requested bars."""
    performance = Performance(performer_settings(count_in=1, bars=2))
    assert 6.5 == pytest.approx(performance.run(until_s=60.0).duration_s, abs=0.01)


def test_the_metronome_clicks_along() -> None:
    """The metronome clicks on each beat to the end, also after a change of tempo; clicks are not counted as notes."""
    performance = Performance(performer_settings(metronome=True))
    performance.play(0.25, ON)
    performance.at(3.25, lambda: performance.inbox.put(Turn(Knob.TEMPO, 60.0)))
    summary = performance.run(until_s=7.0)
    beats = [0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 4.25, 5.25, 6.25]
    assert beats == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)
    assert [76, 77, 77, 77, 76] == [note for _, note in clicks(performance)][:5]
    assert not hanging(performance)
    assert len(performance.told(Played)) == summary.notes_played
    assert not {event.note for event in performance.told(Played)} & {76, 77}


def test_a_click_that_sounds_at_the_end_is_ended() -> None:
    """A click that sounds at the end is released."""
    performance = Performance(performer_settings(metronome=True))
    performance.play(0.0, ON)
    performance.run(until_s=1.01)
    assert 1.0 == clicks(performance)[-1][0]
    assert not hanging(performance)


def test_the_metronome_is_silent_while_nothing_rolls() -> None:
    """The metronome is silent before the first note."""
    performance = Performance(performer_settings(metronome=True))
    performance.run(until_s=3.0)
    assert [] == clicks(performance)


def test_keep_is_a_command_too() -> None:
    """The keep command saves the last bars."""
    performance = Performance()
    performance.at(1.0, lambda: performance.inbox.put(Act(Action.KEEP)))
    performance.run(until_s=2.0)
    assert [101.0] == [event.at_s for event in performance.told(Kept)]


@pytest.mark.parametrize(
    ("meter", "beats"),
    [
        ((3, 4), [0, 1, 2, 3, 4, 5]),
        ((6, 8), [0, 1.5, 3, 4.5]),
        ((7, 8), [0, 1, 2, 3.5, 4.5, 5.5]),
        ((5, 4), [0, 1, 2, 3, 4, 5]),
    ],
)
def test_clicks_follow_the_meter(meter: tuple[int, int], beats: list[float]) -> None:
    """Clicks fall on the beats that a meter is counted by, and the click on each bar line is high."""
    performance = Performance(performer_settings(metronome=True, engine=ENGINE | {"meter": meter}))
    performance.play(0.0, ON)
    performance.run(until_s=2.95)
    bar = Meter(*meter).bar_beats
    assert [beat / 2 for beat in beats] == pytest.approx([at_s for at_s, _ in clicks(performance)], abs=0.002)
    assert [77 if beat % bar else 76 for beat in beats] == [note for _, note in clicks(performance)]
