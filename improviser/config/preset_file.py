"""Writing a preset of the user's own: another one, with where its knobs stand and what was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import tomlkit
from pydantic import TypeAdapter, ValidationError

from improviser.config.document import load_document, write_document
from improviser.config.preset import Name, Preset
from improviser.config.resources import config_folder, preset_paths
from improviser.control import NEUTRAL
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DIGITS: Final = 6


def save_preset(
    base: Path,
    name: str,
    panel: Mapping[str, float],
    taste: Mapping[str, float],
    model: Path | None = None,
    *,
    over: bool,
) -> Path:
    """Write the preset in the file `base` under a new name, with a panel and a taste; give the new path.

    Args:
        base: The path of a preset's file.
        name: The new name.
        panel: Positions of knobs, 0-2, by name.
        taste: Weights of traits by name.
        model: A model of the user's own that it is to play by; None: that of `base`.
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
    if model is not None:
        document["model"] = model.name
    moved = {knob: round(position, _DIGITS) for knob, position in panel.items() if position != NEUTRAL}
    for table, values in (
        ("panel", moved),
        ("taste", {trait: round(weight, _DIGITS) for trait, weight in taste.items()}),
    ):
        document.pop(table, None)
        if values:
            document[table] = values
    write_document(path, document, Preset)
    return path


def check_name(name: str, *, over: bool) -> None:
    """Raise UsageError where a new preset cannot be called `name`, or one of that name would be lost."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise UsageError(f"the name {name!r} has to be of letters, digits, _ and - only") from error
    taken = preset_paths().get(name)
    if taken is not None and not over:
        raise UsageError(f"there is a preset {name!r} already: {taken}; choose another name, or --force")
    if name.startswith("_"):
        raise UsageError(f"{name!r} would not be found: files that begin with _ are templates")
