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

    preset = read_preset(name)
    return make_settings(preset, key=key), preset_actor(preset)


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


def preset_actor(preset: Preset) -> Policy:
    """Return the preset's policy; raises CheckpointError where its model is missing or corrupt."""
    return load_actor(preset.model_path, preset)


def load_actor(model: Path, preset: Preset) -> Policy:
    """Return the policy of a model that is to play as `preset` says.

    Raises:
        CheckpointError: It is missing, corrupt, or of another role or style.
    """
    from improviser.agent.checkpoint import load_policy
    from improviser.engine.role import ROLES

    role = ROLES[preset.role]
    return load_policy(model, role.groups, role.action_count, str(preset.style))
