"""What a test looks at has to be there: files that are found, and what `all` goes through."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def some_files(folder: Path, pattern: str) -> list[Path]:
    """Return the paths in `folder` that match, in order. Raises AssertionError where none does."""
    found = sorted(folder.glob(pattern))
    assert found, f"nothing in {folder} matches {pattern}"
    return found


def all_of_some(values: Iterable[object]) -> bool:
    """Return whether all of the values are true. Raises AssertionError where there is none."""
    listed = list(values)
    assert listed, "all() over nothing holds whatever the program does"
    return all(listed)
