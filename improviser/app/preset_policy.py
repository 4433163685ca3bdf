"""Builds engine settings and a policy from a preset, for all commands that play."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.agent.config import NetworkConfig
    from improviser.agent.policy import Policy, Weights
    from improviser.config.preset import Preset
    from improviser.engine import EngineSettings
    from improviser.listening.beat_tracker import BeatTracker
    from improviser.music.meter import Meter


def load_preset(name: str, *, key: str | None = None) -> tuple[EngineSettings, Policy]:
    """Return the engine settings and the policy of a preset.

    Args:
        name: Name of a preset, or the path of its file.
        key: A key such as "Am", or "auto"; None: the preset's key.

    Returns:
        The settings, and the policy that decides.

    Raises:
        ConfigError: The preset does not exist or has faults.
        CheckpointError: Its model is missing or corrupt.
        UsageError: `key` is not a key.
    """
    from improviser.config.preset import load_preset as read_preset
    from improviser.performer.actor import load_actor

    preset = read_preset(name)
    settings = make_settings(preset, key=key)
    return settings, load_actor(preset.model_path, settings)


def preset_networks(preset: Preset) -> tuple[NetworkConfig, dict[str, Weights]]:
    """Return shape and weights of a preset's model. Raise CheckpointError if it is missing or corrupt."""
    from improviser.agent.checkpoint import load_grown
    from improviser.engine.role import ROLES
    from improviser.listening.observation import LATER

    config, networks, _ = load_grown(preset.model_path, ROLES[preset.role].groups, LATER)
    return config, networks


def make_settings(preset: Preset, *, key: str | None) -> EngineSettings:
    """Return the engine settings of a preset in a key; None: the preset's key.

    Raises:
        UsageError: `key` is not a key.
    """
    from improviser.engine import AUTO_KEY, EngineSettings
    from improviser.music.scale import parse_key

    if key not in {None, AUTO_KEY}:
        parse_key(str(key))
    values = preset.engine_values()
    return EngineSettings(**(values if key is None else values | {"key": key}))


def preset_program(preset: Preset) -> int | None:
    """Return the MIDI program of a preset, 0-127; None if it names none."""
    program = preset.playing.program
    return None if program is None else program - 1


def preset_actor(preset: Preset, model: Path | None = None) -> Policy:
    """Return the policy of a preset's model, or of another `model` for the preset's role and style.

    Raises:
        CheckpointError: The model is missing, corrupt, or has another role or style.
    """
    from improviser.performer.actor import load_actor

    return load_actor(model or preset.model_path, make_settings(preset, key=None))


def make_tracker(settings: EngineSettings, meter: Meter | None) -> BeatTracker:
    """Return a beat tracker that expects the tempo of `settings`, in `meter` or in any.

    Raises:
        CheckpointError: The model of the beat is missing or corrupt.
    """
    from improviser.config.beat_model import load_beat_weights
    from improviser.listening.beat_tracker import BeatTracker

    return BeatTracker(settings.tempo_bpm, meter, load_beat_weights())
