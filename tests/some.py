"""Guards against empty test data: files that are not found, and `all` without values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def some_files(folder: Path, pattern: str) -> list[Path]:
    """Return the paths in `folder` that match `pattern`, sorted. Raises AssertionError where none matches."""
    found = sorted(folder.glob(pattern))
    assert found, f"nothing in {folder} matches {pattern}"
    return found


def all_of_some(values: Iterable[object]) -> bool:
    """Return whether all values are true. Raises AssertionError where there are no values."""
    listed = list(values)
    assert listed, "all() over nothing holds whatever the program does"
    return all(listed)
