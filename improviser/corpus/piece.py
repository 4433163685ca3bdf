"""The pieces for training: parts of onsets, durations and notes in ticks, with their chords and sections.

Invariant: tick 0 of a piece is a downbeat, so the position in the bar is always `tick % bar_ticks(meter)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from improviser.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

TICKS_PER_BEAT = 24
"""Ticks per quarter note, also in 6/8. The number divides by 8, 6 and 3, so triplets and 32nds are exact."""

LOWEST_NOTE, HIGHEST_NOTE = 21, 108
"""Range of the piano; other notes are dropped. Source: MIDI numbers of A0 and C8."""


NO_CHORDS: NDArray[np.int32] = np.zeros((0, 4), dtype=np.int32)
"""The chords of a piece for which none are written."""


class UnfitError(CorpusError):
    """A piece that training cannot use; its text is the reason for the counts."""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A piece before its duplicate group and split are known; see Piece. `change` says what was changed to keep it."""

    name: str
    kind: str
    tonic: int
    mode: str
    meter: tuple[int, int]
    voices: tuple[NDArray[np.int32], ...]
    change: str = ""
    parts: tuple[str, ...] = ()
    chords: NDArray[np.int32] = field(default_factory=NO_CHORDS.copy)
    sections: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, or a stretch of one, in one meter and one key, with its duplicate group and split.

    Attributes:
        name: The collection and the file, with a number if the file has several: "oneills1850/0001-0050#17".
        kind: "chorale", "tune", or "score" for music of other parts.
        tonic: Pitch class 0-11.
        mode: "major" or "minor", by the third above the notated tonic (dorian is minor, mixolydian major).
        meter: Numerator and denominator.
        pickup_ticks: The onset of the first note after the downbeat at tick 0: 0 without an upbeat, else
            `bar_ticks(meter)` minus the upbeat.
        family: Number of the duplicate group.
        split: "train", "valid" or "test", the same for a whole family.
        voices: int32 arrays of shape (notes, 3): onset tick, duration in ticks and note, sorted by onset. In chorales
            and tunes, soprano first, a note ends at or before the next onset of its voice; other parts may be chords.
        parts: What each voice of a "score" is, one of casting.PARTS; empty for the other kinds.
        chords: int32 rows (onset tick, root, row of QUALITIES, bass), each until the next; root -1 is no chord.
        sections: Onset tick and name of each section that is named.
    """

    name: str
    kind: str
    tonic: int
    mode: str
    meter: tuple[int, int]
    pickup_ticks: int
    family: int
    split: str
    voices: tuple[NDArray[np.int32], ...]
    parts: tuple[str, ...] = ()
    chords: NDArray[np.int32] = field(default_factory=NO_CHORDS.copy)
    sections: tuple[tuple[int, str], ...] = ()


def bar_ticks(meter: tuple[int, int]) -> int:
    """Return the number of ticks in a bar of this meter."""
    numerator, denominator = meter
    return numerator * 4 * TICKS_PER_BEAT // denominator


def notes_to_voice(rows: Iterable[tuple[int, int, int]]) -> NDArray[np.int32]:
    """Return a monophonic voice from (onset, end, note) rows; of notes that start together the highest stays."""
    highest: dict[int, tuple[int, int]] = {}
    for onset, end, note in rows:
        if LOWEST_NOTE <= note <= HIGHEST_NOTE and end > onset and note >= highest.get(onset, (0, 0))[1]:
            highest[onset] = (end, note)
    onsets = sorted(highest)
    limits = [*onsets[1:], highest[onsets[-1]][0]] if onsets else []
    voice = [
        (onset, min(highest[onset][0], limit) - onset, highest[onset][1])
        for onset, limit in zip(onsets, limits, strict=True)
    ]
    return np.array(voice, dtype=np.int32).reshape(-1, 3)
