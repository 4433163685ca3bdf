"""Fixtures of the architecture tests: the checkout and its Python files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.some import some_files

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def package_files() -> list[Path]:
    """The Python files of the package."""
    return some_files(ROOT / "improviser", "**/*.py")


@pytest.fixture(scope="session")
def suite_files() -> list[Path]:
    """The Python files of the tests."""
    return some_files(ROOT / "tests", "**/*.py")
