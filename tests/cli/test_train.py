"""`improviser train`, on a corpus of a few bars: what it writes, and how it resumes after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from improviser.agent.checkpoint import load_model
from improviser.cli import main
from improviser.config.preset import load_preset
from improviser.training import prior as prior_module
from improviser.training.run_state import FILE
from tests.cli.conftest import Refuse
from tests.cli.corpus import write_tiny_corpus
from tests.full_disk import full_disk

WITH_ADAPTATION = ("train", "--preset", "fiddle", "--prior-updates", "2", "--transitions", "640")
TINY = (*WITH_ADAPTATION, "--no-adaptation")
MODELS = Path("config/presets/models")
STATE = Path("cache/training/fiddle")
# Saves after every step, and waits after the first save until it is ended.
WAITING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from improviser.cli import main
from improviser.training import train

def save_and_wait(*run):
    save_run(*run)
    print("saved", flush=True)
    sys.stdin.read()

train.SAVE_EVERY_S, save_run, train.save_run = -1.0, train.save_run, save_and_wait
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _tiny(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with small settings on a corpus from the cache."""
    write_tiny_corpus(own_folder / "cache")
    monkeypatch.setattr(prior_module, "BATCH", 8)


def interrupt(number: signal.Signals) -> tuple[int, list[str]]:
    """Train until the first save, then send a signal; return the exit code and stderr."""
    command = [sys.executable, "-c", WAITING, *TINY]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "saved\n" == process.stdout.readline()
        process.send_signal(number)
        _, told = process.communicate()
    return process.returncode, told.splitlines()


def saved_run() -> dict[str, str]:
    """Return the header of the saved run."""
    with safe_open(STATE / FILE, framework="np") as file:
        header: dict[str, str] = file.metadata()
    return header


def test_a_model_and_its_card_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --out the model and its card are written where presets look first, with progress on stderr."""
    assert 0 == main([*WITH_ADAPTATION])
    captured = capsys.readouterr()
    model, card = (MODELS / f"fiddle.{ending}" for ending in ("safetensors", "md"))
    assert {model, card} == set(MODELS.iterdir())
    assert "| transposed: recovery beats |" in card.read_text("utf-8")
    assert "fiddle" == load_model(model)[2]["style"]
    assert "# Model card: fiddle" in card.read_text("utf-8")
    told = f"{model.resolve()} is trained; its figures are in {card.resolve()}. "
    assert f"{told}Play it: improviser jam --preset fiddle\n" == captured.out
    stages = [line.split(":")[0] for line in captured.err.splitlines()]
    assert ["prior", "Q-network", "player", "evaluating"] == list(dict.fromkeys(stages))
    assert "steps/s 0 s left" in captured.err


def test_only_the_player_is_trained_in_a_copy(capsys: pytest.CaptureFixture[str]) -> None:
    """The preset's model is copied with its card; only the network of the player, and the lines about it, change."""
    preset = load_preset("fiddle").model_path
    folder = Path("models")
    for _ in range(2):
        assert 0 == main([*TINY, "--only-player", "--out", str(folder)])
    assert "is trained" in capsys.readouterr().out
    (_, shipped, _), (_, trained, _) = load_model(preset), load_model(folder / "fiddle.safetensors")
    for name in ("prior", "q"):
        for weight, value in shipped[name].items():
            assert np.array_equal(value, trained[name][weight])
    assert not np.array_equal(shipped["player"]["output.bias"], trained["player"]["output.bias"])
    old, new = (path.with_suffix(".md").read_text().splitlines() for path in (preset, folder / "fiddle.safetensors"))
    changed = [line for before, line in zip(old, new, strict=True) if before != line]
    assert ["- File", "- sha256", "- Network that predicts the player"][-len(changed) :] == [
        line.split(":")[0] for line in changed
    ]
    assert "on the validation split" in changed[-1]


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the result is one object, and the given folder is created."""
    assert 0 == main([*TINY, "--out", "new/models", "--json"])
    (line,) = capsys.readouterr().out.splitlines()
    paths = {"model": "new/models/fiddle.safetensors", "card": "new/models/fiddle.md"}
    assert {"event": "trained", "preset": "fiddle", **paths} == json.loads(line)
    assert ["fiddle.md", "fiddle.safetensors"] == sorted(path.name for path in Path("new/models").iterdir())


def test_another_model_beside_in_the_card() -> None:
    """A model given for comparison has a column in the card."""
    assert 0 == main([*TINY, "--textbook", "--out", "textbook"])
    beside = ("--beside", "textbook=textbook/fiddle.safetensors")
    assert 0 == main([*TINY, "--out", "full", *beside])
    header = "| figure | human | random in key | prior only | greedy on reward | fiddle | textbook | band |"
    assert header in Path("full/fiddle.md").read_text("utf-8")


def test_a_model_beside_that_is_not_there(refuse: Refuse) -> None:
    """A missing model for comparison is reported before the training."""
    assert "missing.safetensors" in refuse(1, *TINY, "--out", "none", "--beside", "old=missing.safetensors")
    assert not Path("none").exists()


def test_a_seed_gives_the_same_model() -> None:
    """The same command gives the same weights, also after a finished run was deleted."""
    for folder, more in (("a", []), ("b", ["--fresh"]), ("c", ["--seed", "1"])):
        assert 0 == main([*TINY, "--out", folder, *more])
    first, second, other = (Path(f"{folder}/fiddle.safetensors").read_bytes() for folder in "abc")
    assert first == second
    assert first != other


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 130, ["interrupted. Give the same command again to resume"]),
        (signal.SIGKILL, -9, []),
    ],
)
def test_an_interrupted_run_goes_on(
    number: signal.Signals, code: int, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C or a kill the same command resumes from the saved state."""
    ended, lines = interrupt(number)
    assert (code, told) == (ended, [line for line in lines if "%" not in line])
    assert [] == list(MODELS.iterdir())
    assert ("64", "1") == (saved_run()["transitions"], saved_run()["restarts"])
    assert 0 == main([*TINY])
    stages = {line.split(":")[0] for line in capsys.readouterr().err.splitlines()}
    assert {"Q-network", "player", "evaluating"} == stages
    assert ("640", "2") == (saved_run()["transitions"], saved_run()["restarts"])
    assert 2 == len(list(MODELS.iterdir()))


