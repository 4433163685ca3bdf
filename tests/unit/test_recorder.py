"""The recording of a take."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from improviser.control import Controlled, Heard, Lifted, Notice, PerformerSettings, Played, Released
from improviser.daemon import recorder as module
from improviser.daemon.recorder import TICKS_PER_BEAT, Recorder, free_path
from improviser.errors import MidiFileError
from improviser.midi.message import ControlChange, NoteOff, NoteOn
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, read_file

GRID = PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (3, 4)})


def take() -> Recorder:
    """Give a take: the player's C from beat 0 to 1, ours from beat 2 on, a key of the player left down."""
    recorder = Recorder(GRID)
    recorder.take(Notice("x"))
    recorder.take(Heard(10.0, 0, 60, 80, "A"))
    recorder.take(Lifted(10.5, 0, 60, "A"))
    recorder.take(Played(11.0, 11.0001, 1, 67, 70, 2.0, "C", None))
    recorder.take(Heard(11.5, 0, 62, 81, "A"))
    recorder.take(Released(12.0, 12.0, 1, 67))
    return recorder


def test_a_take_becomes_two_tracks_on_its_grid() -> None:
    """Tempo, meter and both parts stand in the song, the first note at tick 0, keys left down come up."""
    song = take().song()
    assert (TICKS_PER_BEAT, (TempoChange(0, 500_000),), (MeterChange(0, 3, 4),)) == (
        song.ticks_per_beat,
        song.tempo_map,
        song.meter_map,
    )
    player, improviser = song.tracks
    assert ("player", "improviser") == (player.name, improviser.name)
    assert (
        TimedEvent(0, NoteOn(0, 60, 80)),
        TimedEvent(480, NoteOff(0, 60)),
        TimedEvent(1440, NoteOn(0, 62, 81)),
        TimedEvent(1440, NoteOff(0, 62)),
    ) == player.events
    assert (TimedEvent(960, NoteOn(1, 67, 70)), TimedEvent(1920, NoteOff(1, 67))) == improviser.events


def test_bars_fall_on_the_downbeat_that_is_told() -> None:
    """With a later downbeat the song begins at a bar line before the first event."""
    song = take().song(start_s=10.75)
    assert [TimedEvent(720, NoteOn(0, 60, 80))] == list(song.tracks[0].events[:1])


def test_controls_are_recorded_and_garbage_is_not() -> None:
    """The player's pedal is part of the take; bytes that are no message are not."""
    recorder = take()
    recorder.take(Controlled(10.25, (0xB0, 64, 127), "A"))
    recorder.take(Controlled(10.25, (0xB0,), "A"))
    assert TimedEvent(240, ControlChange(0, 64, 127)) == recorder.song().tracks[0].events[1]


def test_an_empty_take_has_no_notes() -> None:
    """Nothing heard and nothing played is nothing to write; its song is empty."""
    recorder = Recorder(GRID)
    assert not recorder.has_notes
    assert [(), ()] == [track.events for track in recorder.song().tracks]


def test_a_take_is_written(tmp_path: Path) -> None:
    """The file holds the song."""
    recorder = take()
    recorder.write(tmp_path / "take.mid")
    assert recorder.song() == read_file(tmp_path / "take.mid")


def test_a_take_that_cannot_be_written_is_kept_elsewhere(tmp_path: Path) -> None:
    """The error says why and where the take is instead."""
    with pytest.raises(MidiFileError, match=r"cannot be written.*the take is kept at ") as error:
        take().write(tmp_path)
    spare = Path(str(error.value).rpartition(" ")[2])
    assert take().song() == read_file(spare)
    spare.unlink()


def test_a_take_that_cannot_be_kept_is_told_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the error says that the take is lost, and what to do."""

    def fail(_path: object, _song: Song) -> None:
        """Refuse, as a full disk does."""
        raise MidiFileError("No space left on device")

    monkeypatch.setattr(module, "write_file", fail)
    with pytest.raises(MidiFileError, match=r"No space left on device; the take is lost.*free some space"):
        take().write(tmp_path / "take.mid")
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (_ for _ in ()).throw(OSError))
    with pytest.raises(MidiFileError, match="the take is lost"):
        take().write(tmp_path / "take.mid")


def test_a_take_is_never_written_over_another(tmp_path: Path) -> None:
    """The name that was asked for is taken while it is free, and numbered from 2 on after that."""
    names = []
    for _ in range(3):
        path = free_path(tmp_path / "take.mid")
        path.touch()
        names.append(path.name)
    assert ["take.mid", "take-2.mid", "take-3.mid"] == names
