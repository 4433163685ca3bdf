"""`improviser learn`, on tunes of a few bars: what it writes, how it goes on, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from improviser.cli import main
from improviser.config.preset import load_preset
from improviser.config.resources import sessions_folder
from improviser.midi.smf import MeterChange, write_file
from improviser.online import acceptance
from improviser.protocol import Event, Heard, Lifted, PerformerSettings, Started
from improviser.training import prior as prior_module
from improviser.training import run_state, tuning
from tests.cli.conftest import Refuse, RunJson
from tests.cli.corpus import write_tiny_corpus
from tests.written import to_song, to_track, write_session

SHORT = ("--prior-updates", "2", "--transitions", "640")
LEARN = ("learn", "songs", "--name", "mine", *SHORT)
NOTES = ("C4", "D4", "E4", "F4", "G4", "A4", "B4", "C5")


@pytest.fixture(autouse=True)
def _songs(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write four tunes of sixteen bars, and a broken file."""
    write_tiny_corpus(own_folder / "cache")
    monkeypatch.setattr(prior_module, "BATCH", 8)
    # Two held-out pieces are too few for the bands; the acceptance test has tests of its own.
    monkeypatch.setattr(acceptance.AcceptanceTest, "_lost_band", lambda *_: "")
    (own_folder / "songs").mkdir()
    rng = np.random.default_rng(0)
    for number in range(4):
        tune = to_track(" ".join(rng.choice(NOTES, 64)), name="melody")
        low = to_track("C3 - G3 - " * 16, name="piano left", channel=1)
        song = to_song(tune, low, meters=[MeterChange(0, 4, 4)])
        write_file(own_folder / "songs" / f"tune{number}.mid", song)
    (own_folder / "songs" / "zz.mid").write_text("no music", "utf-8")


@pytest.fixture
def fault(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A function that runs a command that must fail with code 1 after some progress, and returns the last line."""

    def run_command(*arguments: str) -> str:
        """Run a command; check the exit code, and that nothing is on stdout."""
        assert 1 == main([*arguments])
        captured = capsys.readouterr()
        assert not captured.out
        return captured.err.splitlines()[-1]

    return run_command


def test_a_preset_of_ones_own_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    """The preset plays its own model; bad files are named, and the held-out likelihood is told before and after."""
    assert 0 == main([*LEARN])
    captured = capsys.readouterr()
    assert "zz.mid" in captured.err
    assert "learned from 3 pieces. In the 1 held out, each step was predicted with " in captured.out
    assert "Play it: improviser jam --preset mine" in captured.out
    preset = load_preset("mine")
    assert preset.model_path.is_file()
    assert ("mine.safetensors", "fiddle") == (preset.model, str(preset.style))
    assert "songs" in preset.description
    assert 0 == main(["compose", "--preset", "mine", "--bars", "1", "-o", "a.mid"])


def test_what_was_played_in_jams_is_learned(run_json: RunJson, refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The player's notes of the session journals are pieces, alone or beside a folder; a broken journal is named."""
    folder = sessions_folder()
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(3):
        events: list[Event] = [Started(0.0, 0.0)]
        for beat, note in enumerate(rng.integers(60, 73, 64).tolist()):
            events += [Heard(beat / 2, 0, note, 80, "keys"), Lifted(beat / 2 + 0.4, 0, note, "keys")]
        settings = PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (4, 4)})
        write_session(folder / f"2026-01-0{number + 1}.session.jsonl", settings, *events)
    # After so few updates it is chance whether they are predicted better.
    monkeypatch.setattr(tuning, "score", lambda *_: prior_module.PriorScore(0.5, 0.0, 0.0))
    (learned,) = run_json("learn", "--sessions", "--name", "played", *SHORT, "--json")
    assert (2, 1) == (learned["pieces"], learned["held_out"])
    (both,) = run_json("learn", "songs", "--sessions", "--name", "both", *SHORT, "--json")
    assert (6, 1) == (both["pieces"], both["held_out"])
    assert "Give a FOLDER of music, or --sessions" in refuse(2, "learn", "--name", "nothing")


def test_a_name_is_not_taken_twice(refuse: Refuse, run_json: RunJson) -> None:
    """Without --force a preset stays; with it, the finished run is used again and gives the same figures."""
    (first,) = run_json(*LEARN, "--json")
    assert "a preset 'mine' exists: " in refuse(2, *LEARN)
    (again,) = run_json(*LEARN, "--json", "--force")
    assert first == again
    assert ("learned", 3, 1) == (first["event"], first["pieces"], first["held_out"])
    assert first["nats_before"] != first["nats_after"]


def test_an_interrupted_run_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """After Ctrl-C the same command goes on from what was saved."""
    save_run = run_state.save_run

    def interrupted(*run: object) -> None:
        """Save, and be interrupted."""
        save_run(*run)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tuning, "save_run", interrupted)
        assert 130 == main([*LEARN])
    assert "Give the same command again to go on" in capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "fit_prior", None)  # it is not fitted again
        assert 0 == main([*LEARN])


def test_what_spoils_the_held_out_figures_is_not_taken_over(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[..., str], own_folder: Path
) -> None:
    """Where the acceptance test finds a fault on every way, nothing is written."""
    monkeypatch.setattr(acceptance.AcceptanceTest, "_fault", lambda *_: "it loses 9% of the held-out reward")
    assert "nothing was taken over: it loses 9% of the held-out reward. Try fewer --transitions" in fault(*LEARN)
    assert not (own_folder / "config" / "presets" / "mine.toml").exists()


def test_what_predicts_ones_own_music_worse_is_not_taken_over(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[..., str], own_folder: Path
) -> None:
    """Where one's own held-out pieces are predicted worse on every way, nothing is written."""
    nats = iter([0.5, *[0.6] * 9])
    monkeypatch.setattr(tuning, "score", lambda *_: prior_module.PriorScore(next(nats), 0.0, 0.0))
    told = "nothing was taken over: your held-out pieces are predicted worse, with 0.600 nats a step in place of 0.500."
    assert told in fault(*LEARN)
    assert not (own_folder / "config" / "presets" / "mine.toml").exists()


def test_as_much_as_is_fine_is_taken_over(monkeypatch: pytest.MonkeyPatch, run_json: RunJson) -> None:
    """If the whole way has a fault, a part of it is tried."""
    faults = iter(["it drifts", "", ""])
    monkeypatch.setattr(acceptance.AcceptanceTest, "_fault", lambda *_: next(faults))
    (learned,) = run_json(*LEARN, "--json")
    assert (0.7, ["it drifts"]) == (learned["share"], learned["faults"])


@pytest.mark.parametrize(
    ("kept", "options", "error"),
    [
        (1, (), "too little music: at least two different pieces of eight bars or more are needed"),
        (
            4,
            ("--preset", "comping"),
            "nothing to learn from: no piece has a tune in 2/4, 3/4, 4/4 or 6/8 with chord symbols",
        ),
    ],
)
def test_too_little_music_is_refused(
    kept: int, options: tuple[str, ...], error: str, fault: Callable[..., str], own_folder: Path
) -> None:
    """One piece is not enough, and comping needs chord symbols."""
    for number in range(kept, 4):
        (own_folder / "songs" / f"tune{number}.mid").unlink()
    assert error in fault(*LEARN, *options)
