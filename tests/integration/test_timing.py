"""`improviser bench timing` over a JACK server of its own; the runs are short, and their figures are not compared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.cli import main
from improviser.errors import ImproviserError
from improviser.studies.timing import jack_server as server
from improviser.studies.timing import run as trial
from improviser.studies.timing.reference import compile_reference
from improviser.studies.timing.run import WORKS, TimingRun, Work, ratios, run_trial

pytestmark = pytest.mark.jack
if shutil.which("jackd") is None:
    pytest.skip("no jackd on the PATH", allow_module_level=True)

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, improviser_home: Path) -> None:
    """Use models with random weights, and this checkout."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(improviser_home))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.mark.parametrize("backend", trial.BACKENDS)
def test_a_trial_hears_all_that_was_played(backend: str) -> None:
    """No note is missing, doubled or stuck; on `jack` notes and reactions are exact to the frame."""
    learner = (sys.executable, "-c", "while True: pass")
    outcome = run_trial(TimingRun(Work("learner", learns=True), backend, "fiddle", 128, 8.0, learner))
    heard = outcome.jam
    assert heard.notes > 0
    assert (0, 0, 0) == (heard.missing, heard.doubled, heard.stuck)
    assert heard.off_ms["p50"] <= (0.02 if backend == "jack" else 3.0)
    assert outcome.reaction_ms["p50"] <= (0.02 if backend == "jack" else 10.0)
    if shutil.which("cc"):
        assert outcome.reference is not None
        assert (0, 0, 0) == (outcome.reference.missing, outcome.reference.doubled, outcome.reference.stuck)
        assert ratios(outcome.jam, outcome.reference)["p99"] is not None
        assert outcome.reference_clock is not None
        assert (0, 0) == (outcome.reference_clock.missing, outcome.reference_clock.doubled)
    assert (0, 0) == (outcome.clock.missing, outcome.clock.doubled)
    assert outcome.clock.off_ms["p50"] <= (0.02 if backend == "jack" else 3.0)


def test_figures_are_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`--json` prints one object per run; without a compiler the figures of the reference are null."""
    monkeypatch.setattr(trial, "compile_reference", lambda _: None)
    arguments = ["bench", "timing", "--work", "idle", "--seconds", "5", "--preset", "fiddle", "--json"]
    assert 0 == main(arguments)
    first, *others = map(json.loads, capsys.readouterr().out.splitlines())
    assert ("timing", "idle", "jack", 128) == tuple(first[key] for key in ("bench", "work", "backend", "period"))
    assert trial.BACKENDS[1:] == tuple(other["backend"] for other in others)
    assert first["reference"] is None
    assert {"p50": None, "p99": None, "p99.9": None} == first["ratio"]


def test_a_table_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Each sender has a row, and so have the reactions; after several runs the median ratios follow."""
    values = ["--work", "idle", "--seconds", "5", "--preset", "fiddle", "--backend", "jack", "--runs", "2"]
    assert 0 == main(["bench", "timing", *values])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("WORK")
    assert "idle  notes, jack" in lines[1]
    assert 2 == len([line for line in lines if "key to answer, jack" in line])
    assert ["MEDIAN", "idle", "idle"] == [line.split()[0] for line in lines[-3:]]


def test_an_unknown_work_is_refused() -> None:
    """An unknown --work is a usage error."""
    assert 2 == main(["bench", "timing", "--work", "gardening"])


def test_no_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jackd, or with one that does not start, the error names the next step."""
    monkeypatch.setattr(server, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/false")
    with pytest.raises(ImproviserError, match="jackd does not start; try: /bin/false -d dummy -p 128"):
        run_trial(TimingRun(WORKS[0], "jack", "fiddle", 128, 5.0, ()))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ImproviserError, match="there is no jackd: apt-get install jackd2"):
        run_trial(TimingRun(WORKS[0], "jack", "fiddle", 128, 5.0, ()))


@needs_compiler
def test_the_reference_is_compiled_where_it_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled reference prints its usage; without a compiler there is no reference."""
    program = compile_reference(tmp_path)
    assert program is not None
    done = subprocess.run([program], capture_output=True, text=True, check=False, env=os.environ)
    assert (2, "reference NAME STEP_MS PRIORITY KIND\n") == (done.returncode, done.stderr)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert compile_reference(tmp_path) is None
