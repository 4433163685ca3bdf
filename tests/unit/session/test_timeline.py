"""The beats of a recording whose tempo changes, or whose beat jumps."""

from __future__ import annotations

import pytest

from improviser.midi.message import NoteOn
from improviser.midi.smf import MeterChange, TempoChange, TimedEvent
from improviser.music.meter import COMMON, THREE, Meter
from improviser.protocol import (
    Detached,
    Event,
    Halted,
    Heard,
    MeterSet,
    PerformerSettings,
    Played,
    Recounted,
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
    line = Timeline(10.0, 120.0, COMMON, [Heard(10.0, 0, 60, 80, "A"), Synced(12.0, 4.0, 60.0)])
    moments, beats = (9.0, 10.0, 11.0, 12.0, 13.0), (-2.0, 0.0, 2.0, 4.0, 5.0)
    assert beats == pytest.approx(tuple(map(line.beat_at, moments)))
    assert moments == pytest.approx(tuple(map(line.s_at, beats)))


def test_after_a_jump_the_next_bar_follows() -> None:
    """After a jump the file continues with the next bar, at the same place in the bar."""
    line = Timeline(0.0, 60.0, COMMON, [Started(5.0, 66.0), Started(7.0, 0.0)])
    assert 6.0 == pytest.approx(line.beat_at(5.0))
    assert 7.0 == pytest.approx(line.beat_at(6.0))
    assert 8.0 == pytest.approx(line.beat_at(7.0))


def test_a_little_correction_is_no_jump() -> None:
    """A small correction of a clock, forwards or backwards, is no jump."""
    line = Timeline(0.0, 60.0, COMMON, [Synced(1.0, 1.01, 60.0), Synced(2.0, 1.99, 60.0)])
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
        ([heard(10.0), MeterSet(13.0, 6.0, (3, 4))], 14.5, 4),
        ([heard(10.0), MeterSet(13.0, 6.0, (3, 4)), Restarted(), heard(40.0)], 41.9, 1),
        ([heard(10.0), MeterSet(13.0, 7.0, (3, 4)), Started(20.0, 3.0)], 20.0, 2),  # a start counts from beat 0
    ],
)
def test_bars_are_counted_as_the_improviser_counts(events: list[Event], at_s: float, bar: int) -> None:
    """Bars count from the first note or the clock, and after a rest the next bar follows."""
    count = BarCount(Meter(4, 4), 120.0)
    for event in events:
        count.follow(event)
    assert bar == count.bar_at(at_s)


def test_the_bars_of_a_recording_follow_the_meter() -> None:
    """A change of meter on a bar line needs no gap, and later jumps go to bar lines of the new meter."""
    recounts = [Recounted(8.01, 6.01, (3, 4)), Recounted(12.0, 1.0, (3, 4)), Started(16.0, 0.0)]
    line = Timeline(0.0, 60.0, COMMON, recounts)
    assert [0.0, 8.0] == pytest.approx([bars.first_beat for bars in line.bars])
    assert [COMMON, THREE] == [bars.meter for bars in line.bars]
    assert [8.5, 12.0, 15.0, 17.0] == pytest.approx([line.beat_at(at_s) for at_s in (8.5, 12.0, 15.0, 16.0)])
    assert [0.0, 4.0, 8.0, 11.0, 14.0, 17.0] == pytest.approx([line.bar_line(beat) for beat in (1, 7, 9, 13, 16, 17.5)])
    assert 8.0 == pytest.approx(line.bar_line(12.0, -1))


def test_a_recording_has_the_meters_that_were_played() -> None:
    """The recording has a time signature wherever the meter changed, and none from before its beginning."""
    recorder = Recorder(GRID)
    events: list[Event] = [
        Recounted(1.0, 0.0, (6, 8)),
        Recounted(8.0, 0.0, (4, 4)),
        Started(8.0, 0.0),
        Heard(8.0, 0, 60, 80, "A"),
        Recounted(10.0, 3.0, (3, 4)),
        Heard(10.0, 0, 62, 80, "A"),
    ]
    for event in events:
        recorder.record(event)
    assert (MeterChange(0, 4, 4), MeterChange(4 * 480, 3, 4)) == recorder.song(8.0).meter_map


def test_bars_that_are_found_are_those_of_the_recording() -> None:
    """Bars that are found by ear begin on the beat that is told; one that is cut short counts as a bar."""
    line = Timeline(0.0, 60.0, COMMON, [MeterSet(5.0, 6.0, (3, 4))])
    assert [(0.0, COMMON), (6.0, THREE)] == [(bars.first_beat, bars.meter) for bars in line.bars]
    assert [0.0, 4.0, 6.0, 9.0] == [line.bar_line(beat) for beat in (3.9, 5.9, 8.9, 9.0)]
    assert [6.0, 4.0, 0.0] == [line.bar_line(10.0, back) for back in (-1, -2, -3)]
    assert 10.0 == line.beat_at(10.0)


def test_after_found_bars_a_jump_goes_to_one_of_them() -> None:
    """After a jump the recording goes on with one of its own bars, at the place in the bar that the jam counts."""
    found = MeterSet(5.0, 5.0, (3, 4))
    assert 11.0 == Timeline(0.0, 60.0, COMMON, [found, Synced(10.0, 20.0, 60.0)]).beat_at(10.0)
    assert 12.0 == Timeline(0.0, 60.0, COMMON, [found, Synced(10.0, 30.0, 60.0)]).beat_at(10.0)
    # A start counts the jam's bars from beat 0 again.
    assert 10.0 == Timeline(0.0, 60.0, COMMON, [found, Started(10.0, 20.0)]).beat_at(10.0)
    assert 11.0 == Timeline(0.0, 60.0, COMMON, [found, Started(10.0, 30.0)]).beat_at(10.0)
    # Counting from beat 0 again, the beat goes on, but it is another one of its bar.
    again = Timeline(0.0, 60.0, COMMON, [found, Recounted(10.0, 10.0, (3, 4))])
    assert 12.0 == again.beat_at(10.0)
    assert 11.0 == again.bar_line(again.beat_at(10.0))


