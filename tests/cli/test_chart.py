"""`improviser chart`: what is read of a chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.cli import main
from tests.cli.conftest import Refuse, Run, RunJson

TEXT = "title: Leaves\nkey: Em\ntempo: 120\n[A]\n|: Am7 | D7/F# :| Xyz | G C |\n"


@pytest.fixture(autouse=True)
def file(own_folder: Path) -> Path:
    """Write a chart, and return its path."""
    path = own_folder / "leaves.txt"
    path.write_text(TEXT, "utf-8")
    return path


def test_the_chart_is_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Facts, sections and bars with repeats played out are printed, and what was not understood."""
    out = run("chart", "leaves.txt")
    assert ["Leaves, 4/4, Em, 120 bpm: 6 bars", "[A]"] == out.splitlines()[:2]
    assert "Am7 | D7/F# | Am7 | D7/F#" in out
    assert 0 == main(["chart", "leaves.txt"])
    assert "'Xyz' is not a chord" in capsys.readouterr().err


def test_json_is_one_object(run_json: RunJson) -> None:
    """A script reads each change with bar, beat, chord and bass."""
    (told,) = run_json("chart", "leaves.txt")
    assert ("Leaves", 6, "Em", 120.0) == (told["title"], told["bars"], told["key"], told["tempo_bpm"])
    changes = told["changes"]
    assert isinstance(changes, list)
    assert {"bar": 2, "beat": 0.0, "text": "D7/F#", "chord": "D7", "bass": 6} == changes[1]


def test_a_file_without_chords_is_refused(own_folder: Path, refuse: Refuse) -> None:
    """The error names the file, and shows how a chart is written."""
    (own_folder / "words.txt").write_text("no chords here", "utf-8")
    assert refuse(2, "chart", "words.txt").startswith("words.txt: the chart has no chord. Write bars")
