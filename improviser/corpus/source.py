"""The collections that models are trained on, and their summary for a model card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from improviser.corpus.cache import cache_path, read_cache
from improviser.corpus.piece import TICKS_PER_BEAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from improviser.corpus.piece import Piece

KINDS = ("chorale", "tune", "score")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of music21's corpus: the kind of its pieces, its file pattern and the printed source."""

    kind: str
    pattern: str
    title: str


SOURCES = {
    "bach": Source("chorale", "*.mxl", "J. S. Bach, four-part chorales"),
    "oneills1850": Source("tune", "*.abc", "O'Neill's Music of Ireland, 1903"),
    "ryansMammoth": Source("tune", "*.abc", "Ryan's Mammoth Collection, 1883"),
}
"""The folders that are read. None has a licence that restricts use."""

FOLDERS = {
    "pop909": "POP909 (MIT; music-x-lab/POP909-Dataset, d83e6edb), chords of POP909-CL (AndyWeasley2004, be909439)",
    "openewld": "OpenEWLD, lead sheets in the public domain (MIT; 00sapo/OpenEWLD, ec03cbd8)",
    "weimar": "Weimar Jazz Database, solos (MIT, as in klausfrieler/jazzodata, 0dc98cf9)",
    "lieder": "OpenScore Lieder Corpus (CC0; OpenScore/Lieder, bca12245)",
}
"""The sets of MIDI files that styles name, each a folder of `--corpora`, with licence, repository and commit."""


def corpus_summary(pieces: Sequence[Piece], cache_dir: Path | None = None) -> dict[str, Any]:
    """Return the corpus facts for a model card: counts, sources, and what was dropped while the cache was built."""
    collections = _count(piece.name.split("/")[0] for piece in pieces)
    is_music21 = any(name in SOURCES for name in collections)
    cached = read_cache(cache_path(cache_dir), None) if is_music21 else None
    kinds = [kind for kind in KINDS if any(piece.kind == kind for piece in pieces)]
    titles = {name: source.title for name, source in SOURCES.items()} | FOLDERS
    return {
        "parser": cached.stamp if cached else "music21" if is_music21 else "improviser",
        "sources": {name: titles[name] for name in collections if name in titles},
        "collections": collections,
        "pieces": _count(piece.kind for piece in pieces),
        "splits": {kind: _count(piece.split for piece in pieces if piece.kind == kind) for kind in kinds},
        "meters": _count(f"{piece.meter[0]}/{piece.meter[1]}" for piece in pieces),
        "modes": _count(piece.mode for piece in pieces),
        "families": len({piece.family for piece in pieces}),
        "notes": {kind: count_notes(piece for piece in pieces if piece.kind == kind) for kind in kinds},
        "ticks_per_beat": TICKS_PER_BEAT,
        "dropped": dict(sorted(cached.dropped.items())) if cached else {},
        "changed": dict(sorted(cached.changed.items())) if cached else {},
    }


def _count(values: Iterable[str]) -> dict[str, int]:
    """Return the number of each value, sorted by name."""
    return dict(sorted(Counter(values).items()))


def count_notes(pieces: Iterable[Piece]) -> int:
    """Return the number of notes in all voices."""
    return sum(len(voice) for piece in pieces for voice in piece.voices)
