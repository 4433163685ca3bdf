"""`improviser bench`: which figures it measures, with few rounds."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from improviser.cli import bench as bench_command
from improviser.cli import main
from improviser.studies import readiness, speed
from tests.cli.conftest import Refuse, RunJson

FIGURES = {
    "decision": [
        "p50 us",
        "p99 us",
        "max us",
        "unprepared p50 us",
        "unprepared p99 us",
        "anticipating p50 us",
        "anticipating p99 us",
    ],
    "engine": ["steps per CPU second"],
    "ready": ["jam ms", "imports ms", "jam over imports"],
    "env": [
        "steps per CPU second, 64 lanes, best",
        "steps per CPU second, 64 lanes, median",
        "additions of 64 numbers a step",
    ],
    "training": ["transitions per CPU second", "updates per CPU second"],
}


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure as little as possible."""
    monkeypatch.setattr(bench_command, "DECISIONS", 20)
    monkeypatch.setattr(readiness, "PAIRS", 1)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "improviser-test-none")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    for name in ("GAME_STEPS", "LEARNING_STEPS", "WARM_UP_STEPS"):
        monkeypatch.setattr(speed, name, 10)


@pytest.mark.parametrize("what", [[], ["decision"], ["ready"], ["engine", "env"], ["training"]])
def test_the_figures_are_named(what: list[str], run_json: RunJson) -> None:
    """Each requested bench, or every bench, reports its figures, all above 0."""
    lines = run_json("bench", *what)
    expected = [(name, figure) for name in what or FIGURES for figure in FIGURES[name]]
    assert expected == [(line["bench"], line["figure"]) for line in lines]
    assert [] == [line for line in lines if not isinstance(line["value"], float) or line["value"] <= 0]


def test_the_figures_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json the output is a table, with progress on stderr."""
    assert 0 == main(["bench", "decision", "engine", "--preset", "fiddle"])
    captured = capsys.readouterr()
    assert ["BENCH", *["decision"] * 7, "engine"] == [line.split()[0] for line in captured.out.splitlines()]
    assert ["measuring: 50 %", "measuring: 100 %"] == captured.err.splitlines()


def test_an_unknown_bench(refuse: Refuse) -> None:
    """An unknown bench is refused with the list of benches."""
    assert "unknown bench 'speed'; there are decision, engine, ready, env, training, timing, taste, learn" == refuse(
        2, "bench", "speed"
    )


@pytest.mark.parametrize("name", ["torch", "gymnasium"])
def test_without_what_training_takes(
    name: str, refuse: Refuse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bench that needs a missing library is left out with a notice, or refused if it was requested."""
    monkeypatch.setitem(sys.modules, name, None)
    assert importlib.util.find_spec(name) is None
    install = 'pip install "improviser-live[train]"'
    assert 0 == main(["bench"])
    captured = capsys.readouterr()
    assert f"env and training are left out; install what they need: {install}" == captured.err.splitlines()[0]
    assert {"BENCH", "decision", "engine", "ready"} == {line.split()[0] for line in captured.out.splitlines()}
    assert f"this needs {name}; install with: {install}" == refuse(1, "bench", "engine", "env")
