"""The pieces that training reads: monophonic voices of onsets, durations and notes in ticks.

Invariant: tick 0 of a piece is a downbeat, so the place in the bar is `tick % bar_ticks(meter)` everywhere.
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
"""Ticks of a quarter note, also in 6/8: divides by 8, 6 and 3, so triplets and 32nds are exact."""

LOWEST_NOTE, HIGHEST_NOTE = 21, 108
"""The piano's range; notes outside are dropped. Source: MIDI numbers of A0 and C8."""


class UnfitError(CorpusError):
    """A piece that training cannot use; its text is the reason that is counted."""


@dataclass(frozen=True, slots=True)
class ParsedScore:
    """A piece before the whole corpus is known, so without family and split.

    `voices` holds int32 arrays of shape (notes, 3): onset tick, duration in ticks, note. `change` says what
    was done to keep the piece, if anything.
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
    """One chorale or tune, cut to one meter, with its melody family and split.

    `name` is collection, file and, in a file of many tunes, the tune's number: "oneills1850/0001-0050#17".
    `kind` is "chorale" or "tune"; `tonic` a pitch class 0-11; `mode` "major" or "minor", by the third above
    the notated tonic (dorian is minor, mixolydian major); `split` "train", "valid" or "test", one for a
    whole family. `pickup_ticks` is the onset of the first note after the downbeat at tick 0: 0 without an
    upbeat, else `bar_ticks(meter)` less the upbeat. `voices` (soprano first) holds int32 arrays of shape
    (notes, 3) of onset tick, duration in ticks and note, sorted by onset; a note ends at or before the next
    onset of its voice.
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
    """Return the ticks of a bar of this meter."""
    numerator, denominator = meter
    return numerator * 4 * TICKS_PER_BEAT // denominator


def notes_to_voice(rows: Iterable[tuple[int, int, int]]) -> NDArray[np.int32]:
    """Return a monophonic voice of (onset, end, note) rows: notes that start together leave the highest."""
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
