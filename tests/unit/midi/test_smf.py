"""Standard MIDI Files: values to files and back, and invalid files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.errors import MidiFileError, UsageError
from improviser.midi import smf
from improviser.midi.message import CLOCK, NoteOff, NoteOn, SongPosition, SysEx
from improviser.midi.smf import (
    MetaEvent,
    MeterChange,
    Song,
    TempoChange,
    TimedEvent,
    Track,
    check_suffix,
    read_file,
    write_file,
)
from tests.midi_bytes import NOTE, chunk, file_bytes
from tests.strategies import songs

SONG = Song(
    480,
    (TempoChange(0, 600_000), TempoChange(960, 300_000)),
    (MeterChange(0, 3, 4),),
    (
        Track("player", (TimedEvent(0, NoteOn(0, 60, 90)), TimedEvent(480, NoteOff(0, 60)))),
        Track("improviser", (TimedEvent(480, NoteOn(1, 64, 80)), TimedEvent(960, NoteOff(1, 64, 3)))),
    ),
)


def read(tmp_path: Path, data: bytes) -> Song:
    """Return the song in a file of these bytes."""
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    return read_file(path)


def fault(tmp_path: Path, data: bytes) -> str:
    """Return the error for a file of these bytes, without the file's name."""
    with pytest.raises(MidiFileError) as caught:
        read(tmp_path, data)
    name, _, text = str(caught.value).partition(": ")
    assert str(tmp_path / "song.mid") == name
    assert "\n" not in text
    return text


def read_or_fault(path: Path) -> str:
    """Return the error for the file at `path`, or its name where a song with an end is read."""
    try:
        song = read_file(path)
    except MidiFileError as error:
        return str(error)
    assert song.end_tick >= 0
    return str(path)


def test_a_song_survives_its_file(tmp_path: Path) -> None:
    """A song that is written and read is equal."""
    write_file(tmp_path / "song.mid", SONG)
    assert SONG == read_file(tmp_path / "song.mid")


@given(song=songs())
def test_any_song_survives_its_file(tmp_path_factory: pytest.TempPathFactory, song: Song) -> None:
    """Any song of channel messages, system exclusive messages and meta events is read back equal."""
    path = tmp_path_factory.getbasetemp() / "any.mid"
    write_file(path, song)
    assert song == read_file(path)
    assert () == read_file(path).skipped


