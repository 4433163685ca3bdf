"""The engine beside a song in a file: what it hears, when it plays, what is kept and what is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
from improviser.midi.smf import (
    MetaEvent,
    MetaKind,
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
from improviser.offline import Wishes, channel_users, render_song, with_program
from improviser.offline.render import MAX_BEATS
from tests.actors import Indifferent, pulse, random_policy
from tests.sessions import sounding_after
from tests.strategies import songs
from tests.written import TICKS, TUNE, channels, onsets, to_song, to_track

IN_C = EngineSettings(key="C", temperature=0.0, patience_bars=1)
FREE = replace(IN_C, key="auto")
BAR = 4 * TICKS
LYRIC, MARKER = 0x05, 0x06


def render(
    song: Song,
    wishes: Wishes | None = None,
    actor: Actor | None = None,
    settings: EngineSettings = IN_C,
    seed: int = 0,
) -> Song:
    """Return the song with the improviser; it plays a low note in every beat unless another actor decides."""
    return render_song(song, wishes or Wishes(), settings, actor or pulse(), np.random.default_rng(seed))


def beats(song: Song) -> list[float]:
    """Return the beats on which the improviser plays."""
    return [tick / song.ticks_per_beat for tick, _ in onsets(song.tracks[-1])]


def loudest(song: Song) -> list[float]:
    """Return the beats on which the improviser plays as loudly as it ever does: first beats of bars."""
    struck = [event for event in song.tracks[-1].events if isinstance(event.message, NoteOn)]
    touches = [event.message.velocity for event in struck if isinstance(event.message, NoteOn)]
    pairs = zip(struck, touches, strict=True)
    return [event.tick / song.ticks_per_beat for event, touch in pairs if touch == max(touches)]


def timed(track: Track) -> list[TimedMessage]:
    """Return the messages of a part in time."""
    return [
        TimedMessage(float(event.tick), event.message)
        for event in track.events
        if not isinstance(event.message, MetaEvent)
    ]


# --- what is kept


def test_all_of_the_song_is_kept() -> None:
    """Tracks, names, lyrics, markers, key signature, programs, tempo and meters stay; one track is added."""
    own = (TimedEvent(0, MetaEvent(LYRIC, b"la")), TimedEvent(0, ProgramChange(0, 5)))
    flute, bass = to_track(TUNE, name="flute"), to_track("C3 -" * 8, channel=1, name="bass")
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
    """What reading could not take in is in the song that is rendered too."""
    assert ("a tempo",) == render(replace(to_song(TUNE), skipped=("a tempo",))).skipped


def test_notes_that_never_end_end_with_the_song() -> None:
    """A note-on without its note-off gets one at the end of the last bar; what ends is left as it is."""
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
    """Beats fall on their ticks whatever their number is; where there are too few, there are made more."""
    meters = [MeterChange(0, 1, 8), MeterChange(ticks, 4, 4)]
    write_file(tmp_path / "song.mid", render(to_song(TUNE, ticks=ticks, meters=meters), actor=Indifferent()))
    song = read_file(tmp_path / "song.mid")
    assert (0 if ticks > 7 else 96 % ticks) == song.ticks_per_beat % ticks or song.ticks_per_beat >= 96
    assert [MeterChange(0, 1, 8), MeterChange(song.ticks_per_beat, 4, 4)] == list(song.meter_map)
    assert [float(beat) for beat in range(16)] == [
        tick / song.ticks_per_beat for tick, _ in onsets(song.tracks[0])
    ]
    assert {} == sounding_after(timed(song.tracks[1]))
    assert 0 < min(length for length in _lengths(song.tracks[1]))


def _lengths(track: Track) -> list[int]:
    """Return the ticks that the notes of a line last."""
    notes = [event for event in track.events if isinstance(event.message, NoteOn | NoteOff)]
    return [
        after.tick - event.tick
        for event, after in zip(notes, notes[1:], strict=False)
        if isinstance(event.message, NoteOn)
    ]


# --- when it plays


def test_the_improviser_plays_on_the_beats_whatever_the_tempo() -> None:
    """What is played lies on the grid in ticks, across changes of the tempo."""
    song = to_song(TUNE, tempos=[TempoChange(tick, 400_000 + 777 * tick) for tick in range(0, BAR, 31)])
    assert [float(beat) for beat in range(16)] == beats(render(song))[:16]


@pytest.mark.parametrize(("patience", "end"), [(0, 5 * 4), (1, 6 * 4), (3, 8 * 4)])
def test_the_improviser_ends_as_live(patience: int, end: int) -> None:
    """After seventeen beats of the player it plays for its patience, from there on; without any, the bar."""
    rendered = render(to_song(f"{TUNE} C4"), settings=replace(IN_C, patience_bars=patience))
    # Live the last bars are counted from the player's last note.
    played = 17 + 4 * patience if patience else end
    assert [float(beat) for beat in range(played)] == beats(rendered)
    assert {} == sounding_after(timed(rendered.tracks[-1]))


def test_a_stray_event_is_no_music() -> None:
    """One controller a hundred bars after the tune does not let the improviser play on."""
    stray = Track("", (TimedEvent(100 * BAR, ControlChange(0, 7, 100)),))
    plain, strayed = render(to_song(TUNE)), render(to_song(TUNE, stray))
    assert plain.tracks[-1] == strayed.tracks[-1]
    assert stray in strayed.tracks


def test_a_lead_in_is_listened_to() -> None:
    """Before the player's first note nothing is played, and then a bar is listened to where no key is told."""
    assert 16.0 == beats(render(to_song(to_track(TUNE, start=4 * BAR))))[0]
    assert 20.0 == beats(render(to_song(to_track(TUNE, start=4 * BAR)), settings=FREE))[0]


