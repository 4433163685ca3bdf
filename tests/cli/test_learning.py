"""`bench learn`, and the start of `jam --learn`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from improviser.app import optional as extras
from improviser.app.evaluation_plan import make_plan
from improviser.app.make_trainer import make_online_trainer
from improviser.cli.bench import learn as online
from improviser.cli.bench.learn import bench_learn
from improviser.config.preset import load_preset
from improviser.config.resources import CACHE_DIR_VARIABLE
from improviser.errors import CorpusError
from improviser.online import trainer as trainer_module
from improviser.ports import loopback
from tests.cli.conftest import Refuse
from tests.cli.corpus import write_tiny_corpus
from tests.tiny_corpus import tiny_corpus


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a corpus of two pieces per split and short training."""
    monkeypatch.setenv(CACHE_DIR_VARIABLE, str(tmp_path))
    write_tiny_corpus(tmp_path)
    monkeypatch.setattr(trainer_module, "JUDGED_BARS", 2)
    monkeypatch.setattr(online, "make_plan", partial(make_plan, count=2, adaptation=False))


@pytest.mark.usefixtures("tiny")
def test_a_bench_of_learning_names_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """The bench reports rewards beside the player and elsewhere, then the table with and without acceptance tests."""
    bench_learn("fiddle", "drone", 0.35, 1, as_json=False)
    out = capsys.readouterr().out
    assert ["SEED", "SETS"] == out.split()[:2]
    head = next(line for line in out.splitlines() if line.startswith("FIGURE"))
    assert all(name in head for name in ("learned", "frozen", "without guards", "learned to the end"))
    assert "strong-beat consonance %" in out


def test_what_cannot_be_measured_is_refused(refuse: Refuse) -> None:
    """An unknown player, or a preset that plays chords, is refused."""
    assert "no player 'nobody'; there are drone, planing" == refuse(2, "bench", "learn", "--player", "nobody")
    assert "bench learn is of melodies only" in refuse(2, "bench", "learn", "--preset", "comping")


def test_learning_without_its_libraries_is_refused(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing libraries are reported at the start, with how to install them."""
    monkeypatch.setattr(extras, "missing_training", lambda: ["torch"])
    monkeypatch.setattr(loopback, "LoopbackBackend", pytest.fail)
    told = refuse(1, "jam", "--learn")
    assert 'this needs torch; install with: pip install "improviser-live[train]"' == told


def test_without_a_piece_to_judge_by_it_says_so() -> None:
    """A corpus without a piece that is long enough for the acceptance test is reported."""
    with pytest.raises(CorpusError, match="long enough for the acceptance test"):
        make_online_trainer(load_preset("fiddle"), tiny_corpus(), 0, lambda: None)
