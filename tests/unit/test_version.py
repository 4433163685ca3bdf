"""The version is read by the build too."""

from __future__ import annotations

from pathlib import Path

from hatchling.version.source.regex import RegexSource

from improviser import __version__

CHECKOUT = Path(__file__).parents[2]


def test_the_build_reads_the_version() -> None:
    """Hatchling finds it by a pattern that knows no annotation."""
    found = RegexSource(str(CHECKOUT), {"path": "improviser/version.py"}).get_version_data()
    assert __version__ == found["version"]