def test_in_a_gap_the_improviser_rests() -> None:
    """In eight bars of silence it plays for its patience, and comes in again with the player's next note."""
    song = to_song(TUNE, to_track(TUNE, start=12 * BAR))
    played = beats(render(song))
    assert [*range(20), *range(48, 68)] == [int(beat) for beat in played]


def test_the_key_unknown_the_first_bar_is_listened_to() -> None:
    """Where the key is not given the improviser comes in with the second bar."""
    assert 4.0 == beats(render(to_song(TUNE), settings=FREE))[0]


def test_swing_moves_what_is_between_the_beats() -> None:
    """With swing the second eighths come late, and the beats stay."""
    drawn = replace(IN_C, temperature=1.0, swing=0.75)
    places = {
        round(beat % 1, 3) for beat in beats(render(to_song(TUNE), actor=Indifferent(), settings=drawn))
    }
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
    """The improviser leans on the first beat of each bar, as the song's time signatures say."""
    song = to_song(TUNE, meters=[MeterChange(*change) for change in meters])
    drawn = replace(IN_C, temperature=0.0)
    assert expected == [beat for beat in loudest(render(song, settings=drawn)) if beat < 16]


def test_a_meter_that_the_grid_does_not_fit() -> None:
    """Bars of 7/8 on a grid of triplets begin where they should: the last step of each is cut."""
    song = to_song(TUNE, meters=[MeterChange(0, 7, 8)])
    rendered = render(song, settings=replace(IN_C, steps_per_beat=3))
    assert [0.0, 3.5, 7.0, 10.5, 14.0] == [round(beat, 1) for beat in loudest(rendered) if beat < 16]


def test_the_meter_may_be_given() -> None:
    """The meter that is asked for holds for the whole song, and is written."""
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
    """The first downbeat is where it is said, and the pickup is written as a short bar."""
    song = to_song(f"G4 {TUNE}", meters=[MeterChange(*change) for change in meters])
    rendered = render(song, Wishes(pickup=pickup))
    assert [MeterChange(*change) for change in expected] == list(rendered.meter_map)
    assert pickup == loudest(rendered)[0]


@pytest.mark.parametrize(
    ("pickup", "reason"),
    [
        (4.0, "a pickup of 4 quarter notes fills a bar of 4/4; give less than 4"),
        (0.3, "a pickup of 0.3 quarter notes cannot be written; round it to eighths of one"),
    ],
)
def test_a_pickup_that_is_none(pickup: float, reason: str) -> None:
    """A pickup of a bar, or one that has no notation, is refused."""
    with pytest.raises(UsageError, match=f"^{reason}$"):
        render(to_song(TUNE), Wishes(pickup=pickup))


# --- whom it hears


BAND = to_song(
    to_track(TUNE, name="Piano right"),
    to_track(TUNE.replace("4", "3"), name="Piano left"),
    to_track("C2 - " * 8, channel=2, name="Bass"),
    to_track("C2 " * 16, channel=9, name="Drums"),
    Track("Notes", (TimedEvent(0, ControlChange(5, 7, 1)),)),
)


