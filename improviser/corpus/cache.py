"""Stores the parsed corpus in one `.npz` file: flat arrays and offsets, no pickle.

Invariant: equal pieces give equal bytes (stored uncompressed, with numpy's fixed archive dates).
"""

from __future__ import annotations

import io
import itertools
import logging
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from improviser.config.resources import cache_folder
from improviser.corpus.piece import Piece
from improviser.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

CACHE_NAME = "corpus-v2.npz"
"""Change the number when the definition of a piece changes."""

NOTE_COLUMNS, CHORD_COLUMNS = 3, 4
# Separates the names of parts, and of sections.
_BETWEEN = "\t"


@dataclass(frozen=True, slots=True)
class Cached:
    """Content of a cache file: the pieces, and how many were dropped or changed for each reason.

    `stamp` names the parser and its version, on which the pieces depend.
    """

    stamp: str
    pieces: list[Piece]
    dropped: Counter[str]
    changed: Counter[str]


def cache_path(cache_dir: Path | None = None) -> Path:
    """Return the path of the cache file: in this folder, else in IMPROVISER_CACHE_DIR, else in the user's."""
    return (cache_dir or cache_folder()) / CACHE_NAME


def write_cache(path: Path, cached: Cached) -> None:
    """Write the cache file, whole or not at all."""
    pieces = cached.pieces
    voices = [voice for piece in pieces for voice in piece.voices]
    arrays: dict[str, NDArray[Any]] = {
        "stamp": np.array(cached.stamp, dtype=np.str_),
        "name": _text(piece.name for piece in pieces),
        "kind": _text(piece.kind for piece in pieces),
        "mode": _text(piece.mode for piece in pieces),
        "split": _text(piece.split for piece in pieces),
        "tonic": np.array([piece.tonic for piece in pieces], dtype=np.int32),
        "meter": np.array([piece.meter for piece in pieces], dtype=np.int32).reshape(-1, 2),
        "pickup_ticks": np.array([piece.pickup_ticks for piece in pieces], dtype=np.int32),
        "family": np.array([piece.family for piece in pieces], dtype=np.int32),
        "voice_count": np.array([len(piece.voices) for piece in pieces], dtype=np.int32),
        "note_count": np.array([len(voice) for voice in voices], dtype=np.int32),
        "notes": np.concatenate([np.zeros((0, NOTE_COLUMNS), dtype=np.int32), *voices]),
        "parts": _text(_BETWEEN.join(piece.parts) for piece in pieces),
        "chord_count": np.array([len(piece.chords) for piece in pieces], dtype=np.int32),
        "chords": np.concatenate([np.zeros((0, CHORD_COLUMNS), dtype=np.int32), *(piece.chords for piece in pieces)]),
        "section_ticks": np.array([tick for piece in pieces for tick, _ in piece.sections], dtype=np.int32),
        "section_names": _text(_BETWEEN.join(name for _, name in piece.sections) for piece in pieces),
        "section_count": np.array([len(piece.sections) for piece in pieces], dtype=np.int32),
        **_counter_arrays("dropped", cached.dropped),
        **_counter_arrays("changed", cached.changed),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type] # numpy's stub takes the names for its own options
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())


def read_cache(path: Path, stamp: str | None) -> Cached | None:
    """Return the content of a cache file; None, with a logged reason, if it must be rebuilt.

    With a `stamp` of None any cache is accepted, since no parser is installed to build another one.
    """
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        cached = Cached(
            str(arrays["stamp"]),
            list(_pieces(arrays)),
            _counter(arrays, "dropped"),
            _counter(arrays, "changed"),
        )
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        logger.warning("the corpus cache %s is corrupt (%s) and is built again", path, error)
        return None
    if stamp not in (None, cached.stamp):
        logger.warning("the corpus cache %s is of %s, not of %s, and is built again", path, cached.stamp, stamp)
        return None
    return cached


def _pieces(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Piece]:
    """Yield the pieces in the flat arrays.

    Raises:
        ValueError: The arrays do not fit together.
    """
    ends = np.cumsum(arrays["note_count"])
    if arrays["notes"].shape != (int(ends[-1]) if len(ends) else 0, NOTE_COLUMNS):
        message = "notes and their counts differ"
        raise ValueError(message)
    voices = iter(np.split(arrays["notes"].astype(np.int32), ends[:-1]) if len(ends) else [])
    chords = iter(_split(arrays["chords"].astype(np.int32), arrays["chord_count"]))
    ticks = iter(_split(arrays["section_ticks"], arrays["section_count"]))
    fields = ("name", "kind", "tonic", "mode", "meter", "pickup_ticks", "family", "split", "voice_count")
    more = ("parts", "section_names")
    for name, kind, tonic, mode, meter, pickup, family, split, count, parts, names in zip(
        *(arrays[key].tolist() for key in (*fields, *more)), strict=True
    ):
        own = tuple(itertools.islice(voices, count))
        named = tuple(parts.split(_BETWEEN)) if parts else ()
        begins = next(ticks).tolist()
        sections = tuple(zip(begins, names.split(_BETWEEN), strict=True)) if begins else ()
        yield Piece(
            name,
            kind,
            tonic,
            mode,
            (meter[0], meter[1]),
            pickup,
            family,
            split,
            own,
            named,
            next(chords),
            sections,
        )


def _split(rows: NDArray[Any], counts: NDArray[Any]) -> list[NDArray[Any]]:
    """Return rows in groups of these sizes.

    Raises:
        ValueError: The rows are more or fewer.
    """
    if len(rows) != int(counts.sum()):
        message = "rows and their counts differ"
        raise ValueError(message)
    return np.split(rows, np.cumsum(counts)[:-1]) if len(counts) else []


def _counter_arrays(name: str, counter: Counter[str]) -> dict[str, NDArray[Any]]:
    """Return a counter as an array of reasons and an array of counts."""
    reasons = sorted(counter)
    counts = np.array([counter[reason] for reason in reasons], dtype=np.int32)
    return {f"{name}_reason": _text(reasons), f"{name}_count": counts}


def _counter(arrays: Mapping[str, NDArray[Any]], name: str) -> Counter[str]:
    """Return the counter from an array of reasons and an array of counts."""
    reasons, counts = arrays[f"{name}_reason"].tolist(), arrays[f"{name}_count"].tolist()
    return Counter(dict(zip(reasons, counts, strict=True)))


def _text(values: Iterable[str]) -> NDArray[np.str_]:
    """Return an array of Unicode strings, which needs no pickle."""
    return np.array(list(values), dtype=np.str_)
