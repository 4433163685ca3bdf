"""The beats of a recording whose tempo changes, or whose beat jumps."""

from __future__ import annotations

import pytest

from improviser.midi.message import NoteOn
from improviser.midi.smf import TempoChange
from improviser.music.meter import Meter
from improviser.protocol import (
    Event,
    Heard,
    PerformerSettings,
    Played,
    Restarted,
    Rested,
    Started,
    Synced,
    Understood,
)
from improviser.session.recorder import Recorder, recorder_of
from improviser.session.session_log import Session
from improviser.session.timeline import BarCount, Timeline

GRID = PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (4, 4)})


def test_beats_follow_the_tempo() -> None:
    """Beats and seconds convert both ways, also before the beginning."""
    line = Timeline(10.0, 120.0, 4.0, [Heard(10.0, 0, 60, 80, "A"), Synced(12.0, 4.0, 60.0)])
    moments, beats = (9.0, 10.0, 11.0, 12.0, 13.0), (-2.0, 0.0, 2.0, 4.0, 5.0)
    assert beats == pytest.approx(tuple(map(line.beat_at, moments)))
    assert moments == pytest.approx(tuple(map(line.s_at, beats)))


def test_after_a_jump_the_next_bar_follows() -> None:
    """After a jump the file continues with the next bar, at the same place in the bar."""
    line = Timeline(0.0, 60.0, 4.0, [Started(5.0, 66.0), Started(7.0, 0.0)])
    assert 6.0 == pytest.approx(line.beat_at(5.0))
    assert 7.0 == pytest.approx(line.beat_at(6.0))
    assert 8.0 == pytest.approx(line.beat_at(7.0))


def test_a_little_correction_is_no_jump() -> None:
    """A small correction of a clock, forwards or backwards, is no jump."""
    line = Timeline(0.0, 60.0, 4.0, [Synced(1.0, 1.01, 60.0), Synced(2.0, 1.99, 60.0)])
    assert 1.99 == pytest.approx(line.beat_at(2.0))


def test_a_recording_has_the_tempo_that_was_played() -> None:
    """The recording's bars are those of the jam, with a tempo change wherever the tempo changed."""
    recorder = Recorder(GRID)
    events: list[Event] = [
        Started(8.0, 0.0),
        Synced(8.0, 0.0, 100.0),
        Heard(8.0, 0, 60, 80, "A"),
        Synced(10.4, 4.0, 100.05),
        Synced(12.8, 8.0, 50.0),
        Played(17.6, 17.6, 1, 67, 70, 12.0, "C", None),
    ]
    for event in events:
        recorder.record(event)
    song = recorder.song(8.0)
    assert (TempoChange(0, 600_000), TempoChange(8 * 480, 1_200_000)) == song.tempo_map
    assert [(0, NoteOn(0, 60, 80))] == [(event.tick, event.message) for event in song.tracks[0].events[:1]]
    assert 12 * 480 == song.tracks[1].events[0].tick


def test_the_last_bars_are_counted_by_the_beat() -> None:
    """After the tempo is halved two bars take twice as long, and the file begins with them."""
    notes = [Heard(float(second), 0, 60 + second, 80, "A") for second in range(16)]
    session = Session(GRID, [*notes[:8], Synced(8.0, 16.0, 60.0), *notes[8:]])
    song = recorder_of(session, 2).song(session.start_s)
    events = song.tracks[0].events
    notes_on = [(event.tick, event.message) for event in events if isinstance(event.message, NoteOn)]
    assert [(place * 480, NoteOn(0, 68 + place, 80)) for place in range(8)] == notes_on
    assert TempoChange(0, 1_000_000) == song.tempo_map[0]


def heard(at_s: float) -> Heard:
    """Return a note of the player."""
    return Heard(at_s, 0, 60, 80, "A")


def understood(at_s: float, beat: float) -> Understood:
    """Return the key and chord of the improviser at a beat."""
    return Understood(at_s, 0.0, beat, "C", 1.0, None, 0.0)


@pytest.mark.parametrize(
    ("events", "at_s", "bar"),
    [
        ([], 5.0, 1),
        ([heard(10.0)], 11.9, 1),
        ([heard(10.0)], 11.98, 2),  # just before the bar line
        ([heard(10.0), Synced(12.0, 4.0, 60.0)], 15.9, 2),
        ([Synced(9.0, 3.0, 60.0), heard(10.0)], 13.9, 1),
        ([Started(10.0, -4.0)], 11.0, 0),
        ([Started(10.0, 32.0)], 10.0, 9),
        ([heard(10.0), understood(11.0, 6.0)], 11.0, 2),
        ([Played(11.0, 11.0, 0, 60, 80, 4.0, "C", None)], 11.0, 2),
        ([heard(10.0), Played(10.9, 10.9, 0, 60, 80, 0.5, "C", None)], 12.1, 2),
        ([heard(10.0), Rested(13.9, 7.75)], 40.0, 3),
        ([heard(10.0), Rested(13.9, 7.75), heard(40.0)], 42.1, 4),
        ([heard(10.0), Rested(14.1, 8.0), heard(40.0)], 40.0, 4),
        ([Started(10.0, 0.0), Rested(14.0, 8.0), heard(40.0)], 40.0, 16),  # the clock continues
        ([heard(10.0), Restarted(), heard(40.0)], 40.0, 1),
    ],
)
def test_bars_are_counted_as_the_improviser_counts(events: list[Event], at_s: float, bar: int) -> None:
    """Bars count from the first note or the clock, and after a rest the next bar follows."""
    count = BarCount(Meter(4, 4), 120.0)
    for event in events:
        count.follow(event)
    assert bar == count.bar_at(at_s)