@pytest.mark.parametrize("wanted", ["1", "piano right", "RIGHT", "channel:1"])
def test_the_player_is_told_by_number_name_or_channel(wanted: str) -> None:
    """A number from 1, a name or a part of it in any letters, or a channel means the player's part."""
    chosen = render(replace(BAND, tracks=BAND.tracks[:1] + BAND.tracks[2:]), Wishes(player=wanted))
    alone = render(replace(BAND, tracks=BAND.tracks[:1]), actor=pulse())
    assert [beat for beat in beats(chosen) if beat < 20] == beats(alone)


def test_the_player_alone_is_heard() -> None:
    """With another track as the player something else is played; all tracks stay."""
    right, bass = (render(BAND, Wishes(player=name), random_policy()) for name in ("right", "bass"))
    assert right.tracks[-1].events != bass.tracks[-1].events
    assert BAND.tracks == right.tracks[:-1] == bass.tracks[:-1]


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ("0", "there is no track 0"),
        ("6", "there is no track 6"),
        ("flute", "no track is called 'flute'"),
        ("piano", "more than one track is called 'piano'"),
        ("", "more than one track is called ''"),
        ("channel:2", "there are no notes on 'channel:2'"),
        ("channel:x", "there are no notes on 'channel:x'"),
    ],
)
def test_a_track_that_is_not_there(wanted: str, fault: str) -> None:
    """What means no one track is refused, with the tracks there are."""
    with pytest.raises(UsageError) as caught:
        render(BAND, Wishes(player=wanted))
    tracks = (
        "1 'Piano right' channel 1, 16 notes; 2 'Piano left' channel 1, 16 notes; 3 'Bass' channel 3, 8 notes; "
        "4 'Drums' channel 10, 16 notes; 5 'Notes' 0 notes"
    )
    assert f"{fault}; --player-track can be a number, a name or channel:N of {tracks}" == str(caught.value)


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
    with pytest.raises(MidiFileError, match=r"^the player has no notes, drums aside, among .*; choose "):
        render(song)


def test_a_song_without_end() -> None:
    """A part that lasts for days, as damaged files do, is refused before a step is played."""
    song = to_song(Track("", (TimedEvent(0, NoteOn(0, 60, 1)), TimedEvent(0x0FFFFFFF, NoteOff(0, 60)))))
    with pytest.raises(MidiFileError, match=rf"lasts 2,796,202 beats; cut it to at most {MAX_BEATS:,}$"):
        render(song)


def test_drums_are_kept_and_not_heard() -> None:
    """Notes of channel 10 stay, and the improviser plays as if they were not there."""
    drums = to_track("C#2 F#2 " * 8, channel=9)
    with_drums, without = (
        render(to_song(*parts), actor=random_policy()) for parts in ((TUNE, drums), (TUNE,))
    )
    assert without.tracks[-1] == with_drums.tracks[-1]
    assert drums in with_drums.tracks


def test_the_pedal_is_heard() -> None:
    """What the pedal holds still sounds, and so the improviser plays something else than without it."""
    pedal = Track("", (TimedEvent(0, ControlChange(0, SUSTAIN_PEDAL, 127)),))
    tune = TUNE.replace("E4", "-")
    dry, wet = (render(to_song(*parts), actor=random_policy()) for parts in ((tune,), (pedal, tune)))
    assert dry.tracks[-1] != wet.tracks[-1]


# --- on which channel it plays


def ported(track: Track, port: int) -> Track:
    """Return a track for a device of its own."""
    return replace(track, events=(TimedEvent(0, MetaEvent(MetaKind.PORT, bytes((port,)))), *track.events))


