"""The wheel and the source distribution hold the right files, presets and devices included."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.some import some_files

ROOT = Path(__file__).parents[2]
SCRIPTS = {path.relative_to(ROOT).as_posix() for path in (ROOT / ".ci").iterdir() if path.is_file()}


def shipped(folder: str) -> set[str]:
    """Return the files of presets/ or devices/ relative to the checkout, apart from hidden ones."""
    paths = [path for path in some_files(ROOT / folder, "**/*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(ROOT).as_posix() for path in paths if not path.name.startswith(".")}


@pytest.mark.parametrize("folder", ["presets", "devices"])
def test_wheel_holds_data(wheel: Path, folder: str) -> None:
    """Every preset, model and device is in the wheel, under improviser/data."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert shipped(folder)
    assert set() == {f"improviser/data/{name}" for name in shipped(folder)} - names


def test_wheel_holds_the_page(wheel: Path) -> None:
    """Every file that a browser loads is in the wheel, and the third-party synthesizer with its licence."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"improviser/web/static/index.html", "improviser/web/static/main.js"} < names
    assert set() == shipped("improviser/web/static") - names


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    """Apart from its metadata the wheel holds only the package improviser."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {"improviser"} == {top for top in tops if not top.endswith(".dist-info")}


@pytest.mark.parametrize("folder", ["presets", "devices"])
def test_sdist_holds_data(sdist: Path, folder: str) -> None:
    """Every preset, model and device is in the source distribution."""
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert shipped(folder)
    assert set() == shipped(folder) - names


def test_sdist_holds_what_the_tests_read(sdist: Path) -> None:
    """The files of continuous integration and pre-commit are in the source distribution, because tests read them."""
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert set() == {*SCRIPTS, ".pre-commit-config.yaml", "Makefile"} - names


def test_metadata_asks_for_no_torch_to_play(wheel: Path) -> None:
    """No base dependency of the wheel is torch, music21 or gymnasium, which only training needs."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    lines = archive.read(name).decode("utf-8").splitlines()
    base = [line for line in lines if line.startswith("Requires-Dist: ") and "extra ==" not in line]
    assert base
    assert [] == [line for line in base if any(heavy in line for heavy in ("torch", "music21", "gymnasium"))]
