"""Pieces with known beats, read from MIDI files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from improviser.midi.smf import MeterChange, TempoChange, write_file
from improviser.training.beat.beat_piece import beat_of, is_held_out, read_set, to_beat_piece
from tests.written import TICKS, TUNE, to_song, to_track


def test_a_felt_beat_of_six_eight_is_a_dotted_quarter() -> None:
    """Scores in 6/8 have two beats of three eighths in a bar; in a set that people tapped a quarter is a beat."""
    six, cut, four = MeterChange(0, 6, 8), MeterChange(0, 2, 2), MeterChange(0, 4, 4)
    assert [(1.5, 2, True), (2.0, 2, False), (1.0, 4, False)] == [
        beat_of(meter, is_counted=False) for meter in (six, cut, four)
    ]
    assert [(1.0, 0, False), (1.0, 4, False)] == [beat_of(meter, is_counted=True) for meter in (six, four)]


def test_a_piece_has_its_beats_and_their_places() -> None:
    """Each beat has its moment and place; a short first bar has no place."""
    song = to_song(
        to_track(TUNE, name="voice"),
        to_track("C4 F4 G4 C4", name="chords"),
        tempos=[TempoChange(0, 600_000)],
        meters=[MeterChange(0, 1, 4), MeterChange(TICKS, 3, 4)],
    )
    piece = to_beat_piece(song, "lieder/a.mid", "Someone")
    assert ("voice",) == piece.tracks
    assert [-1, 0, 1, 2, 0] == piece.place[:5].tolist()
    assert [0.0, 0.6, 1.2] == pytest.approx(piece.beats_s[:3].tolist())
    assert [0.0, 0.0, 1.0, 60.0, 80.0] == piece.notes[0].tolist()
    assert "lieder" == piece.set_name
    assert not piece.thirds.any()


def test_a_set_is_split_by_family(tmp_path: Path) -> None:
    """Every piece is on one side, with the others of its composer; files without beats are left out."""
    folder = tmp_path / "lieder"
    folder.mkdir()
    song = to_song(to_track(TUNE, name="voice"), meters=[MeterChange(0, 4, 4)])
    for number in range(8):
        write_file(folder / f"{number}.mid", song)
    write_file(folder / "empty.mid", to_song(meters=[MeterChange(0, 4, 4)]))
    names = [
        next(name for name in map(str, range(99)) if is_held_out("lieder", name) is held) for held in (True, False)
    ]
    entries = [{"file": f"{number}.mid", "composer": names[number % 2]} for number in range(8)]
    (folder / "manifest.json").write_text(json.dumps({"list": entries}), "utf-8")
    assert [
        [f"lieder/{number}.mid" for number in range(0, 8, 2)],
        [f"lieder/{number}.mid" for number in range(1, 8, 2)],
    ] == [[piece.name for piece in read_set(folder, held_out=held)] for held in (True, False)]


def test_a_set_without_a_manifest_is_split_by_file(tmp_path: Path) -> None:
    """Without a manifest each file is a family of its own."""
    folder = tmp_path / "openewld"
    folder.mkdir()
    song = to_song(to_track(TUNE, name="melody"), meters=[MeterChange(0, 4, 4)])
    for number in range(6):
        write_file(folder / f"{number}.mid", song)
    found = [piece.family for held in (True, False) for piece in read_set(folder, held_out=held)]
    assert [str(number) for number in range(6)] == sorted(found)
