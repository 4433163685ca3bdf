"""Chords, compared with music21."""

from __future__ import annotations

import pytest
from music21 import chord as oracle
from music21 import harmony

from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITIES, Chord, chord_from_index
from improviser.music.pitch import PITCH_CLASS_NAMES, pitch_class_bits

CHORDS = [Chord(root, quality) for root in range(12) for quality in range(len(QUALITIES))]
# music21's names of the qualities, in the order of QUALITIES.
COMMON_NAMES = (
    "major triad",
    "minor triad",
    "diminished triad",
    "augmented triad",
    "dominant seventh chord",
    "major seventh chord",
    "minor seventh chord",
    "half-diminished seventh chord",
    "quartal trichord",
)
SYMBOLS = ("", "m", "dim", "aug", "7", "maj7", "m7", "ø7", "sus4")


@pytest.mark.parametrize("chord", CHORDS, ids=lambda chord: chord.name)
def test_each_chord_is_what_music21_calls_it(chord: Chord) -> None:
    """For each chord's pitch classes music21 finds the same quality."""
    theirs = oracle.Chord(sorted(chord.pitch_classes)).commonName
    assert theirs.endswith(COMMON_NAMES[chord.quality])


@pytest.mark.parametrize("chord", CHORDS, ids=lambda chord: chord.name)
def test_each_name_is_a_symbol_of_these_tones(chord: Chord) -> None:
    """The lead-sheet symbol has the same pitch classes in music21."""
    root = PITCH_CLASS_NAMES[chord.root].replace("b", "-")
    symbol = harmony.ChordSymbol(root + SYMBOLS[chord.quality])
    assert chord.pitch_classes == {pitch.pitchClass for pitch in symbol.pitches}


def test_names_are_those_of_a_lead_sheet() -> None:
    """A name is a root and a suffix."""
    assert ["C", "F#m7", "Bbsus4", "Bm7b5"] == [
        Chord(0, 0).name,
        Chord(6, 6).name,
        Chord(10, 8).name,
        Chord(11, 7).name,
    ]


def test_indices_count_qualities_within_roots() -> None:
    """Every index gives its chord, and NO_CHORD gives none."""
    assert CHORDS == [chord_from_index(index) for index in range(CHORD_COUNT)]
    assert chord_from_index(NO_CHORD) is None


def test_the_table_of_sets_has_each_chord_and_an_empty_set() -> None:
    """The table gives a chord's set by its index, and the empty set for NO_CHORD."""
    assert [pitch_class_bits(chord.pitch_classes) for chord in CHORDS] == CHORD_BITS[:CHORD_COUNT].tolist()
    assert 0 == CHORD_BITS[NO_CHORD]
