"""Writing a preset of the user's own: another one, with where its knobs stand and what was learned."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

import tomlkit

from improviser.config.document import check_document, load_document
from improviser.config.preset import Preset
from improviser.config.resources import config_folder, preset_paths
from improviser.errors import ConfigError, UsageError
from improviser.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NEUTRAL: Final = 1.0
_DIGITS: Final = 6


def save_preset(
    base: Path, name: str, panel: Mapping[str, float], taste: Mapping[str, float], *, over: bool
) -> Path:
    """Write the preset in the file `base` under a new name, with a panel and a taste; give the new path.

    Args:
        base: The path of a preset's file.
        name: The new name.
        panel: Positions of knobs, 0-2, by name.
        taste: Weights of traits by name.
        over: Whether a preset of the user's own of that name may be written over.

    Raises:
        UsageError: The name is none, or is taken.
        ConfigError: There is no good preset in `base`, or the file cannot be written.
    """
    load_document(base, Preset)
    path = config_folder() / "presets" / f"{name}.toml"
    taken = preset_paths().get(name)
    if taken is not None and not over:
        raise UsageError(f"there is a preset {name!r} already: {taken}; choose another name, or --force")
    if name.startswith("_"):
        raise UsageError(f"{name!r} would not be found: files that begin with _ are templates")
    document = tomlkit.parse(base.read_text("utf-8"))
    document["name"] = name
    moved = {knob: round(position, _DIGITS) for knob, position in panel.items() if position != _NEUTRAL}
    for table, values in (
        ("panel", moved),
        ("taste", {trait: round(weight, _DIGITS) for trait, weight in taste.items()}),
    ):
        document.pop(table, None)
        if values:
            document[table] = values
    text = tomlkit.dumps(document)
    try:
        check_document(tomllib.loads(text), Preset, str(path))
    except ConfigError as error:
        raise UsageError(str(error)) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; free some space") from error
    return path
