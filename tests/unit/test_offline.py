"""The engine over written music: what it hears, where its bars lie, what it writes; pieces from fragments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from improviser.agent.policy import Actor
from improviser.engine import EngineSettings
from improviser.engine.role import COMPING
from improviser.errors import MidiFileError, UsageError
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    NoteOff,
    NoteOn,
    ProgramChange,
    SysEx,
    TimedMessage,
)
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, Track
from improviser.music.meter import Meter
from improviser.music.scale import Key, Mode
from improviser.offline import compose_song, fragment_key, random_fragment, render_song, with_program
from improviser.offline.render import MAX_BEATS, song_meter
from tests.actors import Indifferent, holder, pulse, random_policy
from tests.sessions import sounding_after
from tests.strategies import songs
from tests.written import TICKS, TUNE, channels, onsets, to_song, to_track

IN_C = EngineSettings(key="C", temperature=0.0)
FREE = EngineSettings(temperature=0.0)
BAR = 4 * TICKS
FOUR_FOUR = Meter(4, 4)


def render(
    song: Song,
    track: int | None = None,
    actor: Actor | None = None,
    settings: EngineSettings = IN_C,
    seed: int = 0,
) -> Song:
    """Give the song with the improviser; it plays a low note in every beat unless another actor decides."""
    return render_song(song, track, settings, actor or pulse(), np.random.default_rng(seed))


def compose(fragment: list[int], bars: int = 2, settings: EngineSettings = IN_C, seed: int = 0) -> Song:
    """Give a piece that goes on by chance."""
    drawn = replace(settings, temperature=1.0)
    return compose_song(fragment, bars, drawn, Indifferent(), np.random.default_rng(seed))


def timed(track: Track) -> list[TimedMessage]:
    """Give the events of a part as messages in time."""
    return [TimedMessage(float(event.tick), event.message) for event in track.events]


def test_both_parts_are_written() -> None:
    """The song that comes out has the parts player and improviser and no other, on the input's own time."""
    song = to_song(
        to_track(TUNE, name="flute"),
        tempos=[TempoChange(0, 600_000), TempoChange(BAR, 300_000)],
        meters=[MeterChange(0, 3, 4)],
    )
    rendered = render(song)
    assert ["player", "improviser"] == [track.name for track in rendered.tracks]
    assert song == replace(rendered, tracks=(replace(rendered.tracks[0], name="flute"),))


def test_the_improviser_plays_on_the_beats_whatever_the_tempo() -> None:
    """What is played lies on the grid in ticks, across changes of the tempo."""
    song = to_song(TUNE, tempos=[TempoChange(tick, 400_000 + 777 * tick) for tick in range(0, BAR, 31)])
    assert list(range(0, 4 * BAR, TICKS)) == [tick for tick, _ in onsets(render(song).tracks[1])]


@pytest.mark.parametrize("ticks", [1, 7, 96, 480, 32_767])
def test_any_ticks_a_beat(ticks: int) -> None:
    """Beats fall on their ticks whatever their number is, and all notes end."""
    part = render(to_song(TUNE, ticks=ticks)).tracks[1]
    assert [beat * ticks for beat in range(16)] == [tick for tick, _ in onsets(part)]
    assert {} == sounding_after(timed(part))


def test_the_improviser_ends_with_the_bar_in_which_the_player_ends() -> None:
    """Seventeen beats are five bars, and the last note is let go at the end of the fifth."""
    part = render(to_song(f"{TUNE} C4"), actor=holder()).tracks[1]
    assert [bar * BAR for bar in range(5)] == [tick for tick, _ in onsets(part)]
    assert TimedEvent(5 * BAR, NoteOff(1, onsets(part)[-1][1])) == part.events[-1]


def test_the_key_unknown_the_first_bar_is_listened_to() -> None:
    """Where the key is not given the improviser comes in with the second bar."""
    assert BAR == onsets(render(to_song(TUNE), settings=FREE).tracks[1])[0][0]


