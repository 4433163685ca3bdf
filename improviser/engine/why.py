"""Why a decision fell as it did: the numbers that decided, for the actions that came nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from improviser.playing.actions import action_to_gesture
from improviser.rewards import COMPONENTS

if TYPE_CHECKING:
    from improviser.agent.policy import Choice
    from improviser.engine.knobs import Knobs


@dataclass(frozen=True, slots=True)
class Reason:
    """What spoke for an action, in units of the reward, beside the mean of all that was allowed.

    Attributes:
        does: "hold", "rest" or "onset".
        note: The onset's note, 0-127; None without one.
        chance: The probability, 0-1, that it had.
        parts: What each part added: harmony, coherence and creativity with their weights (or "reward", where
            the model does not tell them apart), the prior with its weight, and the preference.
    """

    does: str
    note: int | None
    chance: float
    parts: dict[str, float]

    def to_json(self) -> dict[str, str | int | float | None]:
        """Give it as plain values, in one level."""
        return {"does": self.does, "note": self.note, "chance": self.chance} | self.parts


def reasons(choice: Choice, knobs: Knobs, base: int, count: int = 3) -> list[Reason]:
    """Give the likeliest allowed actions of a decision, the one that was taken among them and first.

    Args:
        choice: The decision.
        knobs: How they stood then.
        base: The note from which actions count.
        count: How many to give, at least the one that was taken.
    """
    legal = np.isfinite(choice.log_policy)
    parts = _parts(choice, knobs)
    beside = {name: value - value[legal].mean() for name, value in parts.items()}
    order = [int(action) for action in np.argsort(-choice.log_policy, kind="stable") if legal[action]]
    chosen = [choice.action, *(action for action in order if action != choice.action)][: max(1, count)]
    return [
        Reason(
            does=(gesture := action_to_gesture(action, base)).kind.name.lower(),
            note=gesture.note,
            chance=float(np.exp(choice.log_policy[action])),
            parts={name: float(value[action]) for name, value in beside.items()},
        )
        for action in chosen
    ]


def _parts(choice: Choice, knobs: Knobs) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Give what each part adds to each action's value, (actions,)."""
    mix = knobs.to_mix()
    if len(choice.q_values) > 1:
        parts = dict(zip(COMPONENTS, mix.weights[:, None] * choice.q_values, strict=True))
    else:
        parts = {"reward": choice.q_values[0]}
    parts["prior"] = np.float32(mix.prior_weight) * choice.log_prior
    if mix.preference is not None:
        parts["preference"] = mix.preference
    return parts
