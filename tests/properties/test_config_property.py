"""Any TOML text either loads or is reported as faulty."""

from __future__ import annotations

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from improviser.config.device import Device
from improviser.config.document import Document, load_document
from improviser.config.preset import HIGHEST_REGISTER, LOWEST_REGISTER, Preset
from improviser.config.resources import preset_paths, shipped_folder
from improviser.config.user_settings import Settings
from improviser.errors import ConfigError
from tests.strategies import toml_texts, toml_values

MODELS: tuple[type[Document], ...] = (Preset, Device, Settings)
KEYS = sorted({field.alias or name for model in MODELS for name, field in model.model_fields.items()})


def loads_or_tells(folder: pytest.TempPathFactory, text: str, model: type[Document]) -> bool:
    """Return whether the text loads; where it does not, check that each line of the error names the file."""
    path = folder.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_document(path, model)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(line.startswith(f"{path}: ") for line in lines)
        return False
    return True


@given(text=toml_texts(keys=KEYS), model=st.sampled_from(MODELS))
def test_any_toml_loads_or_is_told(tmp_path_factory: pytest.TempPathFactory, text: str, model: type[Document]) -> None:
    """Any text loads, or raises a ConfigError in which every line names the file."""
    loads_or_tells(tmp_path_factory, text, model)


@given(data=st.data(), value=toml_values())
@pytest.mark.parametrize("model", [Preset, Device])
def test_a_good_file_with_any_value_loads_or_is_told(
    tmp_path_factory: pytest.TempPathFactory, model: type[Document], data: st.DataObject, value: object
) -> None:
    """A valid file with one arbitrary value loads, or the fault is reported."""
    template = preset_paths()["fiddle"] if model is Preset else shipped_folder("devices") / "_template.toml"
    document = tomlkit.parse(template.read_text("utf-8")).unwrap()
    table = document
    key = data.draw(st.sampled_from(sorted(table)))
    while isinstance(table[key], dict) and data.draw(st.booleans()):
        table = table[key]
        key = data.draw(st.sampled_from(sorted(table)))
    table[key] = value
    loads_or_tells(tmp_path_factory, tomlkit.dumps(document), model)


@given(
    tempo_bpm=st.floats(20, 400),
    low=st.integers(LOWEST_REGISTER, HIGHEST_REGISTER),
    collect_ms=st.floats(0, 60),
)
def test_values_in_their_ranges_load(
    tmp_path_factory: pytest.TempPathFactory, tempo_bpm: float, low: int, collect_ms: float
) -> None:
    """A preset with values in their ranges loads."""
    document = tomlkit.parse(preset_paths()["fiddle"].read_text("utf-8")).unwrap()
    document["tempo_bpm"] = tempo_bpm
    document["register"]["low"] = low
    document["playing"]["collect_ms"] = collect_ms
    assert loads_or_tells(tmp_path_factory, tomlkit.dumps(document), Preset)