@pytest.mark.parametrize(
    ("meters", "meter", "downbeat"),
    [
        ([], FOUR_FOUR, 0),
        ([(0, 3, 4)], Meter(3, 4), 0),
        ([(0, 6, 8)], Meter(6, 8), 0),
        ([(0, 5, 4)], Meter(5, 4), 0),
        ([(0, 11, 8)], FOUR_FOUR, 0),
        ([(0, 1, 4), (TICKS, 3, 4)], Meter(3, 4), TICKS),
        ([(0, 4, 4), (BAR, 3, 4)], Meter(3, 4), TICKS),
        ([(0, 4, 4), (2 * BAR, 2, 4), (2 * BAR + 2 * TICKS, 4, 4)], FOUR_FOUR, 2 * TICKS),
        ([(0, 4, 4), (3 * BAR, 2, 4)], FOUR_FOUR, 0),
        ([(0, 2, 4), (2 * BAR, 4, 4)], Meter(2, 4), 0),
    ],
)
def test_the_bars_are_those_of_the_longest_stretch(
    meters: list[tuple[int, int, int]], meter: Meter, downbeat: int
) -> None:
    """The meter that the song is in for longest counts, from its first downbeat on; else the preset's."""
    song = to_song(
        TUNE if len(meters) < 3 else f"{TUNE} {TUNE}", meters=[MeterChange(*change) for change in meters]
    )
    assert (meter, downbeat) == song_meter(song, FOUR_FOUR)


def test_the_improviser_comes_in_after_the_pickup() -> None:
    """A first bar that is shorter than the others is a pickup; the downbeat comes after it."""
    song = to_song(f"G4 {TUNE}", meters=[MeterChange(0, 1, 4), MeterChange(TICKS, 4, 4)])
    part = render(song, actor=holder()).tracks[1]
    assert [TICKS + bar * BAR for bar in range(4)] == [tick for tick, _ in onsets(part)]


def test_a_song_that_is_all_pickup() -> None:
    """Where nothing comes after the pickup there is still a bar to play in."""
    song = to_song("G4", meters=[MeterChange(0, 3, 4), MeterChange(2 * TICKS, 4, 4)])
    assert len(onsets(render(song).tracks[1])) == 3


@pytest.mark.parametrize(("track", "expected"), [(None, 32), (0, 16), (1, 16)])
def test_the_player_is_one_track_or_all(track: int | None, expected: int) -> None:
    """The part of the player holds the notes of the track that was chosen, or of all in order of time."""
    song = to_song(TUNE, to_track(TUNE.replace("4", "5"), channel=1))
    part = render(song, track).tracks[0]
    assert expected == len(onsets(part))
    assert sorted(onsets(part), key=lambda onset: onset[0]) == onsets(part)


@pytest.mark.parametrize("track", [-1, 2, 99])
def test_a_track_that_is_not_there(track: int) -> None:
    """Another track is refused, with how many there are."""
    with pytest.raises(UsageError, match=rf"^there is no track {track + 1}; --player-track can be 1 to 2$"):
        render(to_song(TUNE, TUNE), track)


@pytest.mark.parametrize(
    "song",
    [
        to_song(),
        to_song(Track("", ())),
        to_song(to_track(TUNE, channel=9)),
        to_song(Track("", (TimedEvent(0, ControlChange(0, 1, 1)), TimedEvent(9, NoteOff(0, 60))))),
    ],
    ids=["no track", "no event", "drums", "no note-on"],
)
def test_a_player_without_notes(song: Song) -> None:
    """A part without a pitched note is refused."""
    with pytest.raises(MidiFileError, match=r"^the player has no notes, drums aside; choose "):
        render(song)


def test_a_song_without_end() -> None:
    """A part that lasts for days, as damaged files do, is refused before a step is played."""
    song = to_song(Track("", (TimedEvent(0, NoteOn(0, 60, 1)), TimedEvent(0x0FFFFFFF, NoteOff(0, 60)))))
    with pytest.raises(MidiFileError, match=rf"lasts 2,796,202 beats; cut it to at most {MAX_BEATS:,}$"):
        render(song)


def test_drums_are_kept_and_not_heard() -> None:
    """Notes of channel 10 stay in the player's part, and the improviser plays as if they were not there."""
    drums = to_track("C#2 F#2 " * 8, channel=9)
    with_drums, without = (
        render(to_song(*parts), actor=random_policy()) for parts in ((TUNE, drums), (TUNE,))
    )
    assert without.tracks[1] == with_drums.tracks[1]
    assert {0, 9} == channels(with_drums.tracks[0])


def test_the_pedal_is_heard() -> None:
    """What the pedal holds still sounds, and so the improviser plays something else than without it."""
    pedal = Track("", (TimedEvent(0, ControlChange(0, SUSTAIN_PEDAL, 127)),))
    tune = TUNE.replace("E4", "-")
    dry, wet = (render(to_song(*parts), actor=random_policy()) for parts in ((tune,), (pedal, tune)))
    assert dry.tracks[1] != wet.tracks[1]


