"""Each shipped preset; every test runs once per preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from improviser.config.preset import load_preset
from improviser.config.resources import shipped_folder
from improviser.playing.actions import ONSET_COUNT, register_base
from tests.some import some_files

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = shipped_folder("presets")
FILES = some_files(FOLDER, "*.toml")
HIGHEST_NOTE = 127


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_preset_is_good(path: Path) -> None:
    """The file is valid, and the name in the file is the name by which it is chosen."""
    assert path.stem == load_preset(str(path)).name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_range_of_a_preset_is_within_midi(path: Path) -> None:
    """The three octaves from the register's base are MIDI notes in every key."""
    low = load_preset(str(path)).pitch_range.low
    bases = [register_base(low, tonic) for tonic in range(12)]
    assert min(bases) >= 0
    assert max(bases) + ONSET_COUNT - 1 <= HIGHEST_NOTE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_model_of_a_preset_is_shipped(path: Path) -> None:
    """The model that the preset names is shipped."""
    assert (FOLDER / "models" / load_preset(str(path)).model).is_file()


def test_the_presets_differ() -> None:
    """No two presets have the same style, tempo and register."""
    values = [load_preset(str(path)).engine_values() for path in FILES]
    assert len(FILES) == len({(each["style"], each["tempo_bpm"], each["register_low"]) for each in values})
