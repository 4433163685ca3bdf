"""Writing a preset of the user's own: another one, with where its knobs stand and what was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tomlkit

from improviser.config.document import check_document, nearest
from improviser.config.preset import Preset, load_preset
from improviser.config.resources import config_folder, preset_paths
from improviser.errors import ConfigError, UsageError
from improviser.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NEUTRAL: Final = 1.0
_DIGITS: Final = 6


def save_preset(
    base: str, name: str, panel: Mapping[str, float], taste: Mapping[str, float], *, over: bool
) -> Path:
    """Write preset `base` under a new name, with a panel and a taste; give its path, among the user's own.

    Args:
        base: The name of a preset.
        name: The new name.
        panel: Positions of knobs, 0-2, by name.
        taste: Weights of traits by name.
        over: Whether a preset of the user's own of that name may be written over.

    Raises:
        UsageError: The name is none, or is taken.
        ConfigError: There is no such preset as `base`, or the file cannot be written.
    """
    paths = preset_paths()
    if base not in paths:
        raise ConfigError(f"the preset {base!r} of that session is not there any more{nearest(base, paths)}")
    load_preset(base)
    path = config_folder() / "presets" / f"{name}.toml"
    if path.exists() and not over:
        raise UsageError(f"there is a preset {name!r} already: {path}; choose another name, or --force")
    document = tomlkit.parse(paths[base].read_text("utf-8"))
    document["name"] = name
    moved = {knob: round(position, _DIGITS) for knob, position in panel.items() if position != _NEUTRAL}
    for table, values in (
        ("panel", moved),
        ("taste", {trait: round(weight, _DIGITS) for trait, weight in taste.items()}),
    ):
        document.pop(table, None)
        if values:
            document[table] = values
    try:
        check_document(document.unwrap(), Preset, str(path))
    except ConfigError as error:
        raise UsageError(str(error)) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, tomlkit.dumps(document).encode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; free some space") from error
    return path
