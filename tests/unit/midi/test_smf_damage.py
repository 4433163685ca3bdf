"""Damaged Standard MIDI Files: what is still read of them, and what is reported."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from improviser.midi.message import ControlChange, NoteOff, NoteOn, SysEx
from improviser.midi.smf import MetaEvent, MetaKind, MeterChange, Song, TempoChange, TimedEvent, read_file
from tests.midi_bytes import END, NOTE, chunk, file_bytes, meta

KEY, METER, TEMPO, PORT, PREFIX = (
    MetaKind.KEY_SIGNATURE,
    MetaKind.METER,
    MetaKind.TEMPO,
    MetaKind.PORT,
    MetaKind.CHANNEL_PREFIX,
)
STRUCK, LIFTED = TimedEvent(0, NoteOn(0, 60, 90)), TimedEvent(96, NoteOff(0, 60))
LYRIC = 0x05
GOOD = file_bytes(b"", NOTE)
# The position of the second track's chunk in GOOD, and the length of its events.
SECOND, SECOND_BYTES = 14 + 8 + 4, len(NOTE) + 4


def read(tmp_path: Path, data: bytes) -> Song:
    """Return the song in a file of these bytes."""
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    return read_file(path)


def with_length(length: int) -> bytes:
    """Return GOOD with another length in its second track's chunk."""
    return GOOD[: SECOND + 4] + struct.pack(">L", length) + GOOD[SECOND + 8 :]


