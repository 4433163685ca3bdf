"""`improviser render`, with the shipped presets and models."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from improviser.cli import main
from improviser.cli import render as render_command
from improviser.config.resources import shipped_folder
from improviser.midi.message import ProgramChange
from improviser.midi.smf import MetaKind, MeterChange, TempoChange, TimedEvent, read_file, write_file
from improviser.music.scale import SCALE_DEGREES, Mode
from tests.cli.conftest import Refuse, Run, RunJson
from tests.midi_bytes import NOTE, file_bytes, meta
from tests.written import TICKS, TUNE, channels, onsets, to_song, to_track

SONG = to_song(
    to_track(TUNE, name="flute"),
    to_track("C3 - E3 - " * 4, channel=1, name="bass"),
    tempos=[TempoChange(0, 500_000), TempoChange(4 * TICKS, 400_000)],
    meters=[MeterChange(0, 4, 4)],
)


@pytest.fixture(autouse=True)
def player(own_folder: Path) -> Path:
    """Write the player's file, and return its path."""
    path = own_folder / "player.mid"
    write_file(path, SONG)
    return path


def test_the_duet_is_written(run: Run) -> None:
    """The file holds the input unchanged, followed by the improviser's track."""
    out = run("render", "player.mid", "-o", "duet.mid")
    song = read_file("duet.mid")
    notes = len(onsets(song.tracks[-1]))
    assert f"duet.mid: {notes} notes of the improviser beside player.mid\n" == out
    assert notes > 0
    assert SONG == replace(song, tracks=song.tracks[:-1])
    assert "improviser" == song.tracks[-1].name


def test_json_is_one_object(run_json: RunJson) -> None:
    """With --json the result is one object."""
    (line,) = run_json("render", "player.mid", "-o", "duet.mid", "--seed", 5, "--preset", "fiddle")
    notes = len(onsets(read_file("duet.mid").tracks[-1]))
    expected = {"event": "rendered", "out": "duet.mid", "notes": notes, "preset": "fiddle", "seed": 5}
    expected |= {"skipped": []}
    assert expected == line


def test_the_beat_may_be_found_by_ear(run_json: RunJson) -> None:
    """With --follow and --json each beat and each change of what is understood is a line, in the order of time."""
    *lines, last = run_json("render", "player.mid", "-o", "duet.mid", "--follow", "--meter", "4/4")
    assert "rendered" == last["event"]
    assert {"beat", "understood"} == {line["event"] for line in lines}
    moments = [float(str(line["at_s"])) for line in lines]
    assert sorted(moments) == moments
    beats = [line for line in lines if line["event"] == "beat"]
    assert list(range(len(beats))) == [line["beat"] for line in beats]
    fields = {"event", "at_s", "beat", "bar", "beat_in_bar", "tempo_bpm", "confidence", "meter"}
    assert {frozenset(fields)} == {frozenset(line) for line in beats}
    assert {"4/4"} == {line["meter"] for line in beats}
    assert SONG.tempo_map != read_file("duet.mid").tempo_map


def test_a_pickup_is_not_counted_where_the_beat_is_found(refuse: Refuse) -> None:
    """--pickup counts from the file's bars, so --follow refuses it."""
    assert "--pickup" in refuse(2, "render", "player.mid", "-o", "duet.mid", "--follow", "--pickup", "1")


def test_a_seed_gives_the_same_bytes(run: Run) -> None:
    """The same seed gives the same bytes, and another seed gives others."""
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run("render", "player.mid", "-o", f"{name}.mid", "--seed", seed)
    first, second, other = (Path(f"{name}.mid").read_bytes() for name in "abc")
    assert first == second
    assert first != other


def test_the_key_may_be_given(run: Run) -> None:
    """In a given key all notes of the improviser belong to it, from the first bar on."""
    run("render", "player.mid", "-o", "duet.mid", "--key", "Ebm")
    played = onsets(read_file("duet.mid").tracks[-1])
    assert set() == {(note - 3) % 12 for _, note in played} - {*SCALE_DEGREES[Mode.MINOR]}
    assert played[0][0] < 4 * TICKS


@pytest.mark.parametrize("track", ["2", "bass", "BA", "channel:2"])
def test_the_players_track_is_told(track: str, run: Run) -> None:
    """A number from 1, a name, part of a name or a channel selects the player's track; the others are only kept."""
    run("render", "player.mid", "-o", "duet.mid", "--player-track", track)
    write_file("bass.mid", replace(SONG, tracks=SONG.tracks[1:]))
    run("render", "bass.mid", "-o", "alone.mid")
    song, alone = read_file("duet.mid"), read_file("alone.mid")
    assert (SONG.tracks, onsets(alone.tracks[-1])) == (song.tracks[:-1], onsets(song.tracks[-1]))


def test_a_wrong_track_lists_the_tracks(refuse: Refuse) -> None:
    """A track that does not exist is refused with the list of tracks."""
    reason = refuse(2, "render", "player.mid", "-o", "duet.mid", "--player-track", "horn")
    assert (
        "no track is called 'horn'; --player-track takes a number, a name or channel:N of "
        "1 'flute' channel 1, 16 notes; 2 'bass' channel 2, 8 notes" == reason
    )
    assert not Path("duet.mid").exists()


