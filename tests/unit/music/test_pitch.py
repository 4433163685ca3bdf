"""Notes, pitch classes and sets of pitch classes."""

from __future__ import annotations

import numpy as np
import pytest
from music21 import pitch as oracle

from improviser.errors import UsageError
from improviser.music.pitch import (
    PITCH_CLASS_NAMES,
    note_name,
    parse_note,
    pitch_class_bits,
    pitch_class_from_name,
    rotate,
)


@pytest.mark.parametrize("note", range(128))
def test_every_note_survives_its_name(note: int) -> None:
    """A note's name is read as the same note."""
    assert note == parse_note(note_name(note))


@pytest.mark.parametrize("note", [12, 21, 58, 60, 61, 63, 66, 68, 70, 127])
def test_note_names_are_those_of_music21(note: int) -> None:
    """A note's name is the same note in music21, with flats in its notation."""
    assert note == oracle.Pitch(note_name(note).replace("b", "-")).midi


@pytest.mark.parametrize(
    ("note", "text"),
    [(60, "C4"), (60, "B#3"), (61, "c#4"), (61, "Db4"), (59, "Cb4"), (62, "C##4"), (57, "Bbb3"), (0, "C-1")],
)
def test_a_note_is_read_with_any_accidental(note: int, text: str) -> None:
    """Letters of either case, one or two accidentals and an octave name a note."""
    assert note == parse_note(text)


@pytest.mark.parametrize("text", ["", "C", "H4", "C#b4", "C44", "4C", "C4 "])
def test_what_is_no_note_is_refused(text: str) -> None:
    """Other text raises an error that shows how a note is written."""
    with pytest.raises(UsageError, match=r"is not a note\. Write a letter"):
        parse_note(text)


@pytest.mark.parametrize("text", ["G#9", "A9", "Cb-1"])
def test_a_note_outside_of_midi_is_refused(text: str) -> None:
    """A note below 0 or above 127 raises an error that names the range."""
    with pytest.raises(UsageError, match="is outside the MIDI range"):
        parse_note(text)


@pytest.mark.parametrize("name", PITCH_CLASS_NAMES)
def test_pitch_classes_are_numbered_from_c(name: str) -> None:
    """Each pitch class's name is at its index in the list of names."""
    assert PITCH_CLASS_NAMES.index(name) == pitch_class_from_name(name[0], name[1:])


def test_a_set_has_the_bits_of_its_pitch_classes() -> None:
    """Octaves count as one, and bit k is pitch class k."""
    assert 0b0000_1001_0001 == pitch_class_bits([60, 64, 67, 72, 0])
    assert 0 == pitch_class_bits(frozenset())


def test_rotation_shows_a_set_from_one_of_its_notes() -> None:
    """C major seen from each of its tones has bit 0 and the intervals above it."""
    c_major = np.array([pitch_class_bits([0, 4, 7])])
    seen = rotate(c_major, np.array([0, 4, 7]))
    assert [pitch_class_bits(set(above)) for above in ([0, 4, 7], [0, 3, 8], [0, 5, 9])] == seen.tolist()
