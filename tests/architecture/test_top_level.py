"""The top level of the repository stays small enough to see at a glance."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

CODE_AND_DATA = {"improviser", "devices", "presets", "tests", "pyproject.toml", "README.md"}
AROUND_IT = {"LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "constraints.txt", "docs"}


def test_top_level_holds_what_it_should(root: Path) -> None:
    """The top level of the repository holds the agreed files and folders, apart from hidden ones."""
    if not (root / ".git").exists():
        pytest.skip("not a git checkout, so files of the project cannot be told from others")
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert CODE_AND_DATA | AROUND_IT == {top for top in tops if not top.startswith(".")}