@pytest.mark.parametrize(
    ("players", "wanted", "expected"),
    [([0], 0, 1), ([3], 0, 0), ([0, 1], 1, 2), ([*range(9)], 0, 10), ([*range(16)], 4, 4), ([0], 9, 1)],
)
def test_the_improviser_has_a_channel_of_its_own(players: list[int], wanted: int, expected: int) -> None:
    """The preset's channel counts unless the player is on it; then the first free one, never the drums'."""
    song = to_song(*(to_track(TUNE, channel=channel) for channel in players))
    assert {expected} == channels(render(song, settings=replace(IN_C, channel=wanted)).tracks[1])


def test_notes_that_never_end_end_with_the_song() -> None:
    """A note-on without its note-off gets one at the end of the last bar; what ends is left as it is."""
    events = (
        TimedEvent(0, NoteOn(0, 60, 80)),
        TimedEvent(0, NoteOn(0, 60, 80)),
        TimedEvent(TICKS, NoteOff(0, 60)),
        TimedEvent(TICKS, NoteOff(0, 61)),
        TimedEvent(TICKS, NoteOn(2, 64, 80)),
    )
    part = render(to_song(Track("", events))).tracks[0]
    assert (*events, TimedEvent(BAR, NoteOff(0, 60)), TimedEvent(BAR, NoteOff(2, 64))) == part.events


def test_all_that_the_player_does_is_kept() -> None:
    """Controllers, programs and system exclusive messages stay in the player's part."""
    other = (
        TimedEvent(0, ProgramChange(0, 5)),
        TimedEvent(3, ControlChange(0, 7, 9)),
        TimedEvent(5, SysEx(b"\x01")),
    )
    part = render(to_song(Track("", other), TUNE)).tracks[0]
    assert set() == set(other) - set(part.events)


def test_the_same_seed_gives_the_same_song() -> None:
    """One seed gives one song, another seed another."""
    songs_of = [
        render(to_song(TUNE), actor=Indifferent(), settings=replace(IN_C, temperature=1.0), seed=seed)
        for seed in (1, 1, 2)
    ]
    assert songs_of[0] == songs_of[1]
    assert songs_of[0].tracks[1] != songs_of[2].tracks[1]


def test_progress_is_told_in_beats() -> None:
    """Each step reports how many beats of how many are done."""
    told: list[tuple[float, float]] = []
    render_song(to_song(TUNE), None, IN_C, pulse(), np.random.default_rng(0), lambda *now: told.append(now))
    assert [(step / 4, 16.0) for step in range(64)] == told


@examples(max_examples=30)
@given(song=songs(), key=st.sampled_from(["auto", "Am"]))
def test_any_song_is_rendered_or_refused(song: Song, key: str) -> None:
    """Whatever the song, both parts' notes all end, or the song is refused as one that cannot be played."""
    try:
        rendered = render(song, actor=Indifferent(), settings=replace(FREE, key=key))
    except MidiFileError:
        return
    assert {} == sounding_after(timed(rendered.tracks[1]))
    assert (song.ticks_per_beat, song.tempo_map, song.meter_map) == (
        rendered.ticks_per_beat,
        rendered.tempo_map,
        rendered.meter_map,
    )


def test_the_program_is_chosen_first() -> None:
    """A preset's instrument is chosen at the start, on the improviser's own channel."""
    rendered = render(to_song(TUNE))
    part = with_program(rendered, 40).tracks[1]
    assert (TimedEvent(0, ProgramChange(1, 40)), *rendered.tracks[1].events) == part.events


def test_without_a_program_nothing_is_chosen() -> None:
    """Where the preset leaves the instrument open, or nothing is played, the song stays as it is."""
    rendered = render(to_song(TUNE))
    silent = replace(rendered, tracks=(rendered.tracks[0], Track("improviser", ())))
    assert rendered is with_program(rendered, None)
    assert silent is with_program(silent, 40)


def test_a_piece_begins_with_its_fragment() -> None:
    """The notes of the fragment come first, a beat each, and then the piece goes on to its last bar."""
    song = compose([60, 64, 67])
    assert [(0, 60), (480, 64), (960, 67)] == onsets(song.tracks[0])[:3]
    assert 2 * 4 * 480 >= song.end_tick > 4 * 480
    assert {} == sounding_after(timed(song.tracks[0]))


def test_a_fragment_is_played_as_it_is_written() -> None:
    """Notes outside of the key, repeated ones and held ones come as they stand in the fragment."""
    fragment = [61, 61, 66, 70, 63]
    assert fragment == [note for _, note in onsets(compose(fragment).tracks[0])][:5]


