"""The engine beside a song in a file: what it hears, when it plays, what is kept and what is written."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from improviser.engine.role import COMPING
from improviser.errors import MidiFileError, UsageError
from improviser.midi.message import (
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    ProgramChange,
    SysEx,
    TimedMessage,
)
from improviser.midi.smf import (
    MetaEvent,
    MeterChange,
    Song,
    TempoChange,
    TimedEvent,
    Track,
    read_file,
    write_file,
)
from improviser.midi.song import key_signature
from improviser.music.meter import Meter
from improviser.music.scale import Key, Mode
from improviser.offline import Wishes, render_song, with_program
from improviser.offline.part import ENDLESS_BEATS, without_endless_pedals
from tests.actors import Indifferent, pulse, random_policy
from tests.rendering import BAR, FREE, IN_C, beats, loudest, render, timed
from tests.sessions import sounding_after
from tests.strategies import songs
from tests.written import TICKS, TUNE, onsets, to_song, to_track

LYRIC, MARKER = 0x05, 0x06


# --- what is kept


def test_all_of_the_song_is_kept() -> None:
    """Tracks, names, lyrics, markers, key signature, programs, tempo and meters stay; one track is added."""
    own = (TimedEvent(0, MetaEvent(LYRIC, b"la")), TimedEvent(0, ProgramChange(0, 5)))
    flute, bass = to_track(TUNE, name="flute"), to_track("C3 - " * 8, channel=1, name="bass")
    title = (TimedEvent(0, key_signature(Key(9, Mode.MAJOR))), TimedEvent(BAR, MetaEvent(MARKER, b"B")))
    song = replace(
        to_song(
            replace(flute, events=(*own, TimedEvent(0, SysEx(b"\1")), *flute.events)),
            bass,
            tempos=[TempoChange(0, 600_000), TempoChange(BAR, 300_000)],
            meters=[MeterChange(0, 4, 4), MeterChange(2 * BAR, 3, 4)],
        ),
        conductor=Track("Title", title),
    )
    rendered = render(song)
    assert ["flute", "bass", "improviser"] == [track.name for track in rendered.tracks]
    assert song == replace(rendered, tracks=rendered.tracks[:-1])


def test_what_was_skipped_is_still_known() -> None:
    """The list of what reading skipped is also in the rendered song."""
    assert ("a tempo",) == render(replace(to_song(TUNE), skipped=("a tempo",))).skipped


def test_notes_that_never_end_end_with_the_song() -> None:
    """A note-on without a note-off gets one at the end of the last bar; complete notes stay unchanged."""
    events = (
        TimedEvent(0, NoteOn(0, 60, 80)),
        TimedEvent(0, NoteOn(0, 60, 80)),
        TimedEvent(TICKS, NoteOff(0, 60)),
        TimedEvent(TICKS, NoteOff(0, 61)),
        TimedEvent(TICKS, NoteOn(2, 64, 80)),
        TimedEvent(9 * BAR, ControlChange(0, 7, 1)),
    )
    later = to_track("C4", start=2 * BAR, channel=3).events[:1]
    rendered = render(to_song(Track("", events), Track("", later)), Wishes(player="1"))
    ends = (TimedEvent(BAR, NoteOff(0, 60)), TimedEvent(BAR, NoteOff(2, 64)))
    assert (*events[:-1], *ends, events[-1]) == rendered.tracks[0].events
    assert (*later, TimedEvent(2 * BAR, NoteOff(3, 60))) == rendered.tracks[1].events


@pytest.mark.parametrize("ticks", [1, 2, 3, 7, 96, 480, 32_767])
def test_any_ticks_a_beat(tmp_path: Path, ticks: int) -> None:
    """Beats are on their ticks at any resolution; a resolution that is too low is raised."""
    meters = [MeterChange(0, 1, 8), MeterChange(ticks, 4, 4)]
    write_file(tmp_path / "song.mid", render(to_song(TUNE, ticks=ticks, meters=meters)))
    song = read_file(tmp_path / "song.mid")
    assert (ticks if ticks > 7 else ticks * -(-96 // ticks)) == song.ticks_per_beat
    assert [MeterChange(0, 1, 8), MeterChange(song.ticks_per_beat, 4, 4)] == list(song.meter_map)
    assert [float(beat) for beat in range(16)] == [tick / song.ticks_per_beat for tick, _ in onsets(song.tracks[0])]
    assert {} == sounding_after(timed(song.tracks[1]))
    assert 0 < min(length for length in _lengths(song.tracks[1]))


def _lengths(track: Track) -> list[int]:
    """Return the durations of the notes of a line in ticks."""
    notes = [event for event in track.events if isinstance(event.message, NoteOn | NoteOff)]
    return [after.tick - event.tick for event, after in pairwise(notes) if isinstance(event.message, NoteOn)]


# --- when it plays


def test_the_improviser_plays_on_the_beats_whatever_the_tempo() -> None:
    """Notes are on the grid in ticks, across changes of tempo."""
    song = to_song(TUNE, tempos=[TempoChange(tick, 400_000 + 777 * tick) for tick in range(0, BAR, 31)])
    assert [float(beat) for beat in range(16)] == beats(render(song))[:16]


@pytest.mark.parametrize(("patience", "end"), [(0, 5 * 4), (1, 6 * 4), (3, 8 * 4)])
def test_the_improviser_ends_as_live(patience: int, end: int) -> None:
    """After the player's last note the improviser plays on for its patience, or to the end of the bar without any."""
    rendered = render(to_song(f"{TUNE} C4"), settings=replace(IN_C, patience_bars=patience))
    # In live play the last bars are counted from the player's last note.
    played = 17 + 4 * patience if patience else end
    assert [float(beat) for beat in range(played)] == beats(rendered)
    assert {} == sounding_after(timed(rendered.tracks[-1]))


