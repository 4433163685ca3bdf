"""The plots: which files are written, and that they show what was played."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improviser.errors import ImproviserError
from improviser.evaluation.adaptation import BEFORE_BEATS, Adaptation
from improviser.evaluation.evaluate import Evaluation
from improviser.evaluation.likeness import likeness
from improviser.evaluation.metrics import Performance
from improviser.evaluation.perturbation import AFTER_BEATS, TRANSPOSED, UNCHANGED
from improviser.evaluation.plot import CHORDS_FROM, note_bars, sampled, write_plots
from improviser.evaluation.report import EvaluationTable
from improviser.evaluation.rollouts import Rollout
from improviser.music.chord import QUALITIES, QUALITY_COUNT
from tests.tiny_corpus import to_events

MAJOR, MINOR = ([name for name, _ in QUALITIES].index(name) for name in ("", "m"))
PNG = b"\x89PNG\r\n\x1a\n"


def take(text: str) -> Rollout:
    """Return a rollout of 32 steps without a player."""
    nobody = np.zeros(32, dtype=np.int64)
    return Rollout("piece", Performance(to_events(text, 32), to_events("", 32), nobody, nobody, 0, 0, 4), {})


def evaluation(*, with_adaptation: bool = True) -> Evaluation:
    """Return an evaluation of a few pieces."""
    takes = {
        "human": [take("60 62 64"), take("60 . 64 67")],
        "Old one!": [take("60 61"), take("")],
        "ours": [take("60 62")],
    }
    people = [played.performance for played in takes["human"]]
    shape = (1, 2, BEFORE_BEATS + AFTER_BEATS)
    followed = Adaptation((UNCHANGED, TRANSPOSED), np.ones(shape), np.ones(shape), np.zeros(1))
    return Evaluation(
        EvaluationTable("ours", {}),
        takes,
        {name: likeness([played.performance for played in takes[name]], people) for name in takes},
        {"ours": followed} if with_adaptation else {},
    )


def test_files(tmp_path: Path) -> None:
    """The files show people's and our pieces, the overlap of each other column, and the adaptation."""
    written = write_plots(evaluation(), tmp_path / "plots")
    assert [
        "roll-human-1.png",
        "roll-human-2.png",
        "roll-ours-1.png",
        "overlap-old-one.png",
        "overlap-ours.png",
        "adaptation.png",
    ] == [path.name for path in written]
    assert {PNG} == {path.read_bytes()[: len(PNG)] for path in written}


def test_without_adaptation(tmp_path: Path) -> None:
    """Without adaptation there is no such plot."""
    names = {path.name for path in write_plots(evaluation(with_adaptation=False), tmp_path)}
    assert "adaptation.png" not in names


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the place of the folder is reported."""
    (tmp_path / "plots").write_text("x", encoding="utf-8")
    with pytest.raises(ImproviserError, match=r"^no plot can be put into .*plots: .*; choose another folder"):
        write_plots(evaluation(), tmp_path / "plots")


def test_note_bars() -> None:
    """A note is drawn from its onset for as long as it sounds."""
    assert [(0, 2, 60), (3, 1, 62), (4, 2, 64)] == note_bars(to_events("60 . - 62 64 ."))


def test_chords_are_drawn_as_their_notes() -> None:
    """A chord is drawn as its notes: C major and A minor."""
    major, minor = CHORDS_FROM + np.array([0, 4, 7]), CHORDS_FROM + np.array([9, 12, 16])
    bars = note_bars(to_events(f"{MAJOR} . {9 * QUALITY_COUNT + MINOR}"), "comping")
    assert [(0, 2, note) for note in major] + [(2, 1, note) for note in minor] == bars


def test_sampled() -> None:
    """Three pieces are drawn, evenly spread."""
    takes = [take("60 62")] * 2 + [take("62 64")] + [take("64 65")] * 2
    assert [takes[0], takes[2], takes[4]] == sampled(takes)
    assert takes[:1] == sampled(takes[:1])
