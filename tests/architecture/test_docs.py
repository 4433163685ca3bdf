"""The documentation builds without a warning, and its texts keep their limits."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

from tests.some import some_files

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LONGEST_LINE = 120
README_WORDS = 700
# A table row or an indented block cannot be wrapped.
UNWRAPPED = re.compile(r"\s*\||    ")


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    """Every internal link has a target, and every page is in a table of contents."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (0, "") == (built.returncode, built.stderr)
    assert (tmp_path / "first-sound.html").is_file()


def test_the_landing_page_is_short() -> None:
    """The README has at most 700 words."""
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= README_WORDS


def test_lines_of_the_documentation_are_short() -> None:
    """Lines of the documentation have at most 120 characters, apart from tables and indented blocks."""
    pages = [*some_files(DOCS, "**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    long = [
        f"{page.name}:{number}"
        for page in pages
        if page.parent.name != "changelog.d"
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1)
        if len(line) > LONGEST_LINE and not UNWRAPPED.match(line)
    ]
    assert [] == long


def test_tables_of_the_documentation_are_those_of_the_program() -> None:
    """The tables of events, commands and settings are up to date; `python docs/reference.py` writes them."""
    reference = runpy.run_path(str(DOCS / "reference.py"))
    for page in reference["TABLES"]:
        text = (DOCS / page).read_text("utf-8")
        assert reference["filled"](page, text) == text
