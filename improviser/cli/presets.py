"""`improviser presets`: lists the presets for `--preset`, or shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from improviser.cli.console import say, say_json, say_table, tell
from improviser.cli.options import JsonOption

if TYPE_CHECKING:
    from improviser.config.preset import Preset

EXAMPLES = """
improviser presets
improviser presets fiddle
improviser presets --json
"""

NameArgument = Annotated[str | None, typer.Argument(help="Preset to show in full.")]


def presets(name: NameArgument = None, json: JsonOption = False) -> None:
    """List the presets, or show one in full.

    Your own presets are TOML files in the folder presets of improviser's configuration folder. A preset of your
    own hides a shipped one of the same name.
    """
    if name is None:
        _list(as_json=json)
    else:
        _show(name, as_json=json)


def _list(*, as_json: bool) -> None:
    """Print all presets; with faulty ones, print their faults on stderr and exit with 1."""
    from improviser.config.preset import load_preset
    from improviser.config.resources import preset_paths
    from improviser.errors import ConfigError

    good: dict[str, Preset] = {}
    faults: dict[str, str] = {}
    for name in preset_paths():
        try:
            good[name] = load_preset(name)
        except ConfigError as error:
            faults[name] = str(error)
    if as_json:
        for name, preset in good.items():
            say_json(_summary(name, preset))
        for name, fault in faults.items():
            say_json({"name": name, "error": fault})
    else:
        rows = [
            (name, preset.style, f"{preset.tempo_bpm:g}", preset.playing.groove or "-", preset.description)
            for name, preset in good.items()
        ]
        say_table(("NAME", "STYLE", "BPM", "GROOVE", "DESCRIPTION"), rows)
    _tell_faults(faults)


def _tell_faults(faults: dict[str, str]) -> None:
    """Print the faults of presets on stderr; exit with 1 if there are any."""
    for fault in faults.values():
        tell(f"improviser: {fault}")
    if faults:
        raise typer.Exit(1)


def _summary(name: str, preset: Preset) -> dict[str, object]:
    """Return the values that the list shows of a preset."""
    return {
        "name": name,
        "description": preset.description,
        "role": str(preset.role),
        "style": str(preset.style),
        "tempo_bpm": preset.tempo_bpm,
        "groove": preset.playing.groove,
        "author": preset.author,
        "license": preset.license,
    }


def _show(name: str, *, as_json: bool) -> None:
    """Print all values of one preset."""
    from improviser.config.preset import load_preset

    preset = load_preset(name)
    details = preset.model_dump(mode="json", by_alias=True) | {
        "name": name,
        "model_path": str(preset.model_path),
    }
    if as_json:
        say_json(details)
        return
    rows = list(_flat(details))
    width = max(len(key) for key, _ in rows)
    for key, value in rows:
        say(f"{key.ljust(width)}  {value}")


def _flat(table: dict[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Return the values of a table and its subtables with their dotted keys, without unset ones."""
    rows: list[tuple[str, object]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        elif value is not None:
            rows.append((f"{prefix}{key}", value))
    return rows
