"""Chord symbols, as lead sheets and charts write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.errors import UsageError
from improviser.music.chord import CHORD_COUNT, chord_from_index
from improviser.music.chord_symbol import parse_chord


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ("C CM C5 Cadd9 C6 C69 C6/9 C(b5)", "C"),
        ("Cmaj7 CM7 C^7 C^ CΔ Cma7 Cmaj9 Cmaj7#11 C^9", "Cmaj7"),
        ("C7 C9 C13 C7b9 C7(b9) C7#5#9 C7alt C+7 Caug7 C7+5 C9#11", "C7"),
        ("Cm C-  Cmin Cm6 CmMaj7 CmM7 C-^7 Cmadd9", "Cm"),
        ("Cm7 C-7 Cmin7 Cm9 Cm11", "Cm7"),
        ("Cm7b5 Cø Cø7 Ch7 Cm7(b5)", "Cm7b5"),
        ("Cdim Cdim7 Co Co7 C°7", "Cdim"),
        ("Caug C+", "Caug"),
        ("Csus Csus4 C7sus4 C9sus4 C7sus", "Csus4"),
        ("F#m7", "F#m7"),
        ("Bbmaj7", "Bbmaj7"),
        ("Cb", "B"),
    ],
)
def test_symbols_are_read(texts: str, name: str) -> None:
    """Each way to write a chord gives the quality that has its third, fifth and seventh."""
    found = [parse_chord(text) for text in texts.split()]
    assert [name] * len(found) == [None if symbol is None else symbol.chord.name for symbol in found]


@pytest.mark.parametrize(
    ("text", "bass"), [("C/E", 4), ("Am7/G", 7), ("Dm/F#", 6), ("G7", 7), ("C6/9", 0), ("F/Eb", 3)]
)
def test_the_bass_is_the_note_after_the_slash(text: str, bass: int) -> None:
    """Without a slash it is the root."""
    symbol = parse_chord(text)
    assert symbol is not None
    assert bass == symbol.bass


@pytest.mark.parametrize("text", ["N.C.", "NC", " N.C. "])
def test_no_chord_is_read(text: str) -> None:
    """N.C. is no chord, and no error."""
    assert None is parse_chord(text)


@pytest.mark.parametrize("text", ["", "H7", "Verse", "Coda", "Cxyz", "7", "Intro A", "C/H"])
def test_what_is_no_chord_is_refused(text: str) -> None:
    """The error names the text and shows how a chord is written."""
    with pytest.raises(UsageError, match="is not a chord"):
        parse_chord(text)


@given(st.integers(0, CHORD_COUNT - 1))
def test_a_chords_name_is_read_back(index: int) -> None:
    """Each of our own chord names is read as the chord it names."""
    chord = chord_from_index(index)
    assert chord is not None
    symbol = parse_chord(chord.name)
    assert symbol is not None
    assert (chord, chord.root) == (symbol.chord, symbol.bass)