def riff(data: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return a MIDI file wrapped in RIFF, with further chunks before and after it."""
    body = b"RMID" + before + b"data" + struct.pack("<L", len(data)) + data + after
    return b"RIFF" + struct.pack("<L", len(body)) + body


# Each is a file whose one track is a note: its bytes, and the lines about what was skipped.
DAMAGED = {
    "eighteen flats": (file_bytes(meta(KEY, b"\xee\1"), NOTE), ["a key signature of 18 flats in track 1"]),
    "nine sharps": (file_bytes(meta(KEY, b"\x09\0"), NOTE), ["a key signature of 9 sharps in track 1"]),
    "no mode": (file_bytes(meta(KEY, b"\0\x05"), NOTE), ["a key signature of mode 5 in track 1"]),
    "empty key": (file_bytes(meta(KEY, b""), NOTE), ["a key signature of 0 bytes in track 1"]),
    "short tempo": (file_bytes(meta(TEMPO, b"\1"), NOTE), ["a tempo of 1 bytes in track 1"]),
    "no tempo": (file_bytes(meta(TEMPO, bytes(3)), NOTE), ["an impossible tempo of 0 microseconds a beat"]),
    "short meter": (file_bytes(meta(METER, b"\3"), NOTE), ["a time signature of 1 bytes in track 1"]),
    "no meter": (file_bytes(meta(METER, b"\0\2\x18\x08"), NOTE), ["an impossible meter of 0/4"]),
    "far meter": (file_bytes(meta(METER, b"\4\x08\x18\x08"), NOTE), ["an impossible meter of 4/256"]),
    "empty port": (file_bytes(b"", meta(PORT, b"") + NOTE), ["a port of 0 bytes in track 2"]),
    "channel 17": (file_bytes(b"", meta(PREFIX, b"\x10") + NOTE), ["a channel prefix of 17 in track 2"]),
    "meta kind": (file_bytes(b"", meta(0x80, b"a") + NOTE), ["a meta event of kind 128 in track 2"]),
    "twice": (file_bytes(2 * meta(KEY, b""), NOTE), ["a key signature of 0 bytes in track 1 (2 times)"]),
    "too few counted": (
        file_bytes(b"", NOTE, counted=1),
        ["the header's track count, 1: the file has 2, and all are read"],
    ),
    "too many counted": (
        file_bytes(b"", NOTE, counted=9),
        ["the header's track count, 9: the file has 2, and all are read"],
    ),
    "type 0 of two tracks": (file_bytes(b"", NOTE, kind=0), []),
    "type 7": (file_bytes(b"", NOTE, kind=7), ["the header's type, 7: it is read as 1"]),
    "length beyond the file": (with_length(99), ["the length of track 2: what is there is read"]),
    "hostile length": (with_length(0xFFFFFFFF), ["the length of track 2: what is there is read"]),
    "length too short": (with_length(5), ["the length of track 2: what is there is read"]),
    "length 0": (with_length(0), ["the length of track 2: what is there is read"]),
    "header length": (
        b"MThd\xff\xff\xff\xff" + GOOD[8:],
        ["the header's length, 4294967295 bytes: it is read as 6"],
    ),
    "short header": (b"MThd\0\0\0\0" + GOOD[8:], ["the header's length, 0 bytes: it is read as 6"]),
    "long header": (b"MThd\0\0\0\x08" + GOOD[8:14] + b"ab" + GOOD[14:], []),
    "bytes before": (bytes(128) + GOOD, ["128 bytes before the header"]),
    "bytes after": (GOOD + b"\x1a\x1a", ["2 bytes between or after the tracks"]),
    "bytes between": (
        GOOD[:SECOND] + b"\0\0\0" + GOOD[SECOND:],
        ["3 bytes between or after the tracks"],
    ),
    "another chunk": (
        GOOD[:14] + chunk(b"XFIH", b"abc") + GOOD[14:],
        ["a chunk XFIH, which is no track"],
    ),
    "no end of track": (GOOD[:SECOND] + chunk(b"MTrk", NOTE), []),
    "riff": (riff(GOOD), []),
    "riff with more": (riff(GOOD, b"LIST\x03\0\0\0abc\0", b"DISP\x02\0\0\0ab"), []),
    "riff of no length": (riff(GOOD).replace(b"data" + struct.pack("<L", len(GOOD)), b"data" + bytes(4)), []),
    "riff cut": (riff(GOOD)[:-4], ["the length of track 2: what is there is read"]),
    "song select": (
        file_bytes(b"", b"\0\xf3\1" + NOTE),
        ["system message 0xf3 in track 2, which has no place in a file"],
    ),
    "clock": (
        file_bytes(b"", b"\0\xf8" + NOTE),
        ["system message 0xf8 in track 2, which has no place in a file"],
    ),
    "escaped": (file_bytes(b"", b"\0\xf7\2\xf3\1" + NOTE), ["escaped bytes in track 2"]),
    "escaped clock": (file_bytes(b"", b"\0\xf7\1\xf8" + NOTE), ["escaped bytes in track 2"]),
    "escaped nonsense": (file_bytes(b"", b"\0\xf7\1\xf5" + NOTE), ["escaped bytes in track 2"]),
    "sysex of no data": (
        file_bytes(b"", b"\0\xf0\2\x80\xf7" + NOTE),
        ["a system exclusive message in track 2 with bytes above 127"],
    ),
    "cut in an event": (
        GOOD[:-3],
        [
            "the length of track 2: what is there is read",
            "the rest of track 2, 1 bytes, because of an event that ends with the track",
        ],
    ),
    "endless number": (
        file_bytes(b"", NOTE + b"\xff" * 5000),
        ["the rest of track 2, 5004 bytes, because of a number that does not end"],
    ),
    "long text": (
        file_bytes(b"", NOTE + bytes([0, 0xFF, 1, 0xFF, 0xFF, 0xFF, 0x7F])),
        ["the rest of track 2, 11 bytes, because of an event that ends with the track"],
    ),
    "undefined status": (
        file_bytes(b"", NOTE + bytes([0, 0xF4, 1])),
        ["the rest of track 2, 7 bytes, because of the undefined status byte 0xf4"],
    ),
    "no status": (
        file_bytes(bytes([0, 60, 1]), NOTE),
        ["the rest of track 1, 7 bytes, because of a data byte without a status byte"],
    ),
    "after a delta": (
        GOOD[:SECOND] + chunk(b"MTrk", NOTE + b"\0"),
        ["the rest of track 2, 1 bytes, because of an event that ends with the track"],
    ),
}


@pytest.mark.parametrize(("data", "lines"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_can_be_read_is_read_and_the_rest_is_said(tmp_path: Path, data: bytes, lines: list[str]) -> None:
    """The note of the file is read, and one line reports what was skipped."""
    song = read(tmp_path, data)
    assert [(STRUCK, LIFTED)] == [track.events for track in song.tracks]
    assert tuple(lines) == song.skipped


def test_a_time_signature_of_two_bytes_counts(tmp_path: Path) -> None:
    """A time signature without the metronome bytes is read."""
    song = read(tmp_path, file_bytes(meta(METER, b"\3\2"), NOTE))
    assert ((MeterChange(0, 3, 4),), ()) == (song.meter_map, song.skipped)


def test_what_stands_beside_a_bad_change_counts(tmp_path: Path) -> None:
    """An invalid tempo of 0 does not hide the tempo before it."""
    song = read(tmp_path, file_bytes(meta(TEMPO, b"\7\xa1\x20") + meta(TEMPO, bytes(3), 9), NOTE))
    assert (TempoChange(0, 500_000),) == song.tempo_map


def test_a_track_within_the_length_of_another_is_not_lost(tmp_path: Path) -> None:
    """A chunk whose length includes the next chunk ends where its track ends."""
    three = file_bytes(b"", NOTE, NOTE)
    for length in (2 * SECOND_BYTES + 8, 0xFFFF):
        data = three[: SECOND + 4] + struct.pack(">L", length) + three[SECOND + 8 :]
        song = read(tmp_path, data)
        assert [(STRUCK, LIFTED)] * 2 == [track.events for track in song.tracks]
        assert ("the length of track 2: what is there is read",) == song.skipped


def test_a_track_without_end_before_another_one(tmp_path: Path) -> None:
    """A track without an end and without a correct length ends at the next chunk."""
    header, second = GOOD[:14], chunk(b"MTrk", NOTE + END)
    song = read(tmp_path, header + b"MTrk\0\0\xff\xff" + NOTE + second)
    assert [(STRUCK, LIFTED)] * 2 == [track.events for track in song.tracks]


def test_a_single_song_of_type_2_is_read(tmp_path: Path) -> None:
    """A file of type 2 with one track is one song."""
    assert (STRUCK, LIFTED) == read(tmp_path, file_bytes(NOTE, kind=2)).tracks[0].events


def test_running_status_goes_on_after_sysex_and_meta(tmp_path: Path) -> None:
    """Files that keep the running status across a system exclusive message or a lyric are read."""
    between = bytes([0, 0xF0, 2, 5, 0xF7]) + meta(LYRIC, b"la")
    song = read(tmp_path, file_bytes(bytes([0, 0x90, 60, 90]) + between + bytes([96, 60, 0]), kind=0))
    assert (
        STRUCK,
        TimedEvent(0, SysEx(b"\5")),
        TimedEvent(0, MetaEvent(LYRIC, b"la")),
        LIFTED,
    ) == song.tracks[0].events
    assert () == song.skipped


def test_a_data_byte_that_is_none_is_bounded(tmp_path: Path) -> None:
    """A velocity of 200 is read as 127."""
    song = read(tmp_path, file_bytes(bytes([0, 0x90, 60, 200]) + NOTE[4:], kind=0))
    assert TimedEvent(0, NoteOn(0, 60, 127)) == song.tracks[0].events[0]
    assert ("data bytes above 127 in track 1: read as 127",) == song.skipped


def test_a_sysex_in_packets_is_one(tmp_path: Path) -> None:
    """System exclusive data in several packets is one message, at the time of the first."""
    packets = bytes([3, 0xF0, 2, 1, 2, 5, 0xF7, 1, 3, 5, 0xF7, 2, 4, 0xF7])
    song = read(tmp_path, file_bytes(packets + NOTE, kind=0))
    assert TimedEvent(3, SysEx(b"\1\2\3\4")) == song.tracks[0].events[0]


@pytest.mark.parametrize("after", [NOTE, b"\0\xf0\2\x07\xf7" + NOTE, b""])
def test_a_sysex_without_its_end_is_whole(tmp_path: Path, after: bytes) -> None:
    """A system exclusive message without an end is read as one message."""
    song = read(tmp_path, file_bytes(bytes([0, 0xF0, 2, 0xF0, 2]) + after, kind=0))
    assert TimedEvent(0, SysEx(b"\2")) == song.tracks[0].events[0]
    assert () == song.skipped


def test_an_escaped_message_is_a_message(tmp_path: Path) -> None:
    """An escaped channel message is read as a message."""
    song = read(tmp_path, file_bytes(bytes([4, 0xF7, 3, 0xB0, 7, 9]), kind=0))
    assert (TimedEvent(4, ControlChange(0, 7, 9)),) == song.tracks[0].events


def test_meta_events_are_kept_where_they_stand(tmp_path: Path) -> None:
    """Meta events except tempo, meter and name stay events of their track: lyrics, markers, a second name, ports."""
    title = meta(3, b"Song") + meta(2, b"(c) me") + meta(KEY, b"\xfe\1") + meta(6, b"A", 9)
    part = meta(3, b"Voice") + meta(PORT, b"\1") + NOTE + meta(LYRIC, b"la", 1) + meta(3, b"again")
    song = read(tmp_path, file_bytes(title + meta(TEMPO, b"\7\xa1\x20"), part))
    assert ("Song", ["Voice"]) == (song.conductor.name, [track.name for track in song.tracks])
    assert [(0, 2), (0, KEY), (9, 6)] == [(at.tick, kind_of(at)) for at in song.conductor.events]
    assert [(0, PORT), (0, None), (96, None), (97, LYRIC), (97, 3)] == [
        (at.tick, kind_of(at)) for at in song.tracks[0].events
    ]


def kind_of(event: TimedEvent) -> int | None:
    """Return the kind of a meta event; None for a message."""
    return event.message.kind if isinstance(event.message, MetaEvent) else None


def test_a_hostile_file_is_not_told_of_at_length(tmp_path: Path) -> None:
    """Of many different faults the first are listed, followed by the number of the others."""
    chunks = b"".join(chunk(b"X%03d" % number, b"") for number in range(50))
    lines = read(tmp_path, GOOD + chunks).skipped
    assert ("a chunk X019, which is no track", "30 more things of this kind", 21) == (*lines[-2:], len(lines))


# Files that would take hours if each step looked at the whole file again.
HOSTILE = {
    "tracks": GOOD[:14] + b"MTrk" * 200_000,
    "empty tracks": GOOD[:14] + b"MTrk\0\0\0\0" * 100_000,
    "packets": file_bytes(b"\0\xf0\1\1" + b"\0\xf7\1\1" * 200_000),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_does_not_take_long(tmp_path: Path, data: bytes) -> None:
    """The reading time grows with the size of the file, not with its square."""
    assert read(tmp_path, data).end_tick == 0
