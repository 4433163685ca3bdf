"""The harmony of chorales as the truth, and how well chords are heard in them."""

from __future__ import annotations

import numpy as np
from music21 import chord as oracle

from improviser.evaluation.chord_figures import HEARD, chord_figures
from improviser.music.chord import NO_CHORD, QUALITIES, QUALITY_COUNT, chord_from_index
from improviser.music.pitch import pitch_class_bits
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


def test_each_way_of_hearing_has_its_figures() -> None:
    """Shares are percentages, and the whole chord is right no more often than its root."""
    figures = chord_figures(tiny_corpus())
    assert list(HEARD) == list(figures)
    for row in figures.values():
        assert 0 <= row["chord"] <= row["root"] <= 100
        assert 0 < row["labelled"] <= 100
        assert row["changes_true"] >= 0
    assert {} == chord_figures([])
