"""`improviser evaluate`, on a corpus of a few bars and with the shipped models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.cli import main
from improviser.training import corpus
from improviser.training.piece import Piece
from tests.cli.conftest import Refuse, RunJson
from tests.cli.corpus import write_tiny_corpus

QUICK = ("evaluate", "--pieces", "1")


@pytest.fixture(autouse=True)
def _tiny(own_folder: Path) -> None:
    """Put the corpus into the cache."""
    write_tiny_corpus(own_folder / "cache")


def column(lines: list[dict[str, object]], name: str) -> object:
    """Give the figures of a column."""
    (figures,) = [line["figures"] for line in lines if line["column"] == name]
    return figures


def test_the_figures_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a row a figure and a column for people, each baseline and the preset."""
    assert 0 == main([*QUICK, "--preset", "fiddle"])
    captured = capsys.readouterr()
    header, *rows = captured.out.splitlines()
    assert ["FIGURE", "human", "random in key", "prior only", "fiddle"] == [
        title.strip() for title in header.split("  ") if title
    ]
    assert {"reward", "harmony", "coherence", "creativity"} <= {row.split("  ")[0] for row in rows}
    assert "evaluating: 100 %" in captured.err


def test_json_is_one_object_a_column(run_json: RunJson) -> None:
    """With --json each column is one object, in which a figure that a piece does not have is null."""
    lines = run_json(*QUICK)
    assert ["human", "random in key", "prior only", "chorale"] == [line["column"] for line in lines]
    assert {("evaluated", "chorale")} == {(line["event"], line["preset"]) for line in lines}
    figures = column(lines, "chorale")
    assert isinstance(figures, dict)
    assert isinstance(figures["reward"], float)


def test_the_way_of_playing_may_be_another(run_json: RunJson) -> None:
    """Temperature and prior weight change the preset's column and no other; the seed what is drawn."""
    plain, hot, again = (
        run_json(*QUICK, *more) for more in ((), ("--temperature", 5, "--prior-weight", 0), ("--seed", 0))
    )
    assert plain == again
    assert column(plain, "chorale") != column(hot, "chorale")
    assert column(plain, "prior only") == column(hot, "prior only")
    assert column(plain, "random in key") != column(run_json(*QUICK, "--seed", 1), "random in key")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(["--pieces", "0"], "--pieces"), (["--temperature", "9"], "--temperature"), (["--seed", "x"], "--seed")],
)
def test_wrong_usage_is_told(arguments: list[str], option: str, refuse: Refuse) -> None:
    """A number out of its range is told with the option."""
    assert f"Invalid value for '{option}': " in refuse(2, "evaluate", *arguments)


def test_a_corpus_without_held_out_pieces(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no piece is long enough to be played, it is told."""
    monkeypatch.setattr("tests.cli.corpus.BARS", 4)
    write_tiny_corpus(Path("cache"))
    reason = "no held-out piece is long enough to be played; install music21's corpus anew"
    assert reason == refuse(1, *QUICK)


def test_the_reading_of_the_corpus_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the corpus has to be read first, each stage of that shows its progress."""
    pieces = corpus.load_pieces()

    def load_slowly(progress: Callable[[str, int, int], None]) -> list[Piece]:
        """Give the pieces after some reports."""
        for stage, done in (("parsing", 1), ("parsing", 2), ("sorting", 2)):
            progress(stage, done, 2)
        return pieces

    monkeypatch.setattr(corpus, "load_pieces", load_slowly)
    assert 0 == main([*QUICK])
    told = ["corpus: parsing: 50 %", "corpus: parsing: 100 %", "corpus: sorting: 100 %"]
    assert told == capsys.readouterr().err.splitlines()[:3]
