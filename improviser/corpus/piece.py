"""The pieces for training: monophonic voices of onsets, durations and notes in ticks.

Invariant: tick 0 of a piece is a downbeat, so the position in the bar is always `tick % bar_ticks(meter)`.
"""

from __future__ import annotations

from dataclasses import dataclass
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


class UnfitError(CorpusError):
    """A piece that training cannot use; its text is the reason for the counts."""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A piece before its duplicate group and split are known.

    `voices` holds int32 arrays of shape (notes, 3): onset tick, duration in ticks, note. `change` says what was changed
    to keep the piece, if anything.
    """

    name: str
    kind: str
    tonic: int
    mode: str
    meter: tuple[int, int]
    voices: tuple[NDArray[np.int32], ...]
    change: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One chorale or tune in one meter, with its duplicate group and split.

    `name` is the collection and the file, with the tune's number if the file has several: "oneills1850/0001-0050#17".
    `kind` is "chorale" or "tune". `tonic` is a pitch class, 0-11. `mode` is "major" or "minor", by the third above the
    notated tonic (dorian is minor, mixolydian major). `split` is "train", "valid" or "test", the same for a whole
    duplicate group, `family`. `pickup_ticks` is the onset of the first note after the downbeat at tick 0: 0 without an
    upbeat, else `bar_ticks(meter)` minus the upbeat. `voices`, soprano first, holds int32 arrays of shape (notes, 3):
    onset tick, duration in ticks and note, sorted by onset. A note ends at or before the next onset of its voice.
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
