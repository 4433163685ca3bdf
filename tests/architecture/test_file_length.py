"""Files stay short enough to read in one go."""

from __future__ import annotations

from pathlib import Path

LONGEST_LINES = 600


def test_no_file_is_longer_than_the_limit(package_files: list[Path], suite_files: list[Path]) -> None:
    """No Python file of the package or the tests has more than 600 lines."""
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in package_files + suite_files}
    assert {} == {str(path): count for path, count in lines.items() if count > LONGEST_LINES}
