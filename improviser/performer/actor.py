"""Loads the actor, which decides what to play: the policy in a model's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.agent.checkpoint import load_policy
from improviser.engine.chord_advice import advised
from improviser.engine.role import ROLES
from improviser.listening.observation import LATER

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.agent.policy import Policy
    from improviser.engine import EngineSettings


def load_actor(model: Path, settings: EngineSettings) -> Policy:
    """Return the policy of a model that is to play in the role and style of `settings`, with the advice they name.

    Raises:
        CheckpointError: The model is missing, corrupt, or of another role or style.
    """
    role = ROLES[settings.role]
    policy = load_policy(model, role.groups, role.action_count, settings.style, LATER)
    return advised(policy, settings.advice)
