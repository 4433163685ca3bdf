"""The options that several commands have, so that they are called and explained alike."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from improviser.config.default import DEFAULT_PRESET

__all__ = [
    "DEFAULT_PRESET",
    "JsonOption",
    "KeyOption",
    "LivePresetOption",
    "LiveSeedOption",
    "PresetOption",
    "SeedOption",
]

_PRESET: Final = typer.Option(
    "--preset", metavar="NAME", help="A preset (see: improviser presets) or a .toml file."
)
_SEED: Final = typer.Option("--seed", min=0, max=2**31 - 1, help="Of every random choice.")

PresetOption = Annotated[str, _PRESET]
SeedOption = Annotated[int, _SEED]
KeyOption = Annotated[
    str, typer.Option("--key", metavar="auto|C|Am..", help="auto to hear it, or a key to stay in.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
# Live, the user's settings may name the preset, and without a seed each performance is another.
LivePresetOption = Annotated[str | None, _PRESET]
LiveSeedOption = Annotated[int | None, _SEED]
