"""The recording of a take."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import music21.key
import pytest

from improviser.errors import MidiFileError
from improviser.midi.message import ControlChange, NoteOff, NoteOn, ProgramChange
from improviser.midi.smf import (
    MetaEvent,
    MetaKind,
    MeterChange,
    Song,
    TempoChange,
    TimedEvent,
    Track,
    read_file,
)
from improviser.midi.song import NO_CONDUCTOR, key_signature
from improviser.music.scale import ALL_KEYS
from improviser.protocol import (
    Changed,
    Controlled,
    Heard,
    Lifted,
    Notice,
    PerformerSettings,
    Played,
    Recounted,
    Released,
)
from improviser.session import recorder as module
from improviser.session.recorder import TICKS_PER_BEAT, Recorder, free_path

GRID = PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (3, 4)})


def take() -> Recorder:
    """Return a take: the player's C from beat 0 to 1, ours from beat 2 on, and a key of the player left down."""
    recorder = Recorder(GRID)
    recorder.record(Notice("x"))
    recorder.record(Heard(10.0, 0, 60, 80, "A"))
    recorder.record(Lifted(10.5, 0, 60, "A"))
    recorder.record(Played(11.0, 11.0001, 1, 67, 70, 2.0, "C", None))
    recorder.record(Heard(11.5, 0, 62, 81, "A"))
    recorder.record(Released(12.0, 12.0, 1, 67))
    return recorder


def test_a_take_becomes_two_tracks_on_its_grid() -> None:
    """The song has tempo, meter and both parts, the first note at tick 0, and releases for keys left down."""
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
    """The player's pedal is recorded, and bytes that are no message are not."""
    recorder = take()
    recorder.record(Controlled(10.25, (0xB0, 64, 127), "A"))
    recorder.record(Controlled(10.25, (0xB0,), "A"))
    assert TimedEvent(240, ControlChange(0, 64, 127)) == recorder.song().tracks[0].events[1]


def test_an_empty_take_has_no_notes() -> None:
    """A take without notes is empty, and so is its song."""
    recorder = Recorder(GRID)
    assert not recorder.has_notes
    assert [(), ()] == [track.events for track in recorder.song().tracks]


def test_a_take_is_written(tmp_path: Path) -> None:
    """The file holds the song."""
    recorder = take()
    recorder.write(tmp_path / "take.mid")
    assert recorder.song() == read_file(tmp_path / "take.mid")


def test_a_take_that_cannot_be_written_is_kept_elsewhere(tmp_path: Path) -> None:
    """The error gives the reason, and where the take was written instead."""
    with pytest.raises(MidiFileError, match=r"cannot be written.*the take is kept at ") as error:
        take().write(tmp_path)
    spare = Path(str(error.value).rpartition(" ")[2])
    assert take().song() == read_file(spare)
    spare.unlink()


def test_a_take_that_cannot_be_kept_is_told_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the error says that the take is lost, and what to do."""

    def fail(_path: object, _song: Song) -> None:
        """Raise as a full disk does."""
        raise MidiFileError("No space left on device")

    monkeypatch.setattr(module, "write_file", fail)
    with pytest.raises(MidiFileError, match=r"No space left on device; the take is lost.*free some space"):
        take().write(tmp_path / "take.mid")
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (_ for _ in ()).throw(OSError))
    with pytest.raises(MidiFileError, match="the take is lost"):
        take().write(tmp_path / "take.mid")


def test_a_take_is_never_written_over_another(tmp_path: Path) -> None:
    """The requested name is used while it is free, and is numbered from 2 on after that."""
    names = []
    for _ in range(3):
        path = free_path(tmp_path / "take.mid")
        path.touch()
        names.append(path.name)
    assert ["take.mid", "take-2.mid", "take-3.mid"] == names


def test_a_take_has_the_key_that_it_was_played_in() -> None:
    """The key signature is the key of most of our notes, or the chosen key before any note."""
    recorder = take()
    for key in ("G", "Ebm", "Ebm", "", "", ""):  # a note without a decision has none
        recorder.record(Played(12.0, 12.0, 1, 67, 70, 2.0, key, None))
    assert Track("", (TimedEvent(0, MetaEvent(MetaKind.KEY_SIGNATURE, b"\xfa\1")),)) == recorder.song().conductor
    locked = Recorder(replace(GRID, engine={**GRID.engine, "key": "D"}))
    assert MetaEvent(MetaKind.KEY_SIGNATURE, b"\2\0") == locked.song().conductor.events[0].message
    assert NO_CONDUCTOR == Recorder(replace(GRID, engine={**GRID.engine, "key": "auto"})).song().conductor


def test_a_take_has_the_sound_of_the_improviser() -> None:
    """A preset's program comes before the first note that is played with it."""
    recorder = Recorder(replace(GRID, program=40))
    for program, at_s in ((None, 10.0), (None, 10.5), (41, 11.0), (41, 11.5)):
        if program is not None:
            recorder.record(Changed("x", "", "", "", {}, program))
        recorder.record(Played(at_s, at_s, 1, 67, 70, 0.0, "C", None))
        recorder.record(Released(at_s + 0.5, at_s + 0.5, 1, 67))
    messages = [event.message for event in recorder.song().tracks[1].events]
    assert [0, 5] == [place for place, each in enumerate(messages) if isinstance(each, ProgramChange)]
    assert [ProgramChange(1, 40), ProgramChange(1, 41)] == [messages[0], messages[5]]
    assert ProgramChange(1, 40) == recorder.song(quantised=True).tracks[1].events[0].message


