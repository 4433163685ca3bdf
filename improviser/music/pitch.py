"""Notes, pitch classes and sets of pitch classes.

A set of pitch classes is twelve bits: bit k stands for pitch class k (C is 0).
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.errors import UsageError

OCTAVE: Final = 12
NOTE_MAX: Final = 127
# The lowest and the highest of some notes; of none, nothing is between them.
Span = tuple[int, int]
NO_SPAN: Final[Span] = (NOTE_MAX + 1, -1)
MIDDLE_C: Final = 60
ALL_PITCH_CLASSES: Final = 0xFFF
PITCH_CLASS_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

IntArray = npt.NDArray[np.integer]

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "s": 1, "b": -1, "##": 2, "bb": -2}
_NOTE = re.compile(r"^([A-Ga-g])(##|#|bb|b)?(-?\d)$")


def note_name(note: int) -> str:
    """Return the name of a MIDI note in scientific pitch notation, such as "C4" for 60."""
    return f"{PITCH_CLASS_NAMES[note % OCTAVE]}{note // OCTAVE - 1}"


def pitch_class_from_name(letter: str, accidental: str) -> int:
    """Return the pitch class 0-11 of a letter A-G and an accidental "", "#", "b", "##" or "bb"."""
    return (_LETTERS[letter.upper()] + _ACCIDENTALS[accidental]) % OCTAVE


def parse_note(text: str) -> int:
    """Return the MIDI note that `text` names, such as "C4" or "Eb3".

    Raises:
        UsageError: The text is not a note name, or the note lies outside 0-127.
    """
    match = _NOTE.match(text)
    if match is None:
        msg = f"'{text}' is not a note. Write a letter, an accidental and an octave, as in C4 or Eb3"
        raise UsageError(msg)
    letter, accidental, octave = match.groups()
    note = _LETTERS[letter.upper()] + _ACCIDENTALS[accidental or ""] + OCTAVE * (int(octave) + 1)
    if not 0 <= note <= NOTE_MAX:
        msg = f"'{text}' is outside the MIDI range C-1 to G9"
        raise UsageError(msg)
    return note


def pitch_class_bits(notes: frozenset[int] | set[int] | list[int] | tuple[int, ...]) -> int:
    """Return the twelve-bit set of the pitch classes of `notes`."""
    bits = 0
    for note in notes:
        bits |= 1 << note % OCTAVE
    return bits


def rotate(bits: IntArray, semitones: IntArray) -> IntArray:
    """Return the pitch-class sets `bits` relative to pitch class `semitones` (0-11), which becomes bit 0.

    The arrays broadcast against each other.
    """
    return ((bits >> semitones) | (bits << (OCTAVE - semitones))) & ALL_PITCH_CLASSES
