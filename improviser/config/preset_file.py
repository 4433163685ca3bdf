"""Writing a preset of the user's own: another one, with where its knobs stand and what was learned."""

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
    """What of a jam is saved in a preset.

    Attributes:
        panel: Positions of knobs, 0-2, by name.
        taste: Weights of traits by name.
        tempo_bpm: Quarter notes a minute.
        key: The key that is locked, or "auto".
        meter: The time signature, such as "3/4".
        model: A model of the user's own that it is to play by; None: that of the preset it comes from.
    """

    panel: Mapping[str, float]
    taste: Mapping[str, float]
    tempo_bpm: float
    key: str
    meter: str
    model: Path | None = None


def save_preset(base: Path, name: str, saved: Saved, *, over: bool) -> Path:
    """Write the preset in the file `base` under a new name, with what is saved; return the new path.

    Args:
        base: The path of a preset's file.
        name: The new name.
        saved: What the new preset has otherwise.
        over: Whether a preset of the user's own of that name may be written over.

    Raises:
        UsageError: The name is none, is taken, or is that of a template.
        ConfigError: There is no good preset in `base`, or the file cannot be written.
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


def _set_music(document: TOMLDocument, saved: Saved) -> None:
    """Write tempo, key and meter into a preset's document."""
    document["tempo_bpm"] = round(saved.tempo_bpm, _TEMPO_DIGITS)
    document["grid"]["meter"] = saved.meter
    if saved.key != "auto":
        document["key"] = saved.key
    else:
        document.pop("key", None)


def check_name(name: str, *, over: bool) -> None:
    """Raise UsageError where a new preset cannot be called `name`, or one of that name would be lost."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise UsageError(f"the name {name!r} may contain letters, digits, _ and - only") from error
    taken = preset_paths().get(name)
    if taken is not None and not over:
        raise UsageError(f"a preset {name!r} exists: {taken}. Choose another name, or use --force")
    if name.startswith("_"):
        raise UsageError(f"{name!r} cannot be a preset's name: files that begin with _ are templates")