def test_two_devices_are_heard_apart() -> None:
    """A note-off on channel 1 of one device does not end the same note on channel 1 of another."""
    held = Track("", (TimedEvent(0, NoteOn(0, 60, 80)), TimedEvent(4 * BAR, NoteOff(0, 60))))
    short = to_track("C4 - - - " * 4)
    song = to_song(ported(held, 0), ported(short, 1))
    apart = to_song(held, replace(short, events=to_track("C4 - - - " * 4, channel=1).events))
    expected, rendered = (render(each, actor=random_policy()) for each in (apart, song))
    assert onsets(expected.tracks[-1]) == onsets(rendered.tracks[-1])
    assert song.tracks == rendered.tracks[:-1]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(0, 0), (1, 0)], (0, 1)),
        ([*((0, channel) for channel in range(16)), (1, 4)], (1, 0)),
        ([*((0, channel) for channel in range(8)), *((1, channel) for channel in range(8, 16))], (0, 8)),
    ],
)
def test_the_improviser_has_a_port(parts: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    """In a song for several devices its track names its port first, then its program."""
    song = to_song(*(ported(to_track(TUNE, channel=channel), port) for port, channel in parts))
    track = with_program(render(song), 40).tracks[-1]
    port, channel = expected
    assert (
        TimedEvent(0, MetaEvent(MetaKind.PORT, bytes((port,)))),
        TimedEvent(0, ProgramChange(channel, 40)),
    ) == track.events[:2]
    assert {channel} == channels(track)


@pytest.mark.parametrize(
    ("players", "wanted", "expected"),
    [([0], 0, 1), ([3], 0, 0), ([0, 1], 1, 2), ([*range(9)], 0, 10), ([0], 9, 1)],
)
def test_the_improviser_has_a_channel_of_its_own(players: list[int], wanted: int, expected: int) -> None:
    """The preset's channel counts unless a track is on it; then the first free one, never the drums'."""
    song = to_song(*(to_track(TUNE, channel=channel) for channel in players))
    assert {expected} == channels(render(song, settings=replace(IN_C, channel=wanted)).tracks[-1])


def test_the_channel_of_a_part_that_is_not_heard_is_not_free() -> None:
    """Channels of tracks that are not the player's are taken too."""
    song = to_song(*(to_track(TUNE, channel=channel) for channel in range(4)))
    assert {4} == channels(render(song, Wishes(player="1")).tracks[-1])


def test_a_channel_that_is_set_up_for_something_else_comes_last() -> None:
    """A channel with a controller or a program but no notes is taken only where no other is free."""
    setups = Track("", tuple(TimedEvent(0, ProgramChange(channel, 9)) for channel in range(4)))
    assert {4} == channels(render(to_song(TUNE, setups)).tracks[-1])
    notes = [to_track(TUNE, channel=channel) for channel in (0, *range(4, 16))]
    assert {1} == channels(render(to_song(*notes, setups)).tracks[-1])


def test_where_no_channel_is_free_one_has_to_be_chosen() -> None:
    """A song with notes on all channels is refused with the next step; a chosen channel is shared."""
    song = to_song(*(to_track(TUNE, channel=channel, name=f"t{channel}") for channel in range(16)))
    with pytest.raises(UsageError, match=r"^no channel is free: all but 10 have notes; choose one to share "):
        render(song)
    assert {4} == channels(render(song, Wishes(channel=4)).tracks[-1])
    assert (["t4"], []) == (channel_users(song, 4), channel_users(to_song(TUNE), 4))


# --- the whole


def test_the_same_seed_gives_the_same_song() -> None:
    """One seed gives one song, another seed another."""
    drawn = replace(IN_C, temperature=1.0)
    first, again, other = (
        render(to_song(TUNE), actor=Indifferent(), settings=drawn, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.tracks[-1] != other.tracks[-1]


def test_progress_is_told_in_beats() -> None:
    """Each step reports how many beats of how many are done."""
    told: list[tuple[float, float]] = []
    rng = np.random.default_rng(0)
    render_song(to_song(TUNE), Wishes(), IN_C, pulse(), rng, lambda *now: told.append(now))
    assert [(step / 4, 20.0) for step in range(80)] == told


@examples(max_examples=30)
@given(song=songs(), key=st.sampled_from(["auto", "Am"]))
def test_any_song_is_rendered_or_refused(song: Song, key: str) -> None:
    """Whatever the song, its tracks are kept and ours end, or it is refused as one that cannot be played."""
    try:
        rendered = render(song, actor=Indifferent(), settings=replace(FREE, key=key))
    except (MidiFileError, UsageError):
        return
    assert {} == sounding_after(timed(rendered.tracks[-1]))
    assert [track.name for track in song.tracks] == [track.name for track in rendered.tracks[:-1]]
    assert [len(song.tempo_map), len(song.meter_map)] == [len(rendered.tempo_map), len(rendered.meter_map)]


def test_without_a_program_nothing_is_chosen() -> None:
    """Where the preset leaves the instrument open, or nothing is played, the song stays as it is."""
    rendered = render(to_song(TUNE))
    silent = replace(rendered, tracks=(rendered.tracks[0], Track("improviser", ())))
    assert rendered is with_program(rendered, None)
    assert silent is with_program(silent, 40)


def test_chords_over_a_file_end() -> None:
    """Beside a player in a file several notes sound at once, and each of them ends."""
    chords = random_policy(role=COMPING)
    song = render(to_song(TUNE), actor=chords, settings=replace(IN_C, role=COMPING.name, register_low=48))
    played = timed(song.tracks[-1])
    ticks = [one.due_s for one in played if isinstance(one.message, NoteOn)]
    assert len(ticks) > 2 * len(set(ticks))
    assert not sounding_after(played)