def test_one_song_gives_the_same_bytes(tmp_path: Path) -> None:
    """Writing a song twice gives the same bytes, and leaves no other file."""
    for name in ("a.mid", "b.mid"):
        write_file(tmp_path / name, SONG)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    assert ["a.mid", "b.mid"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_file_is_replaced(tmp_path: Path) -> None:
    """Writing over a file replaces it."""
    path = tmp_path / "song.mid"
    path.write_bytes(b"old" * 1000)
    write_file(path, SONG)
    assert SONG == read_file(path)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Writing to a symbolic link writes the file that it names."""
    link = tmp_path / "link.mid"
    link.symlink_to(tmp_path / "song.mid")
    write_file(link, SONG)
    assert link.is_symlink()
    assert SONG == read_file(tmp_path / "song.mid")


def test_system_messages_are_left_out(tmp_path: Path) -> None:
    """Clock and song position, which a file cannot hold, are left out."""
    events = tuple(TimedEvent(1, message) for message in (CLOCK, SongPosition(4), SysEx(b"\x01")))
    write_file(tmp_path / "song.mid", Song(96, (), (), (Track("a", events),)))
    assert (TimedEvent(1, SysEx(b"\x01")),) == read_file(tmp_path / "song.mid").tracks[0].events


def test_events_are_written_in_the_order_of_their_ticks(tmp_path: Path) -> None:
    """Events out of order are sorted."""
    late, early = TimedEvent(9, NoteOff(0, 60)), TimedEvent(3, NoteOn(0, 60, 1))
    write_file(tmp_path / "song.mid", Song(96, (), (), (Track("", (late, early)),)))
    assert (early, late) == read_file(tmp_path / "song.mid").tracks[0].events


def test_a_type_0_file_is_one_track(tmp_path: Path) -> None:
    """A file of type 0 gives one track, with its tempo and meter."""
    tempo = bytes([0, 0xFF, 0x51, 3, 0x07, 0xA1, 0x20, 0, 0xFF, 0x58, 4, 6, 3, 24, 8])
    song = read(tmp_path, file_bytes(tempo + NOTE, kind=0))
    events = (TimedEvent(0, NoteOn(0, 60, 90)), TimedEvent(96, NoteOff(0, 60)))
    assert Song(96, (TempoChange(0, 500_000),), (MeterChange(0, 6, 8),), (Track("", events),)) == song


def test_a_first_track_with_notes_is_kept(tmp_path: Path) -> None:
    """The first track of a type 1 file is dropped only where it holds no messages."""
    assert 2 == len(read(tmp_path, file_bytes(NOTE, NOTE)).tracks)
    assert 1 == len(read(tmp_path, file_bytes(b"", NOTE)).tracks)


def test_of_two_tempos_at_one_tick_the_last_counts(tmp_path: Path) -> None:
    """Of two tempo changes at one tick only the later one is kept."""
    tempos = bytes([0, 0xFF, 0x51, 3, 0, 0, 1, 0, 0xFF, 0x51, 3, 0, 0, 2])
    assert (TempoChange(0, 2),) == read(tmp_path, file_bytes(tempos, NOTE)).tempo_map


def test_running_status_is_understood(tmp_path: Path) -> None:
    """A note without a status byte uses the status of the note before."""
    song = read(tmp_path, file_bytes(bytes([0, 0x90, 60, 90, 5, 60, 0]), kind=0))
    assert (TimedEvent(0, NoteOn(0, 60, 90)), TimedEvent(5, NoteOff(0, 60))) == song.tracks[0].events


@pytest.mark.parametrize(("stored", "name"), [("Flöte".encode(), "Flöte"), (b"Fl\xf6te", "Flöte")])
def test_names_in_utf8_and_latin1_are_read(tmp_path: Path, stored: bytes, name: str) -> None:
    """A track's name is read as UTF-8, or as Latin-1 where it is not valid UTF-8."""
    event = bytes([0, 0xFF, 0x03, len(stored)]) + stored
    assert name == read(tmp_path, file_bytes(event + NOTE, kind=0)).tracks[0].name


def test_the_end_is_the_last_event_of_any_track() -> None:
    """The end of a song is its last event, or its start where it is empty."""
    assert 960 == SONG.end_tick
    assert 0 == Song(96, (), (), (Track("", ()),)).end_tick


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A missing file is reported with its name and the system's reason."""
    with pytest.raises(MidiFileError, match=r"none\.mid: cannot be read: No such file or directory; give "):
        read_file(tmp_path / "none.mid")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Reading or writing a folder is reported as such."""
    with pytest.raises(MidiFileError, match="cannot be read: Is a directory"):
        read_file(tmp_path)
    with pytest.raises(MidiFileError, match="cannot be written: Is a directory"):
        write_file(tmp_path, SONG)


GOOD = file_bytes(b"", NOTE)
FAULTS = {
    "empty": (b"", "not a MIDI file (it does not start with MThd)"),
    "text": (b"hello world, I am text", "not a MIDI file (it does not start with MThd)"),
    "other riff": (b"RIFF\x04\0\0\0WAVE", "not a MIDI file (it does not start with MThd)"),
    "riff without data": (b"RIFF\x04\0\0\0RMIDLIST\x02\0\0\0ab", "not a MIDI file (it does not start"),
    "header": (GOOD[:10], "truncated within its header"),
    "type 2": (file_bytes(NOTE, NOTE, kind=2), "a MIDI file of type 2, of 2 songs; save it as type 0 or 1"),
    "smpte": (file_bytes(NOTE, division=-7640), "counts time in SMPTE frames"),
    "no division": (file_bytes(NOTE, division=0), "counts time in SMPTE frames"),
    "no track": (GOOD[:14], "holds no track"),
}


@pytest.mark.parametrize(("data", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_file_of_which_nothing_can_be_read_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    """A file that is no MIDI file, or holds no readable song, is refused in one line with the reason."""
    text = fault(tmp_path, data)
    assert expected == text[: len(expected)]


def test_a_file_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limit is refused before it is parsed."""
    monkeypatch.setattr(smf, "MAX_FILE_BYTES", len(GOOD) - 1)
    assert "longer than 0 MB: not a MIDI file" == fault(tmp_path, GOOD)


@given(data=st.binary(max_size=80))
def test_any_bytes_are_a_song_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any bytes after a valid header are a song, or raise MidiFileError and nothing else."""
    path = tmp_path_factory.getbasetemp() / "garbage.mid"
    path.write_bytes(file_bytes()[:10] + b"\0\1" + file_bytes()[12:14] + chunk(b"MTrk", data))
    assert "\n" not in read_or_fault(path)


@given(cut=st.integers(0, 1000), flips=st.dictionaries(st.integers(0, 200), st.integers(0, 255), max_size=6))
def test_a_damaged_file_is_a_song_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flips: dict[int, int]
) -> None:
    """A valid file that is cut and changed is a song, or raises MidiFileError and nothing else."""
    path = tmp_path_factory.getbasetemp() / "damaged.mid"
    write_file(path, SONG)
    data = bytearray(path.read_bytes()[: cut or 1])
    for place, byte in flips.items():
        data[place % len(data)] = byte
    path.write_bytes(data)
    assert str(path) == read_or_fault(path)[: len(str(path))]


UNWRITABLE = {
    "division": Song(0, (), (), ()),
    "tempo": Song(96, (TempoChange(0, 0),), (), ()),
    "meter": Song(96, (), (MeterChange(0, 4, 3),), ()),
    "negative tick": Song(96, (), (), (Track("", (TimedEvent(-1, CLOCK), TimedEvent(-1, NoteOff(0, 1)))),)),
    "far tick": Song(96, (), (), (Track("", (TimedEvent(2**28, NoteOff(0, 1)),)),)),
    "conductor": Song(96, (), (), (), Track("", (TimedEvent(0, NoteOn(0, 60, 1)),))),
    "meta kind": Song(96, (), (), (Track("", (TimedEvent(0, MetaEvent(0x51, bytes(3))),)),)),
    "note": Song(96, (), (), (Track("", (TimedEvent(0, NoteOn(0, 200, 1)),)),)),
}


@pytest.mark.parametrize("song", UNWRITABLE.values(), ids=UNWRITABLE.keys())
def test_a_song_that_does_not_fit_is_refused(tmp_path: Path, song: Song) -> None:
    """A song with a value that a file cannot hold is refused, and no file is written."""
    with pytest.raises(MidiFileError, match=r"song\.mid: the song does not fit in a MIDI file: "):
        write_file(tmp_path / "song.mid", song)
    assert [] == list(tmp_path.iterdir())


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """Writing into a missing folder is reported with the system's reason."""
    with pytest.raises(MidiFileError, match=r"cannot be written: No such file or directory; choose "):
        write_file(tmp_path / "none" / "song.mid", SONG)


def test_a_device_is_written_to_as_it_is() -> None:
    """A device, such as the null device, is written to and not replaced."""
    write_file(os.devnull, SONG)
    assert not Path(os.devnull).is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_full_disk_is_told() -> None:
    """A full disk is reported, and a device is not replaced by a file."""
    with pytest.raises(MidiFileError, match=r"cannot be written: No space left on device; choose "):
        write_file("/dev/full", SONG)
    assert not Path("/dev/full").is_file()


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing fails half way, the old file stays unchanged and no other file remains."""
    path = tmp_path / "song.mid"
    path.write_bytes(b"old")

    def fail(_: int) -> None:
        """Raise as a full disk does."""
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(MidiFileError, match="No space left"):
        write_file(path, SONG)
    assert [b"old"] == [file.read_bytes() for file in tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["a.mid", "a.MID", "a.midi", "b.c.Midi"])
def test_a_name_of_a_midi_file_may_be_written(name: str) -> None:
    """Both suffixes of MIDI files are accepted, in small and in capital letters."""
    check_suffix(Path(name))


@pytest.mark.parametrize("name", ["a.musicxml", "a", "a.mid.txt", ".mid"])
def test_another_name_is_refused(name: str) -> None:
    """Another suffix is refused with the accepted ones."""
    with pytest.raises(UsageError, match=rf"^cannot write {name}: the name must end in .mid"):
        check_suffix(Path(name))
