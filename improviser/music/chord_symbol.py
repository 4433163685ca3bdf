"""Reads chord symbols as lead sheets, chord charts and MIDI markers write them: "Am7", "F#m7b5", "Bb7#9/D", "N.C.".

A symbol is read by what it says of third, fifth and seventh. The chord is then the quality that has them; tensions and
added notes are left out, because no quality holds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from improviser.errors import UsageError
from improviser.music.chord import QUALITIES, Chord
from improviser.music.pitch import pitch_class_from_name

NO_CHORD_SYMBOLS: Final = frozenset({"N.C.", "NC", "N.C", "n.c.", "n", "N"})
_SYMBOL: Final = re.compile(r"^([A-G])(##|bb|#|b)?(.*?)(?:/([A-G])(##|bb|#|b)?)?$")
# What other ways of writing mean, applied in this order to what follows the root.
_SPELLINGS: Final = (
    (re.compile(r"[()\s,]"), ""),
    (re.compile(r"6/9"), "69"),
    (re.compile(r"[\^Δ△](?=$|[^0-9])"), "maj7"),
    (re.compile(r"[\^Δ△]"), "maj"),
    (re.compile(r"♭"), "b"),
    (re.compile(r"♯"), "#"),
    (re.compile(r"^(?:Maj|MAJ|ma|Ma|M)(?=$|[0-9#b])"), "maj"),
    (re.compile(r"^(?:minor|min|mi|-)(?!j)"), "m"),
    (re.compile(r"(?<=^m)(?:Maj|ma|M)(?=$|[0-9])"), "maj"),
    (re.compile(r"^(?:ø|h|m7-5|mb5b7)7?"), "m7b5"),
    (re.compile(r"^(?:°|o)(?=$|7)"), "dim"),
    (re.compile(r"^\+"), "aug"),
    (re.compile(r"\+5|#5\+"), "#5"),
    (re.compile(r"-5"), "b5"),
)
_WORD: Final = re.compile(
    r"maj(?:7|9|11|13)?|dim7?|aug|sus[24]?|add[b#]?\d+|omit\d+|no\d+|alt|m(?!aj)|[b#]?(?:13|11|9|7|69|6|5|4|2)"
)
_TRIADS: Final = {"m": (3, 7), "dim": (3, 6), "dim7": (3, 6), "aug": (4, 8), "sus": (5, 7), "sus4": (5, 7)}
_FIFTHS: Final = {"b5": 6, "#5": 8}
_SEVENTHS: Final = dict.fromkeys(("maj7", "maj9", "maj11", "maj13"), 11) | dict.fromkeys(
    ("7", "9", "11", "13", "alt"), 10
)
_BY_INTERVALS: Final = {intervals: quality for quality, (_, intervals) in enumerate(QUALITIES)}


@dataclass(frozen=True, slots=True)
class ChordSymbol:
    """A chord as written.

    Attributes:
        chord: The chord.
        bass: Pitch class 0-11 of its lowest note: the note after the slash, else the root.
    """

    chord: Chord
    bass: int

    @property
    def row(self) -> tuple[int, int, int]:
        """Root, quality and bass."""
        return self.chord.root, self.chord.quality, self.bass


def parse_chord(text: str) -> ChordSymbol | None:
    """Return the chord that a symbol names; None for "no chord".

    Raises:
        UsageError: The text is not a chord symbol.
    """
    text = text.strip()
    if text in NO_CHORD_SYMBOLS:
        return None
    match = _SYMBOL.match(text)
    intervals = None if match is None else _intervals(match[3])
    if match is None or intervals is None:
        raise UsageError(f"'{text}' is not a chord. Write a root and what it is, as in C, F#m7, Bbmaj7, G7b9 or Dm/F")
    letter, accidental, _, bass_letter, bass_accidental = match.groups()
    root = pitch_class_from_name(letter, accidental or "")
    bass = root if bass_letter is None else pitch_class_from_name(bass_letter, bass_accidental or "")
    return ChordSymbol(Chord(root, _quality(intervals)), bass)


def is_chord(text: str) -> bool:
    """Return whether a text is a chord symbol, or "no chord"."""
    try:
        parse_chord(text)
    except UsageError:
        return False
    return True


def _intervals(suffix: str) -> tuple[int, ...] | None:
    """Return third, fifth and seventh in semitones above the root, as a suffix says; None if it is not one."""
    for pattern, meaning in _SPELLINGS:
        suffix = pattern.sub(meaning, suffix)
    words = _WORD.findall(suffix)
    if "".join(words) != suffix:
        return None
    third, fifth = next((_TRIADS[word] for word in reversed(words) if word in _TRIADS), (4, 7))
    fifth = next((_FIFTHS[word] for word in words if word in _FIFTHS), fifth)
    seventh = next((_SEVENTHS[word] for word in words if word in _SEVENTHS), 0)
    return (third, fifth, seventh) if seventh else (third, fifth)


def _quality(intervals: tuple[int, ...]) -> int:
    """Return the row of QUALITIES with the third, fifth and seventh, or of the nearest chord that has the third."""
    third, fifth, *seventh = intervals
    nearest = (
        (0, third, fifth, *seventh),
        (0, third, 7, *seventh),
        (0, third, fifth),
        (0, third, 7),
    )
    return next(_BY_INTERVALS[each] for each in nearest if each in _BY_INTERVALS)
