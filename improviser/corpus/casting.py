"""What each part of a piece is to a duet: the tune, a second tune, the bass, or what accompanies.

A name that says so is believed, such as "voice", "MELODY", "violin 1" or "piano left". Else it is told from the notes:
how many sound at once, how high they are, and how much of the piece they fill.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MELODY, COUNTER, ACCOMPANIMENT, BASS = PARTS = ("melody", "counter", "accompaniment", "bass")
# The first pattern that fits names the part.
_NAMES: Final = (
    (BASS, re.compile(r"\bbass\b(?! (?:clarinet|drum|flute))|kontrabass|double ?bass|e-?bass|\bbs\b", re.IGNORECASE)),
    (
        ACCOMPANIMENT,
        re.compile(r"accomp|begleit|\bcomp|chord|\bpad\b|\bleft\b|rhythm|strum|harmon(?!ica)", re.IGNORECASE),
    ),
    (
        COUNTER,
        re.compile(
            r"bridge|counter|second|alto|tenor|backing|viola|cello"
            r"|\b(?:voice|violin|melody|lead|flute|oboe|clarinet|trumpet|sax) ?(?:2|ii)\b",
            re.IGNORECASE,
        ),
    ),
    (
        MELODY,
        re.compile(r"melod|\bvoice\b|vocal|sing|\blead\b|\bsolo|soprano|violin|\btune\b|theme|cantus", re.IGNORECASE),
    ),
)
# A part is single notes if this share of its onsets begin alone and while nothing else of the part sounds.
_SINGLE: Final = 0.9
# A bass part's median note is below this one, the C below middle C.
_BASS_BELOW: Final = 48


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A part as the file has it: its name and its notes, int32 rows of onset tick, duration and note."""

    name: str
    notes: NDArray[np.int32]

    @property
    def single_share(self) -> float:
        """The share of the onsets that begin alone while no other note of the part sounds."""
        onsets, ends = self.notes[:, 0], self.notes[:, 0] + self.notes[:, 1]
        latest = np.concatenate([[-1], np.maximum.accumulate(ends)[:-1]])
        begins_with = np.concatenate([onsets[1:] == onsets[:-1], [False]])
        return float(np.mean((latest <= onsets + 1) & ~begins_with))


def cast(parts: Sequence[NamedPart]) -> tuple[list[str], list[NDArray[np.int32]]]:
    """Return what each part is, one of PARTS, and its notes, the tune first; a single part of chords becomes two."""
    kinds = [_named(part.name) for part in parts]
    if MELODY not in kinds:
        kinds = _with_melody(parts, kinds)
    others = [index for index, kind in enumerate(kinds) if kind == MELODY][1:]
    for index in others:
        kinds[index] = COUNTER
    for index, part in enumerate(parts):
        kinds[index] = kinds[index] or _heard(part)
    notes = [part.notes for part in parts]
    if len(parts) == 1 and parts[0].single_share < _SINGLE:
        kinds, notes = [MELODY, ACCOMPANIMENT], list(split_hands(notes[0]))
    order = sorted(range(len(kinds)), key=lambda index: PARTS.index(kinds[index]))
    return [kinds[index] for index in order], [notes[index] for index in order]


def split_hands(notes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the top line of a part of chords, and the rest of it.

    A note is of the top line if no higher one sounds at its onset, or begins with it, and it is not far below the line.
    """
    is_top = np.zeros(len(notes), dtype=np.bool_)
    sounding: list[tuple[int, int]] = []
    for index, (onset, duration, note) in enumerate(notes.tolist()):
        sounding = [each for each in sounding if each[0] > onset + 1]
        with_it = notes[(notes[:, 0] == onset), 2]
        is_top[index] = note == with_it.max() and all(note >= other for _, other in sounding)
        sounding.append((onset + duration, note))
    return notes[is_top], notes[~is_top]


def _named(name: str) -> str:
    """Return what a name says that a part is; the empty string if it says nothing."""
    return next((kind for kind, pattern in _NAMES if pattern.search(name)), "")


def _with_melody(parts: Sequence[NamedPart], kinds: list[str]) -> list[str]:
    """Return the kinds with the likeliest tune among the parts that no name tells: single notes, high, and many."""
    unknown = [index for index, kind in enumerate(kinds) if not kind]
    if not unknown:
        unknown = [index for index, kind in enumerate(kinds) if kind in {COUNTER, ACCOMPANIMENT}]
    longest = max(len(part.notes) for part in parts)

    def likeness(index: int) -> float:
        """Return how much a part is like a tune."""
        part = parts[index]
        return part.single_share + float(np.median(part.notes[:, 2])) / 48 + min(1.0, 2 * len(part.notes) / longest)

    if unknown:
        kinds[max(unknown, key=likeness)] = MELODY
    return kinds


def _heard(part: NamedPart) -> str:
    """Return what a part without a telling name is by its notes."""
    if part.single_share < _SINGLE:
        return ACCOMPANIMENT
    return BASS if float(np.median(part.notes[:, 2])) < _BASS_BELOW else COUNTER