def test_a_piece_keeps_to_its_key_after_the_fragment() -> None:
    """All that is not given lies in the key."""
    notes = [note for tick, note in onsets(compose([61], bars=8).tracks[0]) if tick >= 480]
    assert notes
    assert set() == {note % 12 for note in notes} - {0, 2, 4, 5, 7, 9, 11}


def test_a_piece_may_begin_with_nothing() -> None:
    """Without a fragment all is improvised."""
    assert onsets(compose([]).tracks[0])


@pytest.mark.parametrize(
    ("meter", "bars", "beats"), [((4, 4), 3, 12), ((3, 4), 3, 9), ((6, 8), 2, 6), ((2, 4), 1, 2)]
)
def test_a_piece_has_its_bars(meter: tuple[int, int], bars: int, beats: int) -> None:
    """A piece lasts as many bars of its meter as asked, at its tempo."""
    settings = replace(IN_C, meter=meter, tempo_bpm=96.0)
    song = compose_song([60, 60], bars, settings, pulse(), np.random.default_rng(0))
    assert ((TempoChange(0, 625_000),), (MeterChange(0, *meter),)) == (song.tempo_map, song.meter_map)
    assert beats == len(onsets(song.tracks[0]))


@pytest.mark.parametrize("note", [59, 97])
def test_a_fragment_out_of_the_register(note: int) -> None:
    """A note outside of the register is refused by its name, with the register."""
    with pytest.raises(UsageError, match=r"^(B3|C#7) is not in the register, C4 to C7; move it, "):
        compose([60, note])


def test_a_fragment_longer_than_the_piece() -> None:
    """A fragment that does not fit is refused, with the bars that it takes; one that just fits is all."""
    assert 8 == len(onsets(compose([60] * 8).tracks[0]))
    with pytest.raises(
        UsageError, match=r"^the fragment's 9 beats do not fit into --bars 2; give at least 3$"
    ):
        compose([60] * 9)


def test_a_fragment_implies_its_key() -> None:
    """The key is the one that the notes of the fragment speak for."""
    rng = np.random.default_rng(0)
    assert Key(7, Mode.MAJOR) == fragment_key([67, 69, 71, 72, 74, 76, 78, 79], rng)
    assert Key(9, Mode.MINOR) == fragment_key([69, 71, 72, 74, 76, 77, 80, 81], rng)


@pytest.mark.parametrize("fragment", [None, []])
def test_no_fragment_implies_any_key(fragment: list[int] | None) -> None:
    """Without notes the key is drawn, by the seed."""
    drawn = [fragment_key(fragment, np.random.default_rng(seed)) for seed in (*range(20), *range(20))]
    assert drawn[:20] == drawn[20:]
    assert len(set(drawn)) > 5


@examples(max_examples=30)
@given(tonic=st.sampled_from(["C", "F#m", "Bb", "Gm"]), low=st.integers(6, 85), seed=st.integers(0, 99))
def test_a_random_fragment_can_be_played(tonic: str, low: int, seed: int) -> None:
    """A random fragment is three notes of the tonic's triad, all in the register."""
    settings = replace(IN_C, key=tonic, register_low=low)
    fragment = random_fragment(settings, np.random.default_rng(seed))
    assert 3 == len({note % 12 for note in fragment})
    assert fragment == [note for _, note in onsets(compose(fragment, 1, settings).tracks[0])][:3]


# --- chords


IN_CHORDS = replace(IN_C, role=COMPING.name, register_low=48)
CHORDS = random_policy(role=COMPING)


def test_chords_begin_as_given() -> None:
    """Chords of the key stand on the notes of a fragment, a beat each, all their notes at once."""
    song = compose_song([60, 65, 67], 2, IN_CHORDS, CHORDS, np.random.default_rng(0))
    struck = onsets(song.tracks[0])
    first = [{note % 12 for tick, note in struck if tick == beat * 480} for beat in range(3)]
    assert [{0, 4, 7}, {5, 9, 0}, {7, 11, 2}] == first


def test_chords_over_a_file_end() -> None:
    """Beside a player in a file several notes sound at once, and each of them ends."""
    song = render_song(to_song(TUNE), None, IN_CHORDS, CHORDS, np.random.default_rng(0))
    played = timed(song.tracks[-1])
    ticks = [one.due_s for one in played if isinstance(one.message, NoteOn)]
    assert len(ticks) > 2 * len(set(ticks))
    assert not sounding_after(played)