def test_meter_pickup_and_swing_may_be_given(run: Run) -> None:
    """The given meter and pickup set the bars, and swing moves the notes between the beats."""
    options = ("--meter", "3/4", "--pickup", "1", "--swing", "0.7", "--key", "C")
    run("render", "player.mid", "-o", "duet.mid", *options)
    song = read_file("duet.mid")
    assert (MeterChange(0, 1, 4), MeterChange(TICKS, 3, 4)) == song.meter_map
    assert {round(0.7 * TICKS)} & {tick % TICKS for tick, _ in onsets(song.tracks[-1])}


def test_channel_and_program_may_be_given(run: Run) -> None:
    """The improviser uses the given channel and program."""
    run("render", "player.mid", "-o", "duet.mid", "--channel", 5, "--program", 41)
    part = read_file("duet.mid").tracks[-1]
    assert {4} == channels(part)
    assert TimedEvent(0, ProgramChange(4, 40)) == part.events[0]


def test_a_shared_channel_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """On a channel that another track uses, the preset's program is not sent, and a notice says so."""
    text = (shipped_folder("presets") / "chorale.toml").read_text("utf-8")
    Path("violin.toml").write_text(text.replace("[playing]\n", "[playing]\nprogram = 41\n"), "utf-8")
    assert 0 == main(["render", "player.mid", "-o", "duet.mid", "--channel", "2", "--preset", "violin.toml"])
    assert "Note: channel 2 is shared with bass\n" == capsys.readouterr().err
    events = read_file("duet.mid").tracks[-1].events
    assert not [event for event in events if isinstance(event.message, ProgramChange)]


def test_what_is_skipped_is_said(capsys: pytest.CaptureFixture[str], run_json: RunJson) -> None:
    """Each unreadable part of a damaged file is a line on stderr, and is listed in the JSON object."""
    Path("damaged.mid").write_bytes(file_bytes(meta(MetaKind.KEY_SIGNATURE, b"\xee\1"), NOTE))
    assert 0 == main(["render", "damaged.mid", "-o", "duet.mid"])
    line = "a key signature of 18 flats in track 1"
    assert f"Note: damaged.mid: skipped {line}\n" == capsys.readouterr().err
    (told,) = run_json("render", "damaged.mid", "-o", "duet.mid")
    assert [line] == told["skipped"]


@pytest.mark.parametrize("name", ["duet.musicxml", "duet", "duet.wav"])
def test_only_midi_files_are_written(name: str, refuse: Refuse) -> None:
    """An output name that is not a MIDI file is refused before any work is done."""
    reason = refuse(2, "render", "none.mid", "-o", name)
    assert f"cannot write {name}: the name must end in .mid" == reason


def test_the_presets_differ(run: Run) -> None:
    """Another preset plays something else."""
    for preset in ("chorale", "fiddle"):
        run("render", "player.mid", "-o", f"{preset}.mid", "--preset", preset)
    assert read_file("chorale.mid").tracks[-1] != read_file("fiddle.mid").tracks[-1]


def test_the_instrument_of_a_preset_is_chosen(run: Run) -> None:
    """The program of a user's preset is the improviser's first message, on its channel."""
    text = (shipped_folder("presets") / "chorale.toml").read_text("utf-8")
    Path("violin.toml").write_text(text.replace("[playing]\n", "[playing]\nprogram = 41\n"), "utf-8")
    run("render", "player.mid", "-o", "duet.mid", "--preset", "violin.toml")
    part = read_file("duet.mid").tracks[-1]
    assert TimedEvent(0, ProgramChange(channels(part).pop(), 40)) == part.events[0]


def test_an_older_file_is_replaced(run: Run) -> None:
    """An existing output file is overwritten."""
    Path("duet.mid").write_bytes(b"old")
    run("render", "player.mid", "-o", "duet.mid")
    assert 3 == len(read_file("duet.mid").tracks)


@pytest.mark.parametrize("name", ["player.mid", "./player.mid", "link.mid"])
def test_the_players_file_is_not_overwritten(name: str, player: Path, refuse: Refuse) -> None:
    """The player's own file, under any name, is refused as the output and stays unchanged."""
    os.symlink("player.mid", "link.mid")  # noqa: PTH211 - the target is relative
    before = player.read_bytes()
    reason = refuse(2, "render", "player.mid", "-o", name)
    assert f"{Path(name)} is the player's file and would be overwritten. Choose another file with --out" == reason
    assert before == player.read_bytes()


def test_progress_is_shown_where_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long work shows its progress on stderr."""
    monkeypatch.setattr(render_command, "PATIENCE_S", 0.0)
    assert 0 == main(["render", "player.mid", "-o", "duet.mid"])
    captured = capsys.readouterr()
    assert [f"rendering: {percent} %" for percent in range(10, 100, 10)] == captured.err.splitlines()
    assert 1 == captured.out.count("\n")
