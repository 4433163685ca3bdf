"""Improviser works from any folder, however it was installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.packaging.conftest import run

if TYPE_CHECKING:
    import pytest

    from tests.packaging.conftest import Installation

ROOT = Path(__file__).parents[2]


def test_package_is_the_installed_one(installation: Installation, request: pytest.FixtureRequest) -> None:
    """The code that runs is the installed one, so the other tests here measure that."""
    code = "import improviser; print(improviser.__file__)"
    printed = run(installation.python, "-c", code, cwd=installation.foreign_folder)
    is_editable = "editable" in request.node.name
    assert is_editable == Path(printed.strip()).is_relative_to(ROOT)


def test_help_is_shown(installation: Installation) -> None:
    """`python -m improviser --help` names the program."""
    assert "improviser" in installation.improviser("--help")


def test_presets_are_found(installation: Installation) -> None:
    """`presets --json` prints one object per line, each with a name, and at least two presets."""
    presets = [json.loads(line) for line in installation.improviser("presets", "--json").splitlines()]
    names = {preset["name"] for preset in presets}
    assert len(presets) == len(names)
    assert len(names) >= 2


def test_the_shipped_model_plays(installation: Installation) -> None:
    """`compose` writes a MIDI file with the shipped model."""
    installation.improviser("compose", "-o", "out.mid", "--bars", "2", "--seed", "1")
    assert (installation.foreign_folder / "out.mid").read_bytes().startswith(b"MThd")


def test_script_is_installed(installation: Installation) -> None:
    """The command `improviser` exists and shows the same help as the module."""
    script = installation.folder / "bin" / "improviser"
    assert "jam" in run(script, "--help", cwd=installation.foreign_folder)
