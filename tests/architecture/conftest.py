"""What the tests of the architecture look at: the checkout and its Python files."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def package_files() -> list[Path]:
    """The Python files of the package."""
    return sorted((ROOT / "improviser").rglob("*.py"))


@pytest.fixture(scope="session")
def suite_files() -> list[Path]:
    """The Python files of the tests."""
    return sorted((ROOT / "tests").rglob("*.py"))
