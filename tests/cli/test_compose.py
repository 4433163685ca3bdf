"""`improviser compose`, with the shipped presets and models."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.cli import compose as compose_command
from improviser.cli import main
from improviser.config.resources import shipped_folder
from improviser.midi.message import ProgramChange
from improviser.midi.smf import MeterChange, TempoChange, TimedEvent, read_file
from improviser.music.pitch import parse_note
from improviser.music.scale import SCALE_DEGREES, Mode
from tests.cli.conftest import Refuse, Run, RunJson
from tests.written import onsets

BAR = 4 * 480


def notes_of(path: str) -> list[int]:
    """Return the notes of the piece in a file."""
    return [note for _, note in onsets(read_file(path).tracks[0])]


def test_a_piece_is_written(run: Run) -> None:
    """A piece has one part, the tempo and the meter of its preset, and sixteen bars."""
    assert "piece.mid: 16 bars in C\n" == run("compose", "-o", "piece.mid", "--start", "C4 E4 G4")
    song = read_file("piece.mid")
    assert ["improviser"] == [track.name for track in song.tracks]
    assert ((MeterChange(0, 4, 4),), (TempoChange(0, 681_818),)) == (song.meter_map, song.tempo_map)
    assert 15 * BAR < song.end_tick <= 16 * BAR


def test_json_is_one_object(run_json: RunJson) -> None:
    """With --json the result is one object, which includes the fragment."""
    command = ("compose", "-o", "piece.mid", "--bars", 2, "--start", "A3 C4", "--key", "Am", "--seed", 9)
    expected = {
        "event": "composed",
        "out": "piece.mid",
        "preset": "chorale",
        "key": "Am",
        "bars": 2,
        "seed": 9,
        "start": [57, 60],
    }
    assert [expected] == run_json(*command)


@pytest.mark.parametrize("start", ["C4 E4 G4", "C4 C#4 F#4 C4", "g3  eb4", "C4"])
def test_a_piece_begins_as_given(start: str, run: Run) -> None:
    """The given notes come first, one per beat, whether in the key or not."""
    run("compose", "-o", "piece.mid", "--start", start, "--key", "C", "--bars", 4)
    given = [parse_note(word) for word in start.split()]
    expected = [(beat * 480, note) for beat, note in enumerate(given)]
    assert expected == onsets(read_file("piece.mid").tracks[0])[: len(given)]


def test_an_empty_start_leaves_all_open(run_json: RunJson) -> None:
    """With an empty fragment the whole piece is improvised."""
    (line,) = run_json("compose", "-o", "piece.mid", "--start", "", "--bars", 4)
    assert [] == line["start"]
    assert notes_of("piece.mid")


def test_a_random_start_is_the_tonic_triad(run_json: RunJson) -> None:
    """Without a fragment the piece begins with the tonic triad of the key."""
    (line,) = run_json("compose", "-o", "piece.mid", "--key", "D", "--bars", 4)
    assert {2, 6, 9} == {note % 12 for note in notes_of("piece.mid")[:3]}
    assert notes_of("piece.mid")[:3] == line["start"]


def test_a_piece_keeps_to_its_key(run: Run) -> None:
    """Every improvised note belongs to the given key."""
    run("compose", "-o", "piece.mid", "--key", "F#m", "--bars", 8)
    assert set() == {(note - 6) % 12 for note in notes_of("piece.mid")} - {*SCALE_DEGREES[Mode.MINOR]}


def test_a_seed_gives_the_same_bytes(run: Run) -> None:
    """The same seed gives the same bytes; another seed gives another piece in another key."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("compose", "-o", f"{name}.mid", "--bars", 4, "--seed", seed)
    first, second, other = (Path(f"{name}.mid").read_bytes() for name in "abc")
    assert first == second
    assert first != other


def test_greedy_leaves_nothing_to_chance(run: Run) -> None:
    """With --greedy and a given fragment the seed makes no difference; without --greedy it does."""
    for name, seed, more in (("a", 1, ["--greedy"]), ("b", 2, ["--greedy"]), ("c", 1, []), ("d", 2, [])):
        run("compose", "-o", f"{name}.mid", "--start", "C4 E4", "--bars", 8, "--seed", seed, *more)
    assert notes_of("a.mid") == notes_of("b.mid")
    assert notes_of("c.mid") != notes_of("d.mid")


def test_the_instrument_of_a_preset_is_chosen(run: Run) -> None:
    """The program of a user's preset is the first message of the piece."""
    text = (shipped_folder("presets") / "fiddle.toml").read_text("utf-8")
    Path("violin.toml").write_text(text.replace("[playing]\n", "[playing]\nprogram = 1\n"), "utf-8")
    run("compose", "-o", "piece.mid", "--preset", "violin.toml", "--bars", 2)
    assert TimedEvent(0, ProgramChange(0, 0)) == read_file("piece.mid").tracks[0].events[0]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--start", "H4"], "'H4' is not a note. Write a letter, an accidental and an octave, as in C4 or Eb3"),
        (["--start", "C4,E4"], "'C4,E4' is not a note. Write a letter, "),
        (["--start", "C4 G9 A9"], "'A9' is outside the MIDI range C-1 to G9"),
        (["--start", "C9", "--key", "C"], "C9 is outside the preset's register, C2 to C5. Move it, or choose "),
        (["--start", "C4 " * 5, "--bars", "1"], "the fragment's 5 beats need more than --bars 1. Use at least "),
        (["--key", "H"], "'H' is not a key. Write a tonic, and m for minor, as in C, F#, Am or Bbm, or auto"),
        (["--bars", "0"], "Invalid value for '--bars': "),
        (["--bars", "1001"], "Invalid value for '--bars': "),
        (["--bars", "many"], "Invalid value for '--bars': "),
        (["--seed", "-1"], "Invalid value for '--seed': "),
        (["extra.mid"], "Got unexpected extra argument"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], reason: str, refuse: Refuse) -> None:
    """A wrong argument is reported in one line, and no file is written."""
    assert reason == refuse(2, "compose", "-o", "piece.mid", *arguments)[: len(reason)]
    assert not Path("piece.mid").exists()


def test_progress_is_shown_where_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long work shows its progress on stderr."""
    monkeypatch.setattr(compose_command, "PATIENCE_S", 0.0)
    assert 0 == main(["compose", "-o", "piece.mid", "--bars", "4"])
    captured = capsys.readouterr()
    assert [f"composing: {percent} %" for percent in range(10, 100, 10)] == captured.err.splitlines()
    assert 1 == captured.out.count("\n")
