"""The engine beside a player whose beat is found."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from improviser.errors import MidiFileError, UsageError
from improviser.listening.beat_tracker import BeatView
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.song import MeterChange, Song, TempoChange, TimedEvent, Track
from improviser.midi.tempo_map import TempoMap
from improviser.music.meter import COMMON, Meter
from improviser.offline import Followed, Wishes, follow_song
from improviser.offline.follow import MAX_S
from improviser.offline.found_time import TICKS_PER_BEAT, FoundTime, WrittenTime
from tests.actors import pulse
from tests.following import accompaniment, make_tracker, steady
from tests.rendering import IN_C
from tests.written import onsets

MS = 1000


def to_player(messages: list[TimedMessage]) -> Song:
    """Return messages as a song of one tempo, 60 beats per minute and 1,000 ticks each, in 7/8."""
    events = tuple(TimedEvent(round(timed.due_s * MS), timed.message) for timed in messages)
    return Song(MS, (TempoChange(0, 1_000_000),), (MeterChange(0, 7, 8),), (Track("piano", events),))


def follow(song: Song, wishes: Wishes | None = None) -> Followed:
    """Return the song, followed by the improviser."""
    return follow_song(song, wishes or Wishes(), IN_C, pulse(), np.random.default_rng(0), make_tracker())


@pytest.fixture(scope="module")
def followed() -> Followed:
    """Twelve bars at 100 beats per minute, followed."""
    return follow(to_player(accompaniment(steady(100, 49))))


def view_of(beat: int, meter: Meter = COMMON, place: int = 0) -> BeatView:
    """Return a view on a beat."""
    return BeatView(0.0, float(beat), 1, 120.0, 0.9, meter, place)


def test_the_notes_keep_their_seconds(followed: Followed) -> None:
    """The player's notes sound when they did, though the tempo map is another."""
    before = to_player(accompaniment(steady(100, 49)))
    song = followed.song
    expected = TempoMap(before).seconds_at([tick for tick, _ in onsets(before.tracks[0])])
    found = TempoMap(song).seconds_at([tick for tick, _ in onsets(song.tracks[0])])
    np.testing.assert_allclose(found, expected, atol=0.003)


def test_the_file_carries_the_tempo_and_the_meter_that_were_found(followed: Followed) -> None:
    """The file's own 60 and 7/8 are gone: after some bars it is 100 beats per minute in 4/4."""
    found_bpm = [60e6 / change.us_per_beat for change in followed.song.tempo_map[16:40]]
    assert pytest.approx(100, rel=0.02) == np.median(found_bpm)
    assert Meter(4, 4) == Meter(*vars_of(followed.song.meter_map[-1]))


def vars_of(change: MeterChange) -> tuple[int, int]:
    """Return the numbers of a time signature."""
    return change.numerator, change.denominator


def test_improviser_plays_on_the_beats_that_were_found(followed: Followed) -> None:
    """Each onset is on a beat that was told, within 20 ms."""
    song = followed.song
    moments = TempoMap(song).seconds_at([tick for tick, _ in onsets(song.tracks[-1])])
    told = np.array([beat.at_s for beat in followed.time.beats])
    late = [float(np.abs(told - at_s).min()) for at_s in moments if at_s <= told[-1]]
    assert len(late) > 30
    assert max(late) < 0.02


def test_key_and_chord_are_told_when_they_change(followed: Followed) -> None:
    """What is understood differs from one entry to the next, in the order of time."""
    entries = [(one.key, one.chord) for one in followed.understood]
    assert all(one != other for one, other in pairwise(entries))
    moments = [one.at_s for one in followed.understood]
    assert sorted(moments) == moments
    assert "Am" in {chord for _, chord in entries}


def test_the_same_song_gives_the_same_result(followed: Followed) -> None:
    """Following depends on nothing but the song, settings and seed."""
    assert followed.song == follow(to_player(accompaniment(steady(100, 49)))).song


def test_a_chosen_channel_is_used() -> None:
    """A wish for a channel is met."""
    song = follow(to_player(accompaniment(steady(100, 17))), Wishes(channel=7)).song
    assert {7} == {event.message.channel for event in song.tracks[-1].events if isinstance(event.message, NoteOn)}


def test_a_player_without_notes_and_an_endless_one_are_refused() -> None:
    """There is nothing to follow without notes, and a part of hours is damaged."""
    with pytest.raises(MidiFileError, match="no notes"):
        follow(to_player([]))
    long = [TimedMessage(MAX_S + 1, NoteOn(0, 60, 80)), TimedMessage(MAX_S + 2, NoteOff(0, 60))]
    with pytest.raises(MidiFileError, match="lasts"):
        follow(to_player(long))
    with pytest.raises(UsageError, match="no track"):
        follow(to_player(accompaniment(steady(100, 9))), Wishes(player="9"))


def test_positions_never_go_back() -> None:
    """A correction holds the position; before the next beat is told it stays below it."""
    time = FoundTime()
    time.add_reading(0.5, view_of(0))
    assert [] == time.positions
    time.add_beat(1.0, view_of(0))
    for now_s, beat in ((1.2, 0.5), (1.3, 0.4), (1.9, 1.7)):
        time.add_reading(now_s, replace(view_of(0), beat=beat))
    time.add_beat(2.0, view_of(1, Meter(6, 8), 1))
    time.add_beat(2.5, view_of(2, Meter(6, 8), 0))
    assert [0.0, 0.5, 0.5, 0.999, 1.0, 2.5] == time.positions
    assert pytest.approx([1.0, 1.2, 2.0, 2.25]) == time.moments_of([0.0, 0.5, 1.0, 1.75]).tolist()
    assert 0.25 == pytest.approx(time.position_at(1.1))
    assert [(0.0, COMMON), (2.5, Meter(6, 8))] == [(line.beat, line.meter) for line in time.bar_lines()]


@pytest.mark.parametrize("start_s", [0.0, 2.0])
def test_beats_are_written_where_they_were_told(start_s: float) -> None:
    """Ticks are even between beats; a lead of a quarter stands before the first one unless it comes at once."""
    time = FoundTime()
    for beat in range(6):
        time.add_beat(start_s + beat * 0.5, view_of(beat, place=(beat + 2) % 4))
    written = WrittenTime(time, start_s + 4.0)
    lead = 1 if start_s else 0
    assert [lead * TICKS_PER_BEAT, (lead + 2) * TICKS_PER_BEAT] == written.ticks_at([start_s, start_s + 1]).tolist()
    assert 500_000 == written.tempo_map[-1].us_per_beat
    expected = [(0, 1, 4)] * lead + [(tick * TICKS_PER_BEAT, 4, 4) for tick in (lead, lead + 2)]
    assert expected == [(change.tick, *vars_of(change)) for change in written.meter_map]