def test_bars_that_are_told_again_stay() -> None:
    """The same bars are not counted anew, and bars on an earlier beat replace those that were to come."""
    found = MeterSet(5.0, 6.0, (3, 4))
    line = Timeline(0.0, 60.0, COMMON, [found, MeterSet(7.0, 9.0, (3, 4))])
    assert [0.0, 6.0] == [bars.first_beat for bars in line.bars]
    line = Timeline(0.0, 60.0, COMMON, [found, MeterSet(5.5, 5.0, (2, 4))])
    assert [0.0, 5.0] == [bars.first_beat for bars in line.bars]
    line = Timeline(0.0, 60.0, COMMON, [MeterSet(0.0, 0.0, (3, 4))])
    assert [(0.0, THREE)] == [(bars.first_beat, bars.meter) for bars in line.bars]


def test_a_recording_has_the_bars_that_were_found() -> None:
    """The file has a time signature where other bars were found, and the last bars are counted by them."""
    notes = [Heard(8.0 + beat / 2, 0, 60 + beat, 80, "A") for beat in range(17)]
    session = Session(GRID, [*notes[:6], MeterSet(11.0, 6.0, (3, 4)), *notes[6:]])
    whole = recorder_of(session).song(session.start_s)
    assert (MeterChange(0, 4, 4), MeterChange(6 * 480, 3, 4)) == whole.meter_map
    song = recorder_of(session, 2).song(session.start_s)
    assert (MeterChange(0, 3, 4),) == song.meter_map
    assert TimedEvent(0, NoteOn(0, 72, 80)) == song.tracks[0].events[0]


def test_the_improvisers_notes_are_found_by_the_bars_that_were_found() -> None:
    """A session's bars are counted as they were while it was played, and after a restart as at first."""
    beats = (1.0, 4.5, 6.0, 9.25)
    before, after = [[Played(at, at, 1, 67, 70, at, "C", None) for at in some] for some in (beats[:2], beats[2:])]
    events = [*before, MeterSet(5.0, 6.0, (3, 4)), *after, Restarted(), before[1]]
    session = Session(GRID, events)
    assert [[(0.0, [1.0])], [(4.0, [4.5]), (4.0, [4.5])], [(6.0, [6.0])], [(9.0, [9.25])]] == [
        [(line, [note.beat for note in notes]) for line, notes in session.played_in(bar)] for bar in (1, 2, 3, 4)
    ]
    assert 4 == session.bars
    assert 0 == Session(GRID, []).bars


def test_bars_are_counted_by_the_meter_that_is_told() -> None:
    """After a change of meter bars are counted in the new one."""
    count = BarCount(COMMON, 60.0)
    count.follow(Recounted(0.0, 6.0, (3, 4)))
    assert [3, 3, 4] == [count.bar_at(at_s) for at_s in (0.0, 2.9, 3.0)]
    count.follow(Rested(3.0, 8.0))
    assert 4 == count.bar_at(4.0)


def test_a_bar_is_reached_again_after_a_loop() -> None:
    """A session's bars are counted by the meters that were told, once for each time."""

    def played(at_s: float, beat: float) -> Played:
        """Return a note."""
        return Played(at_s, at_s, 1, 67, 70, beat, "C", None)

    first, again = Recounted(5.0, 3.0, (3, 4)), Recounted(6.0, 3.0, (3, 4))
    events = [played(4.0, 4.0), first, played(5.5, 3.5), again, played(6.0, 3.0)]
    assert [[4.0], [3.5], [3.0]] == [[note.beat for note in notes] for _, notes in Session(GRID, events).played_in(2)]


@pytest.mark.parametrize(
    ("events", "at_s", "beat"),
    [
        ([], 10.0, None),
        ([Synced(9.0, 3.0, 60.0)], 10.0, None),  # a tempo alone begins nothing
        ([heard(10.0)], 11.0, 2.0),
        ([Started(10.0, -4.0)], 9.9, None),  # announced, but not yet begun
        ([Started(10.0, -4.0)], 10.0, -4.0),
        ([Started(10.0, 0.0), Halted(12.0, "Keys")], 12.1, None),
        ([Started(10.0, 0.0), Halted(12.0, "Keys"), Started(20.0, 8.0)], 20.5, 9.0),
        ([Started(10.0, 0.0), Halted(12.0, "Keys"), Detached(13.9)], 14.0, None),
        ([Started(10.0, 0.0), Halted(12.0, "Keys"), Detached(13.9), heard(20.0)], 20.0, 8.0),
        ([Started(10.0, 0.0), Detached(10.5), Detached(10.5), heard(20.0)], 20.0, 4.0),
        ([heard(10.0), Rested(13.9, 7.75)], 14.0, None),
        ([Started(10.0, 0.0), Rested(13.9, 7.75)], 14.0, 8.0),
    ],
)
def test_the_beat_is_known_while_it_runs(events: list[Event], at_s: float, beat: float | None) -> None:
    """The beat is known from its first note or start on, and is not while nothing keeps it."""
    count = BarCount(Meter(4, 4), 120.0)
    for event in events:
        count.follow(event)
    assert beat == count.beat_at(at_s)