def quantised_ticks(recorder: Recorder, track: int) -> list[int]:
    """Return the ticks of the notes of a quantised track."""
    events = recorder.song(quantised=True).tracks[track].events
    return [event.tick for event in events if isinstance(event.message, NoteOn)]


@pytest.mark.parametrize(("steps_per_beat", "offbeat"), [(4, 240), (3, 320)])
def test_a_quantised_take_knows_the_players_swing(steps_per_beat: int, offbeat: int) -> None:
    """Swung offbeats of the player are on the straight ones, where the grid can swing."""
    engine = {**GRID.engine, "steps_per_beat": steps_per_beat, "follows_swing": True}
    recorder = Recorder(replace(GRID, engine=engine))
    for beat in range(24):
        for place in (0.0, 0.66):
            recorder.record(Heard(10.0 + (beat + place) / 2, 0, 60, 80, "A"))
            recorder.record(Lifted(10.1 + (beat + place) / 2, 0, 60, "A"))
    assert [beat * 480 + place for beat in range(24) for place in (0, offbeat)] == quantised_ticks(recorder, 0)


def test_a_quantised_note_is_on_the_step_that_it_was_decided_for() -> None:
    """A note is on its step however late it sounds, and after a jump; without a step it is on the nearest one."""
    recorder = Recorder(GRID)
    events = [
        Heard(10.0, 0, 60, 80, "A"),
        Played(10.67, 10.67, 1, 67, 70, 1.0, "C", None),
        Recounted(11.0, 0.0, (3, 4)),  # the next bar of the recording begins with beat 3
        Played(11.82, 11.82, 1, 69, 70, 1.25, "C", None),
        Played(12.05, 12.05, 1, 71, 70, 0.0, "", None),
        Played(14.05, 14.05, 1, 72, 70, 99.0, "C", None),  # a beat that the recording does not know
    ]
    for event in events:
        recorder.record(event)
    assert [480, round(4.25 * 480), 5 * 480, 9 * 480] == quantised_ticks(recorder, 1)


def test_no_pedal_hangs_at_the_end_of_a_take() -> None:
    """A pedal that is down at the end is released, and one that is up is not."""
    recorder = take()
    for control, value in ((64, 127), (67, 127), (67, 0), (66, 20), (1, 99)):
        recorder.record(Controlled(11.0, (0xB0, control, value), "A"))
    ups = [TimedEvent(1440, ControlChange(0, 64, 0)), TimedEvent(1440, ControlChange(0, 66, 0))]
    assert ups == list(recorder.song().tracks[0].events[-2:])
    assert 1 == [event.message for event in recorder.song().tracks[0].events].count(ControlChange(0, 67, 0))


def test_a_key_signature_has_the_accidentals_of_its_key() -> None:
    """Each key's signature has music21's notes, with at most six sharps or flats."""
    for key in ALL_KEYS:
        name = key.name.removesuffix("m").replace("b", "-")
        sharps = music21.key.Key(name.lower() if key.mode else name).sharps
        ours, mode = key_signature(key).data
        signed = ours - 256 if ours > 127 else ours
        assert (sharps % 12, key.mode) == (signed % 12, mode)
        assert abs(signed) <= 6
