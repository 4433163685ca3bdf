"""Fitting and measuring the chord tracker on the harmony of chorales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from music21 import chord as oracle

from improviser.evaluation.chorale_players import ALL_VOICES, harmonies
from improviser.evaluation.chord_figures import HEARD, chord_figures
from improviser.listening import chord_table
from improviser.listening.chord_tracker import CHORD_TABLE_SHAPES, read_chord_table
from improviser.music.chord import NO_CHORD, QUALITIES, QUALITY_COUNT, chord_from_index
from improviser.music.pitch import pitch_class_bits
from improviser.studies import chord_fit
from improviser.studies.key_fit import write_module
from improviser.training.chorale_harmony import SET_LABELS, exact_labels
from tests.tiny_corpus import tiny_corpus

# The root of these is a matter of spelling or context, and music21 has only one reading for each set.
AMBIGUOUS = ("aug", "sus4")
TRIADS = {"": "major", "m": "minor", "dim": "diminished", "7": "major", "maj7": "major"}
TRIADS |= {"m7": "minor", "m7b5": "diminished"}


def test_music21_names_each_set_as_we_do() -> None:
    """On C, where music21 spells sets in thirds, root, triad and seventh are the same as music21's."""
    checked = 0
    for bits, label in enumerate(SET_LABELS.tolist()):
        chord = chord_from_index(label)
        if chord is None or chord.root or chord.name.endswith(AMBIGUOUS):
            continue
        heard = oracle.Chord([60 + above for above in range(12) if bits >> above & 1])
        suffix = chord_suffix(label)
        assert chord.root == heard.root().pitchClass
        assert TRIADS[suffix] == heard.quality
        assert ("7" in suffix) == (heard.seventh is not None)
        checked += 1
    assert checked == 7 + 5


def chord_suffix(label: int) -> str:
    """Return the suffix of a chord's quality."""
    return QUALITIES[label % QUALITY_COUNT][0]


def test_a_beat_has_the_chord_that_sounds_longest_in_it() -> None:
    """A beat's label is its longest chord; a passing chord does not count, and without a chord there is no label."""
    c, f, none = (pitch_class_bits(tones) for tones in ([0, 4, 7], [5, 9, 0], [0, 1]))
    bits = np.array([c, c, f, none, none, none, none, none, f, f, c, c])
    assert [0] * 4 + [NO_CHORD] * 4 + [45] * 4 == exact_labels(bits, 4).tolist()


def written(path: Path) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Return the parts of the table in a written module."""
    names: dict[str, str] = {}
    exec(path.read_text(), names)  # noqa: S102 - the module that was just written
    return read_chord_table(names["CHORD_TABLE"])


def test_the_table_reads_as_it_was_written(tmp_path: Path) -> None:
    """All parts are unchanged after writing and reading the module, and fitting twice gives the same."""
    parts, again = (chord_fit.fit(tiny_corpus(), rounds=1) for _ in range(2))
    write_module("chord", chord_fit.table_text(parts), tmp_path / "table.py")
    read = written(tmp_path / "table.py")
    for name in CHORD_TABLE_SHAPES:
        assert parts[name].tolist() == read[name].tolist() == again[name].tolist()


def test_the_knobs_are_turned_to_what_hears_best() -> None:
    """On the pieces and casts used for tuning the fitted parameters score no worse than the start values."""
    chosen = tiny_corpus()[:: chord_fit.KNOBS_EVERY]
    heard = [harmony for cast in chord_fit.CASTS for harmony in harmonies(chosen, cast)]
    counted = chord_fit.count(list(harmonies(tiny_corpus(), ALL_VOICES)))
    started = counted | {"knobs": np.array(chord_fit.START_KNOBS)}
    assert chord_fit.score(chord_fit.fit(tiny_corpus(), rounds=1), heard) >= chord_fit.score(started, heard)


def test_the_command_fits_the_training_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command fits only pieces of the training split, and writes to the shipped table's file."""
    monkeypatch.setattr(chord_fit, "load_pieces", tiny_corpus)
    monkeypatch.setattr(chord_table, "__file__", str(tmp_path / "table.py"))
    chord_fit.main()
    expected = chord_fit.fit([piece for piece in tiny_corpus() if piece.split == "train"])
    read = written(tmp_path / "table.py")
    for name in CHORD_TABLE_SHAPES:
        assert expected[name].tolist() == read[name].tolist()


def test_each_way_of_hearing_has_its_figures() -> None:
    """Shares are percentages, and the whole chord is right no more often than its root."""
    figures = chord_figures(tiny_corpus())
    assert list(HEARD) == list(figures)
    for row in figures.values():
        assert 0 <= row["chord"] <= row["root"] <= 100
        assert 0 < row["labelled"] <= 100
        assert row["changes_true"] >= 0
    assert {} == chord_figures([])
