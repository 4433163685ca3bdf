"""What the commands that play have in common: how a preset becomes settings and a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.agent.policy import Policy
    from improviser.config.preset import Preset
    from improviser.engine import EngineSettings


def load_preset(name: str, *, key: str | None = None) -> tuple[EngineSettings, Policy]:
    """Return what an engine takes to play as a preset.

    Args:
        name: A preset's name, or the path of its file.
        key: A key such as "Am", or "auto"; None: the preset's.

    Returns:
        The settings, and the policy that decides.

    Raises:
        ConfigError: There is no such preset, or it has mistakes.
        CheckpointError: Its model is missing or corrupt.
        UsageError: The key is none.
    """
    from improviser.config.preset import load_preset as read_preset
    from improviser.performer.actor import load_actor

    preset = read_preset(name)
    settings = make_settings(preset, key=key)
    return settings, load_actor(preset.model_path, settings)


def make_settings(preset: Preset, *, key: str | None) -> EngineSettings:
    """Return the engine's settings for a preset in a key, None: the preset's.

    Raises:
        UsageError: The key is none.
    """
    from improviser.engine import AUTO_KEY, EngineSettings
    from improviser.music.scale import parse_key

    if key not in {None, AUTO_KEY}:
        parse_key(str(key))
    values = preset.engine_values()
    return EngineSettings(**(values if key is None else values | {"key": key}))


def preset_program(preset: Preset) -> int | None:
    """Return the instrument that a preset asks for, 0-127; None where it leaves that open."""
    program = preset.playing.program
    return None if program is None else program - 1


def preset_actor(preset: Preset, model: Path | None = None) -> Policy:
    """Return the policy of a preset's model, or of another `model` that is to play in its role and style.

    Raises:
        CheckpointError: The model is missing, corrupt, or of another role or style.
    """
    from improviser.performer.actor import load_actor

    return load_actor(model or preset.model_path, make_settings(preset, key=None))
