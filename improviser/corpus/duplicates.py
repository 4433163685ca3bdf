"""Groups pieces with variants of the same melody, and splits the corpus by these duplicate groups.

Tunes were copied from book to book, and chorale melodies were set many times. A split by piece would therefore hold
out melodies that training has seen.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from improviser.corpus.piece import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from improviser.corpus.piece import ParsedScore

FAMILY_INTERVALS = {"chorale": 9, "tune": 14, "score": 14}
"""Length of the shared passage, in intervals, that makes two melodies variants of each other.

Source: measured on this corpus. Tunes share turns of phrase: with 12 intervals 19 % of the pieces form one group, with
13 intervals 5 %. With 14 the largest group has 0.7 %, and all tunes that occur twice in O'Neill's files are grouped.
"""

STRETCH = "#"
"""Stands in the name of a score between its file and the number of a stretch."""

TEST_SHARE, VALID_SHARE = 0.10, 0.05
"""Shares of the groups that are held out; the others are for training."""


def group_scores(drafts: Sequence[ParsedScore]) -> list[Piece]:
    """Return the pieces sorted by name, each with its duplicate group and the group's split."""
    ordered = sorted(drafts, key=lambda draft: draft.name)
    roots = group_families(
        [draft.kind for draft in ordered],
        [draft.voices[0] for draft in ordered],
        [draft.name.partition(STRETCH)[0] if draft.kind == "score" else draft.name for draft in ordered],
    )
    families = {root: family for family, root in enumerate(sorted(set(roots)))}
    return [
        Piece(
            name=draft.name,
            kind=draft.kind,
            tonic=draft.tonic,
            mode=draft.mode,
            meter=draft.meter,
            pickup_ticks=min(int(voice[0, 0]) for voice in draft.voices),
            family=families[root],
            split=split_of(ordered[root].name),
            voices=draft.voices,
            parts=draft.parts,
            chords=draft.chords,
            sections=draft.sections,
        )
        for draft, root in zip(ordered, roots, strict=True)
    ]


def group_families(
    kinds: Sequence[str], melodies: Sequence[NDArray[np.int32]], sources: Sequence[str] = ()
) -> list[int]:
    """Return, for each melody (rows of onset, duration, note), the index of the first melody of its group.

    Only melodies of the same kind form a group, since the passage length depends on the kind. Melodies of the same
    source, such as a file, always form one.
    """
    parents = list(range(len(melodies)))
    first_seen: dict[bytes | str, int] = {}
    for index, source in enumerate(sources):
        _join(parents, first_seen.setdefault(source, index), index)
    for index, (kind, melody) in enumerate(zip(kinds, melodies, strict=True)):
        for passage in passages(melody, FAMILY_INTERVALS[kind]):
            _join(parents, first_seen.setdefault(passage, index), index)
    return [_find(parents, index) for index in range(len(melodies))]


def passages(melody: NDArray[np.int32], length: int) -> Iterator[bytes]:
    """Yield each passage of `length` intervals as bytes that do not depend on key or note values.

    Each interval is paired with the ratio of the inter-onset times around it, in half octaves of time. So dotted and
    even rhythms differ, and a tune in eighths equals the same tune in sixteenths.
    """
    if len(melody) < length + 1:
        return
    intervals = np.diff(melody[:, 2])
    gaps = np.maximum(np.diff(melody[:, 0]), 1)
    ratios = np.rint(2 * np.log2(gaps[1:] / gaps[:-1]))
    tokens = np.stack([intervals[:-1], ratios], axis=1).astype(np.int8)
    for start in range(len(tokens) - length + 1):
        yield tokens[start : start + length].tobytes()


def split_of(family_key: str) -> str:
    """Return the split of a group by the hash of its key, the smallest name of its members."""
    digest = hashlib.sha256(family_key.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < TEST_SHARE:
        return "test"
    return "valid" if place < TEST_SHARE + VALID_SHARE else "train"


def _find(parents: list[int], index: int) -> int:
    """Return the root of an index, and shorten the path to it."""
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _join(parents: list[int], one: int, other: int) -> None:
    """Join the groups of two indices under the smaller root."""
    one, other = sorted((_find(parents, one), _find(parents, other)))
    parents[other] = one
