"""The documentation builds, without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    """Every link within it leads somewhere, and every page has its place."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (0, "") == (built.returncode, built.stderr)
    assert (tmp_path / "first-sound.html").is_file()