def test_a_stray_event_is_no_music() -> None:
    """A controller a hundred bars after the tune does not make the improviser play on."""
    stray = Track("", (TimedEvent(100 * BAR, ControlChange(0, 7, 100)),))
    plain, strayed = render(to_song(TUNE)), render(to_song(TUNE, stray))
    assert plain.tracks[-1] == strayed.tracks[-1]
    assert stray in strayed.tracks


@pytest.mark.parametrize(
    "hung",
    [ControlChange(0, 64, 127), NoteOn(1, 30, 80)],
)
def test_what_never_ends_is_no_solo(hung: Message) -> None:
    """A pedal or a note without an end does not make the improviser play until a later stray note."""
    stray = (TimedEvent(100 * BAR, NoteOn(0, 60, 80)), TimedEvent(100 * BAR + 9, NoteOff(0, 60)))
    song = to_song(TUNE, Track("", (TimedEvent(0, hung), *stray)))
    played = beats(render(song))
    assert not [beat for beat in played if 16 + ENDLESS_BEATS + 2 * 4 <= beat < 400]
    assert [beat for beat in played if beat >= 400]


def test_a_pedal_that_is_held_across_a_rest_holds_the_next_notes() -> None:
    """A pedal counts as released only in the silence, and holds the notes after it again."""
    down, on, off = ControlChange(0, 64, 127), NoteOn(0, 60, 80), NoteOff(0, 60)
    heard = [TimedMessage(0.0, down), *(TimedMessage(at, each) for at in (1.0, 30.0) for each in (on, off))]
    up_at = 1.0 + ENDLESS_BEATS
    added = [TimedMessage(up_at, ControlChange(0, 64, 0)), TimedMessage(30.0, down)]
    assert [*heard[:3], *added, *heard[3:]] == without_endless_pedals(heard)


def test_a_lead_in_is_listened_to() -> None:
    """Nothing is played before the player's first note; without a given key the next bar is listened to as well."""
    assert 16.0 == beats(render(to_song(to_track(TUNE, start=4 * BAR))))[0]
    assert 20.0 == beats(render(to_song(to_track(TUNE, start=4 * BAR)), settings=FREE))[0]


def test_in_a_gap_the_improviser_rests() -> None:
    """In eight bars of silence the improviser stops after its patience, and returns with the player's next note."""
    song = to_song(TUNE, to_track(TUNE, start=12 * BAR))
    played = beats(render(song))
    assert [*range(20), *range(48, 68)] == [int(beat) for beat in played]


def test_the_key_unknown_the_first_bar_is_listened_to() -> None:
    """Without a given key the improviser begins in the second bar."""
    assert 4.0 == beats(render(to_song(TUNE), settings=FREE))[0]


