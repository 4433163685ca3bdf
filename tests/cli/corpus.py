"""A tiny corpus in the cache, so that no score has to be parsed."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from pathlib import Path

from improviser.corpus.cache import CACHE_NAME, Cached, write_cache
from tests.tiny_corpus import chorale, tune

# The bars of the pieces of each split; held-out ones are as long as an evaluation plays.
BARS = {"train": 8, "valid": 16, "test": 16}


def write_tiny_corpus(cache: Path) -> None:
    """Write a corpus of two pieces per split into the folder `cache`."""
    stamp = f"music21 {importlib.metadata.version('music21')}"
    pieces = [
        make(f"{make.__name__}-{split}", split, 0, bars) for split, bars in BARS.items() for make in (chorale, tune)
    ]
    write_cache(cache / CACHE_NAME, Cached(stamp, pieces, Counter(), Counter()))