def test_a_fresh_run_forgets_the_one_before() -> None:
    """A run is resumed, even a finished one, unless a fresh run is requested."""
    for more, restarts in (([], "1"), ([], "2"), (["--fresh"], "1")):
        assert 0 == main([*TINY, *more])
        assert restarts == saved_run()["restarts"]


def test_a_corrupt_run_starts_anew() -> None:
    """A saved run that cannot be read is ignored."""
    STATE.mkdir(parents=True)
    (STATE / FILE).write_bytes(b"garbage" * 100)
    assert 0 == main([*TINY])
    assert "1" == saved_run()["restarts"]


def test_a_folder_that_cannot_be_is_told_at_once(refuse: Refuse) -> None:
    """Where the model cannot be written at the end, nothing is trained."""
    Path("file").write_bytes(b"")
    reason = refuse(1, *TINY, "--out", "file")
    assert "cannot write a model to file: File exists; choose another folder with --out" == reason
    assert not STATE.exists()


def test_a_folder_that_is_not_ones_own(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the folder is not writable, nothing is trained."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    reason = refuse(1, *TINY, "--out", "models")
    assert "cannot write a model to models: Permission denied; choose another folder with --out" == reason


def test_a_full_disk_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the prior does not fit on the disk, the last line says so, and no partial file remains."""
    with full_disk(100_000):
        assert 1 == main([*TINY])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("improviser: cannot write the model ")
    assert last.endswith("File too large; check the disk and the folder")
    assert [] == [*MODELS.iterdir(), *STATE.iterdir()]


@pytest.mark.parametrize("name", ["fiddle.safetensors", "fiddle.md"])
def test_what_cannot_be_put_into_the_folder_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the model or the card cannot be written, the error is reported, and the same command can write it later."""
    (MODELS / name).mkdir(parents=True)
    assert 1 == main([*TINY])
    reason = f"cannot write {(MODELS / name).resolve()}: Is a directory"
    expected = f"improviser: {reason}; free some space and give the same command again"
    assert expected == capsys.readouterr().err.splitlines()[-1]
    (MODELS / name).rmdir()
    assert 0 == main([*TINY])
    assert {"fiddle.md", "fiddle.safetensors"} == {path.name for path in MODELS.iterdir()}


def test_several_presets_share_processes(capsys: pytest.CaptureFixture[str]) -> None:
    """Two presets are trained in two processes; each card names the command that makes this preset alone."""
    words = [*TINY, "--preset", "minimal", "--jobs", "2", "--out", "models"]
    sys.argv[1:] = words
    assert 0 == main(words)
    said = capsys.readouterr().out.splitlines()
    assert 2 == len(said)
    for name in ("fiddle", "minimal"):
        assert any(line.startswith(f"models/{name}.safetensors is trained") for line in said)
        card = Path("models", f"{name}.md").read_text("utf-8")
        assert f"--jobs 2 --out models --preset {name}`" in card
        assert "style" in load_model(Path("models", f"{name}.safetensors"))[2]


def test_what_is_for_one_preset_is_not_for_two() -> None:
    """Options that belong to one model are refused with several presets."""
    assert 2 == main([*TINY, "--preset", "minimal", "--only-player"])
