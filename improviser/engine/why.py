"""Why a decision fell as it did: the numbers that decided, for the actions that came nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from improviser.music.chord import chord_from_index
from improviser.rewards import COMPONENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.agent.policy import Choice
    from improviser.playing.actions import Gesture


@dataclass(frozen=True, slots=True)
class Reason:
    """What spoke for an action, in units of the reward, beside the mean of all that was allowed.

    Attributes:
        does: "hold", "rest" or "onset".
        note: The onset's note, the top one of a chord, 0-127; None without one.
        chord: Name of the onset's chord; None where it is none.
        notes: All notes of that chord, the lowest first.
        chance: The probability, 0-1, that it had.
        parts: What each part added: harmony, coherence and creativity with their weights (or "reward", where
            the model does not tell them apart), the prior with its weight, and the preference.
    """

    does: str
    note: int | None
    chance: float
    parts: dict[str, float]
    chord: str | None = None
    notes: tuple[int, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as plain values, in one level; chord and notes only where a chord is struck."""
        values: dict[str, object] = {"does": self.does, "note": self.note, "chance": self.chance}
        if self.chord is not None:
            values |= {"chord": self.chord, "notes": list(self.notes)}
        return values | self.parts


def reasons(choice: Choice, meaning: Callable[[int], Gesture], count: int = 3) -> list[Reason]:
    """Return the likeliest allowed actions of a decision, the one that was taken among them and first.

    Args:
        choice: The decision.
        meaning: Gives what an action does.
        count: How many to give, at least the one that was taken.
    """
    legal = np.isfinite(choice.log_policy)
    parts = _parts(choice)
    beside = {name: value - value[legal].mean() for name, value in parts.items()}
    order = [int(action) for action in np.argsort(-choice.log_policy, kind="stable") if legal[action]]
    chosen = [choice.action, *(action for action in order if action != choice.action)][: max(1, count)]
    return [
        _reason(
            meaning(action),
            float(np.exp(choice.log_policy[action])),
            {name: float(value[action]) for name, value in beside.items()},
        )
        for action in chosen
    ]


def _reason(gesture: Gesture, chance: float, parts: dict[str, float]) -> Reason:
    """Return a reason in terms of what is done."""
    chord = None if gesture.chord is None else chord_from_index(gesture.chord)
    return Reason(
        does=gesture.kind.name.lower(),
        note=gesture.notes[-1] if gesture.notes else None,
        chance=chance,
        parts=parts,
        chord=None if chord is None else chord.name,
        notes=() if chord is None else gesture.notes,
    )


def _parts(choice: Choice) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Return what each part adds to each action's value, (actions,)."""
    mix = choice.mix
    if len(choice.q_values) > 1:
        parts = dict(zip(COMPONENTS, mix.weights[:, None] * choice.q_values, strict=True))
    else:
        parts = {"reward": choice.q_values[0]}
    parts["prior"] = np.float32(mix.prior_weight) * choice.log_prior
    if mix.preference is not None:
        parts["preference"] = mix.preference
    return parts
