"""Derives from a preset what training and evaluation need: game settings, reward weights and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.app.preset_policy import make_settings

if TYPE_CHECKING:
    from improviser.config.preset import Preset
    from improviser.evaluation.baselines import Conditions
    from improviser.training.env import RewardWeights
    from improviser.training.material import GameSettings


def game_settings(preset: Preset) -> GameSettings:
    """Return the settings of the games that the preset's model is trained on."""
    from improviser.training.material import GameSettings

    return GameSettings(str(preset.style), preset.grid.steps_per_beat, preset.pitch_range.low, str(preset.role))


def reward_weights(preset: Preset) -> RewardWeights:
    """Return the weights of the reward components in the preset's training."""
    from improviser.training.env import RewardWeights

    return RewardWeights(**preset.reward.model_dump())


def conditions(preset: Preset) -> Conditions:
    """Return the conditions for measuring the preset's model: the knobs as on stage."""
    from improviser.engine import AUTO_KEY
    from improviser.evaluation.baselines import Conditions

    return Conditions(make_settings(preset, key=AUTO_KEY).knobs, reward_weights(preset))
