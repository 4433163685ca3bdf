"""`improviser ablate`, on a corpus of a few bars."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from improviser.cli import main
from improviser.training import prior as prior_module
from tests.cli.conftest import Refuse
from tests.cli.corpus import write_tiny_corpus

TINY = (
    "ablate",
    "textbook",
    "--preset",
    "fiddle",
    "--prior-updates",
    "2",
    "--seconds",
    "0.1",
    "--seeds",
    "1",
)


@pytest.fixture(autouse=True)
def _tiny(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with small settings, on a corpus from the cache."""
    write_tiny_corpus(own_folder / "cache")
    monkeypatch.setattr(prior_module, "BATCH", 8)


def test_a_line_a_variant(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has one line per variant, the outcomes are in the cache, and the page is written."""
    Path("page.md").write_text("# Mine\n", "utf-8")
    assert 0 == main([*TINY, "--page", "page.md"])
    captured = capsys.readouterr()
    assert ["VARIANT", "textbook"] == [line.split()[0] for line in captured.out.splitlines()]
    assert "the tables are in page.md" == captured.err.splitlines()[-1]
    assert Path("cache/training/fiddle-ablation/textbook-0.json").exists()
    page = Path("page.md").read_text("utf-8")
    assert page.startswith("# Mine\n")
    assert "| textbook | " in page


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json each outcome is one object."""
    assert 0 == main([*TINY, "--json", "--out", "done", "--page", "new.md"])
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ("learned", "textbook", 0) == (line["event"], line["variant"], line["seed"])
    assert Path("new.md").read_text("utf-8").startswith("# Ablation\n")


def test_wrong_words(refuse: Refuse) -> None:
    """A word that matches no variant is refused with the list of variants."""
    assert refuse(2, "ablate", "magic").startswith("unknown variant; the variants are: textbook; + initialised")


def test_a_page_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder in the place of the page is reported."""
    Path("page.md").mkdir()
    assert 1 == main([*TINY, "--page", "page.md"])
    assert "improviser: cannot write page.md: Is a directory" == capsys.readouterr().err.splitlines()[-1]
