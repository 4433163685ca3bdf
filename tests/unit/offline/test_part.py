"""The tracks of a song that is played beside: the player's track, and the improviser's channel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from improviser.errors import MidiFileError, UsageError
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    NoteOff,
    NoteOn,
    ProgramChange,
)
from improviser.midi.smf import (
    MetaEvent,
    MetaKind,
    Song,
    TimedEvent,
    Track,
)
from improviser.offline import Wishes, channel_users, with_program
from improviser.offline.render import MAX_BEATS
from tests.actors import pulse, random_policy
from tests.rendering import BAR, IN_C, beats, render
from tests.written import TUNE, channels, onsets, to_song, to_track

# --- the player's track


BAND = to_song(
    to_track(TUNE, name="Piano right"),
    to_track(TUNE.replace("4", "3"), name="Piano left"),
    to_track("C2 - " * 8, channel=2, name="Bass"),
    to_track("C2 " * 16, channel=9, name="Drums"),
    Track("Notes", (TimedEvent(0, ControlChange(5, 7, 1)),)),
)


@pytest.mark.parametrize("wanted", ["1", "piano right", "RIGHT", "channel:1"])
def test_the_player_is_told_by_number_name_or_channel(wanted: str) -> None:
    """A number from 1, a name or part of it in any case, or a channel selects the player's track."""
    chosen = render(replace(BAND, tracks=BAND.tracks[:1] + BAND.tracks[2:]), Wishes(player=wanted))
    alone = render(replace(BAND, tracks=BAND.tracks[:1]), actor=pulse())
    assert [beat for beat in beats(chosen) if beat < 20] == beats(alone)


def test_the_player_alone_is_heard() -> None:
    """Another player's track gives another part, and all tracks stay."""
    right, bass = (render(BAND, Wishes(player=name), random_policy()) for name in ("right", "bass"))
    assert right.tracks[-1].events != bass.tracks[-1].events
    assert BAND.tracks == right.tracks[:-1] == bass.tracks[:-1]


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        ("0", "no track 0"),
        ("6", "no track 6"),
        ("flute", "no track is called 'flute'"),
        ("piano", "more than one track is called 'piano'"),
        ("", "more than one track is called ''"),
        ("channel:2", "'channel:2' has no notes"),
        ("channel:x", "'channel:x' has no notes"),
    ],
)
def test_a_track_that_is_not_there(wanted: str, fault: str) -> None:
    """A selection without exactly one match is refused with the list of tracks."""
    with pytest.raises(UsageError) as caught:
        render(BAND, Wishes(player=wanted))
    tracks = (
        "1 'Piano right' channel 1, 16 notes; 2 'Piano left' channel 1, 16 notes; "
        "3 'Bass' channel 3, 8 notes; 4 'Drums' channel 10, 16 notes; 5 'Notes' 0 notes"
    )
    assert f"{fault}; --player-track takes a number, a name or channel:N of {tracks}" == str(caught.value)


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
    """A track without a pitched note is refused."""
    with pytest.raises(MidiFileError, match=r"^the player has no notes except drums in .*\. Choose "):
        render(song)


def test_a_song_without_end() -> None:
    """A track that lasts for days, as in damaged files, is refused before anything is played."""
    song = to_song(Track("", (TimedEvent(0, NoteOn(0, 60, 1)), TimedEvent(0x0FFFFFFF, NoteOff(0, 60)))))
    with pytest.raises(MidiFileError, match=rf"lasts 2,796,202 beats; cut it to at most {MAX_BEATS:,}$"):
        render(song)


def test_drums_are_kept_and_not_heard() -> None:
    """Notes on channel 10 stay, and do not affect the improviser."""
    drums = to_track("C#2 F#2 " * 8, channel=9)
    with_drums, without = (render(to_song(*parts), actor=random_policy()) for parts in ((TUNE, drums), (TUNE,)))
    assert without.tracks[-1] == with_drums.tracks[-1]
    assert drums in with_drums.tracks


def test_the_pedal_is_heard() -> None:
    """Notes held by the pedal count, so the improviser plays something else than without it."""
    pedal = Track("", (TimedEvent(0, ControlChange(0, SUSTAIN_PEDAL, 127)),))
    tune = TUNE.replace("E4", "-")
    dry, wet = (render(to_song(*parts), actor=random_policy()) for parts in ((tune,), (pedal, tune)))
    assert dry.tracks[-1] != wet.tracks[-1]


# --- the improviser's channel


def ported(track: Track, port: int) -> Track:
    """Return a track for a separate device."""
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
        ([*((0, channel) for channel in range(8)), *((1, channel) for channel in range(8, 16))], (1, 0)),
    ],
)
def test_the_improviser_has_a_port(parts: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    """In a song for several devices the improviser's track names its port first, then its program."""
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
    """The preset's channel is used unless a track uses it; then the first free one, but never channel 10."""
    song = to_song(*(to_track(TUNE, channel=channel) for channel in players))
    assert {expected} == channels(render(song, settings=replace(IN_C, channel=wanted)).tracks[-1])


def test_the_channel_of_a_part_that_is_not_heard_is_not_free() -> None:
    """Channels of all other tracks count as used too."""
    song = to_song(*(to_track(TUNE, channel=channel) for channel in range(4)))
    assert {4} == channels(render(song, Wishes(player="1")).tracks[-1])


def test_a_channel_that_is_set_up_for_something_else_comes_last() -> None:
    """A channel with a controller or a program but no notes is used only where no other is free."""
    setups = Track("", tuple(TimedEvent(0, ProgramChange(channel, 9)) for channel in range(4)))
    assert {4} == channels(render(to_song(TUNE, setups)).tracks[-1])
    notes = [to_track(TUNE, channel=channel) for channel in (0, *range(4, 16))]
    assert {1} == channels(render(to_song(*notes, setups)).tracks[-1])


def test_where_no_channel_is_free_one_has_to_be_chosen() -> None:
    """A song with notes on all channels is refused with the next step; a chosen channel is shared."""
    song = to_song(*(to_track(TUNE, channel=channel, name=f"t{channel}") for channel in range(16)))
    with pytest.raises(UsageError, match=r"^no free channel: all except 10 have notes. Choose one to share: "):
        render(song)
    assert {4} == channels(render(song, Wishes(channel=4)).tracks[-1])
    assert (["t4"], []) == (channel_users(song, 4), channel_users(to_song(TUNE), 4))
