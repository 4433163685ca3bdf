"""`improviser corpus`: what a folder of music holds, and what is left out."""

from __future__ import annotations

from pathlib import Path

from improviser.midi.smf import write_file
from tests.cli.conftest import Refuse, Run, RunJson
from tests.written import to_song, to_track

TUNE = " ".join(["C5 E5 G5 E5 F5 D5 B4 G4 C5 E5 G5 C6 B5 G5 C5 C5"] * 2)


def songs(folder: Path) -> Path:
    """Write a folder with a song of two parts and a file that is no music."""
    path = folder / "songs"
    path.mkdir()
    bass = to_track(" ".join(["C3 C3 G2 G2"] * 8), name="bass", channel=1)
    write_file(path / "good.mid", to_song(to_track(TUNE, name="melody"), bass))
    (path / "bad.mid").write_bytes(b"no music")
    return path


def test_the_report_says_what_is_used_and_what_is_not(own_folder: Path, run: Run) -> None:
    """The counts of pieces, bars, parts and splits are shown, and each bad file with its fault."""
    out = run("corpus", songs(own_folder))
    assert "2 files, 1 pieces, 8 bars, 64 notes" in out
    assert "melody 1, bass 1" in out
    assert "not used, or not wholly: " in out
    assert "bad.mid: not a MIDI file" in out


def test_json_is_one_object(own_folder: Path, run_json: RunJson) -> None:
    """A script reads the same figures."""
    (told,) = run_json("corpus", songs(own_folder))
    assert (2, 1, {"melody": 1, "bass": 1}) == (told["files"], told["pieces"], told["parts"])
    assert 1 == len(told["faults"])  # type: ignore[arg-type] # a list


def test_a_folder_without_music_is_refused(own_folder: Path, refuse: Refuse) -> None:
    """The error says which files are read."""
    assert "no MIDI or MusicXML file" in refuse(1, "corpus", own_folder)
