"""Writes a user preset: a copy of another preset with new knob positions and learned preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import tomlkit
from pydantic import TypeAdapter, ValidationError

from improviser.config.document import load_document, write_document
from improviser.config.preset import Name, Preset
from improviser.config.resources import config_folder, preset_paths
from improviser.errors import UsageError
from improviser.protocol import NEUTRAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tomlkit import TOMLDocument

_DIGITS: Final = 6
_TEMPO_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Saved:
    """The values of a jam that are saved in a preset.

    Attributes:
        panel: Positions of knobs, 0-2, by name.
        taste: Weights of preference features by name.
        tempo_bpm: Quarter notes per minute.
        key: The locked key, or "auto".
        meter: Time signature, such as "3/4".
        model: The user's own model for the preset; None: the model of the base preset.
    """

    panel: Mapping[str, float]
    taste: Mapping[str, float]
    tempo_bpm: float
    key: str
    meter: str
    model: Path | None = None


def save_preset(base: Path, name: str, saved: Saved, *, over: bool) -> Path:
    """Write a copy of the preset in the file `base` with a new name and the saved values; return its path.

    Args:
        base: Path of a preset's file.
        name: New name.
        saved: Values that replace those of `base`.
        over: Whether `name` may exist already: a preset of the user is overwritten, a shipped one hidden.

    Raises:
        UsageError: The name is invalid, already exists, or is a template's.
        ConfigError: `base` is not a valid preset, or the file cannot be written.
    """
    check_name(name, over=over)
    load_document(base, Preset)
    path = config_folder() / "presets" / f"{name}.toml"
    document = tomlkit.parse(base.read_text("utf-8"))
    document["name"] = name
    if saved.model is not None:
        document["model"] = saved.model.name
    _set_music(document, saved)
    moved = {knob: round(position, _DIGITS) for knob, position in saved.panel.items() if position != NEUTRAL}
    for table, values in (
        ("panel", moved),
        ("taste", {trait: round(weight, _DIGITS) for trait, weight in saved.taste.items()}),
    ):
        document.pop(table, None)
        if values:
            document[table] = values
    write_document(path, document, Preset)
    return path


def copy_preset(base: Path, name: str, model: Path, about: Mapping[str, str]) -> Path:
    """Write a copy of the preset in the file `base` with another name and model; return its path.

    Args:
        base: Path of a preset's file.
        name: New name.
        model: The model, in the user's folder of models.
        about: Other texts of the preset by name, such as its description.

    Raises:
        ConfigError: `base` is not a valid preset, or the file cannot be written.
    """
    load_document(base, Preset)
    path = config_folder() / "presets" / f"{name}.toml"
    document = tomlkit.parse(base.read_text("utf-8"))
    document.update({**about, "name": name, "model": model.name})
    write_document(path, document, Preset)
    return path


def _set_music(document: TOMLDocument, saved: Saved) -> None:
    """Write tempo, key and meter into a preset's document."""
    document["tempo_bpm"] = round(saved.tempo_bpm, _TEMPO_DIGITS)
    document["grid"]["meter"] = saved.meter
    if saved.key != "auto":
        document["key"] = saved.key
    else:
        document.pop("key", None)


def check_name(name: str, *, over: bool) -> None:
    """Raise UsageError if `name` is invalid, or if a preset of that name exists and `over` is false."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise UsageError(f"the name {name!r} may contain letters, digits, _ and - only") from error
    taken = preset_paths().get(name)
    if taken is not None and not over:
        raise UsageError(f"a preset {name!r} exists: {taken}. Choose another name, or use --force")
    if name.startswith("_"):
        raise UsageError(f"{name!r} cannot be a preset's name: files that begin with _ are templates")