def test_swing_moves_what_is_between_the_beats() -> None:
    """Swing delays the second eighths and not the beats."""
    drawn = replace(IN_C, temperature=1.0, swing=0.75)
    places = {round(beat % 1, 3) for beat in beats(render(to_song(TUNE), actor=Indifferent(), settings=drawn))}
    assert {0.0, 0.375, 0.75, 0.875} == places


# --- where its bars are


@pytest.mark.parametrize(
    ("meters", "expected"),
    [
        ([], [0, 4, 8, 12]),
        ([(0, 3, 4)], [0, 3, 6, 9, 12, 15]),
        ([(0, 6, 8)], [0, 3, 6, 9, 12, 15]),
        ([(0, 5, 4)], [0, 5, 10, 15]),
        ([(0, 3, 2)], [0, 6, 12]),
        ([(0, 8, 8)], [0, 4, 8, 12]),
        ([(0, 1, 4), (TICKS, 3, 4)], [1, 4, 7, 10, 13]),
        ([(0, 3, 4), (2 * TICKS, 4, 4)], [2, 6, 10, 14]),
        ([(0, 4, 4), (BAR, 3, 4)], [0, 4, 7, 10, 13]),
        ([(0, 4, 4), (2 * BAR, 2, 4), (2 * BAR + 2 * TICKS, 4, 4)], [0, 4, 8, 10, 14]),
        ([(0, 2, 4), (2 * BAR, 4, 4)], [0, 2, 4, 6, 8, 12]),
        ([(2 * BAR, 3, 4)], [0, 4, 8, 11, 14]),
        ([(0, 20, 4)], [0, 4, 8, 12]),
        ([(0, 4, 4), (BAR, 8, 64), (BAR + TICKS // 2, 4, 4)], [0, 4, 4.5, 8.5, 12.5]),
        ([(0, 4, 4), (BAR, 7, 32), (BAR + 7 * TICKS // 8, 4, 4)], [0, 4, 4.875, 8.875, 12.875]),
    ],
)
def test_each_meter_counts_from_its_place(meters: list[tuple[int, int, int]], expected: list[float]) -> None:
    """The first beat of each bar is accented, as the song's time signatures say."""
    song = to_song(TUNE, meters=[MeterChange(*change) for change in meters])
    drawn = replace(IN_C, temperature=0.0)
    assert expected == [beat for beat in loudest(render(song, settings=drawn)) if beat < 16]


@pytest.mark.parametrize("meter", [(1, 64), (1, 128), (3, 128)])
@pytest.mark.parametrize("steps_per_beat", [1, 4])
def test_bars_that_are_shorter_than_a_step(meter: tuple[int, int], steps_per_beat: int) -> None:
    """Bars shorter than a step are played in order, and the next meter counts.

    The player is off the grid of the short bars. Until that is forgotten, our notes are off the next bars' grid too.
    """
    song = to_song(TUNE, meters=[MeterChange(0, *meter), MeterChange(2 * BAR, 4, 4)])
    rendered = render(song, settings=replace(IN_C, steps_per_beat=steps_per_beat))
    assert sorted(beats(rendered)) == beats(rendered)
    assert song.meter_map == rendered.meter_map
    assert {13.0, 14.0, 15.0, 16.0} <= set(beats(rendered))


def test_a_meter_that_the_grid_does_not_fit() -> None:
    """Bars of 7/8 on a grid of triplets begin in their places: the last step of each is cut."""
    song = to_song(TUNE, meters=[MeterChange(0, 7, 8)])
    rendered = render(song, settings=replace(IN_C, steps_per_beat=3))
    assert [0.0, 3.5, 7.0, 10.5, 14.0] == [round(beat, 1) for beat in loudest(rendered) if beat < 16]


def test_the_meter_may_be_given() -> None:
    """A given meter holds for the whole song, and is written."""
    song = to_song(TUNE, meters=[MeterChange(0, 4, 4), MeterChange(BAR, 2, 4)])
    rendered = render(song, Wishes(meter=Meter(3, 4)))
    assert [0, 3, 6, 9, 12, 15] == [beat for beat in loudest(rendered) if beat < 16]
    assert (MeterChange(0, 3, 4),) == rendered.meter_map


@pytest.mark.parametrize(
    ("meters", "pickup", "expected"),
    [
        ([], 1.0, [(0, 1, 4), (TICKS, 4, 4)]),
        ([(0, 3, 4)], 1.5, [(0, 3, 8), (3 * TICKS // 2, 3, 4)]),
        ([(0, 4, 4), (4 * BAR, 3, 4)], 0.125, [(0, 1, 32), (TICKS // 8, 4, 4), (4 * BAR, 3, 4)]),
        ([(0, 1, 4), (TICKS, 4, 4)], 2.0, [(0, 2, 4), (2 * TICKS, 4, 4)]),
        ([(0, 4, 4)], 0.0, [(0, 4, 4)]),
    ],
)
def test_the_pickup_may_be_given(
    meters: list[tuple[int, int, int]], pickup: float, expected: list[tuple[int, int, int]]
) -> None:
    """A given pickup sets the first downbeat, and is written as a short bar."""
    song = to_song(f"G4 {TUNE}", meters=[MeterChange(*change) for change in meters])
    rendered = render(song, Wishes(pickup=pickup))
    assert [MeterChange(*change) for change in expected] == list(rendered.meter_map)
    assert pickup == loudest(rendered)[0]


@pytest.mark.parametrize(("pickup", "first"), [(None, 1.0), (0.0, 0.0)])
def test_a_short_first_bar_may_be_no_pickup(pickup: float | None, first: float) -> None:
    """A short first bar counts as a pickup unless the pickup is given as none."""
    song = to_song(TUNE, meters=[MeterChange(0, 1, 4), MeterChange(TICKS, 3, 4)])
    assert first == loudest(render(song, Wishes(pickup=pickup)))[0]


@pytest.mark.parametrize(
    ("pickup", "reason"),
    [
        (4.0, "a pickup of 4 quarter notes fills a bar of 4/4; give less than 4"),
        (0.3, "a pickup of 0.3 quarter notes cannot be written; round it to eighths of one"),
    ],
)
def test_a_pickup_that_is_none(pickup: float, reason: str) -> None:
    """A pickup of a whole bar, or without a notation, is refused."""
    with pytest.raises(UsageError, match=f"^{reason}$"):
        render(to_song(TUNE), Wishes(pickup=pickup))


# --- the whole


def test_the_same_seed_gives_the_same_song() -> None:
    """The same seed gives the same song, and another seed another one."""
    drawn = replace(IN_C, temperature=1.0)
    first, again, other = (render(to_song(TUNE), actor=Indifferent(), settings=drawn, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.tracks[-1] != other.tracks[-1]


def test_progress_is_told_in_beats() -> None:
    """Each step reports the beats done and their total."""
    told: list[tuple[float, float]] = []
    rng = np.random.default_rng(0)
    render_song(to_song(TUNE), Wishes(), IN_C, pulse(), rng, lambda *now: told.append(now))
    assert [(step / 4, 20.0) for step in range(80)] == told


@examples(max_examples=30)
@given(song=songs(), key=st.sampled_from(["auto", "Am"]))
def test_any_song_is_rendered_or_refused(song: Song, key: str) -> None:
    """Any song keeps its tracks and gets complete notes, or is refused as one that cannot be played."""
    try:
        rendered = render(song, actor=Indifferent(), settings=replace(FREE, key=key))
    except (MidiFileError, UsageError):
        return
    assert {} == sounding_after(timed(rendered.tracks[-1]))
    assert [track.name for track in song.tracks] == [track.name for track in rendered.tracks[:-1]]
    assert [len(song.tempo_map), len(song.meter_map)] == [len(rendered.tempo_map), len(rendered.meter_map)]


def test_without_a_program_nothing_is_chosen() -> None:
    """Without a program in the preset, or without notes, no program change is added."""
    rendered = render(to_song(TUNE))
    silent = replace(rendered, tracks=(rendered.tracks[0], Track("improviser", ())))
    assert rendered is with_program(rendered, None)
    assert silent is with_program(silent, 40)


def test_chords_over_a_file_end() -> None:
    """With chords several notes sound at once, and each of them ends."""
    chords = random_policy(role=COMPING)
    song = render(to_song(TUNE), actor=chords, settings=replace(IN_C, role=COMPING.name, register_low=48))
    played = timed(song.tracks[-1])
    ticks = [one.due_s for one in played if isinstance(one.message, NoteOn)]
    assert len(ticks) > 2 * len(set(ticks))
    assert not sounding_after(played)
