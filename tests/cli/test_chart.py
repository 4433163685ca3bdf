"""`improviser chart`: what is read of a chart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improviser.chart import read_chart
from improviser.cli import main
from improviser.midi.smf import read_file, write_file
from improviser.music.chord import CHORD_BITS
from tests.cli.conftest import Refuse, Run, RunJson
from tests.written import onsets, to_song

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


@pytest.fixture
def blues(own_folder: Path) -> Path:
    """Write a chart in C, and return its path."""
    path = own_folder / "blues.txt"
    path.write_text("key: C\n| C | F | C | C |\n| F | F | C | C |\n| G7 | F | C | G7 |\n", "utf-8")
    return path


def test_a_piece_is_composed_by_a_chart(run_json: RunJson, blues: Path) -> None:
    """It is as long as the chart, in its key, and most of its notes are of the chords."""
    (told,) = run_json("compose", "-o", "a.mid", "--chart", blues, "--preset", "pop", "--seed", 2, "--json")
    assert ("C", 12) == (told["key"], told["bars"])
    chart = read_chart(blues)
    bits = [int(CHORD_BITS[chord]) for chord in chart.eighths()]
    notes = [(tick // 240, note) for tick, note in onsets(read_file("a.mid").tracks[0])]
    inside = [bits[eighth] >> note % 12 & 1 for eighth, note in notes if eighth < len(bits)]
    assert np.mean(inside) > 0.8


def test_a_file_is_accompanied_by_a_chart(run: Run, blues: Path, own_folder: Path) -> None:
    """The chart's meter and key are those of the part; without a chart it is another part."""
    write_file(own_folder / "in.mid", to_song("C4 - C4 - " * 12))
    run("render", "in.mid", "-o", "with.mid", "--chart", blues)
    run("render", "in.mid", "-o", "without.mid")
    assert Path("with.mid").read_bytes() != Path("without.mid").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("render", "in.mid", "-o", "b.mid", "--chart", "blues.txt", "--meter", "3/4"), "is in 4/4, so --meter 3/4"),
        (("compose", "-o", "b.mid", "--chart", "none.txt"), "none.txt: cannot be read"),
        (("jam", "--chart", "silent.txt"), "no chord in it. See what is read of it: improviser chart silent.txt"),
        (("jam", "--chart", "blues.txt", "--meter", "3/4"), "is in 4/4, so --meter 3/4 cannot be"),
    ],
)
@pytest.mark.usefixtures("blues")
def test_a_chart_that_cannot_be_played_is_refused(
    arguments: tuple[str, ...], reason: str, refuse: Refuse, own_folder: Path
) -> None:
    """A missing chart, one without chords and another meter are told in one line."""
    write_file(own_folder / "in.mid", to_song("C4 D4 E4 F4"))
    (own_folder / "silent.txt").write_text("| N.C. | % |", "utf-8")
    assert reason in refuse(2, *arguments)
