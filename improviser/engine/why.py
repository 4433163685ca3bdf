"""Explains a decision: the numbers behind it, for the action taken and for the likeliest others."""

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
    """The numbers behind an action, in units of the reward, relative to the mean of all legal actions.

    Attributes:
        does: "hold", "rest" or "onset".
        note: The note of an onset, the top one of a chord, 0-127; None without an onset.
        chord: Name of the chord of an onset; None if it is a single note.
        notes: All notes of that chord, lowest first.
        chance: The probability of the action, 0-1.
        parts: What each part added: harmony, coherence and creativity with their weights (or "reward", if the
            model does not separate them), the prior with its weight, and the preference.
    """

    does: str
    note: int | None
    chance: float
    parts: dict[str, float]
    chord: str | None = None
    notes: tuple[int, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the reason as a flat dictionary of plain values; chord and notes only if a chord is struck."""
        values: dict[str, object] = {"does": self.does, "note": self.note, "chance": self.chance}
        if self.chord is not None:
            values |= {"chord": self.chord, "notes": list(self.notes)}
        return values | self.parts


def reasons(choice: Choice, meaning: Callable[[int], Gesture], count: int = 3) -> list[Reason]:
    """Return the reasons for the action that was taken, then for the likeliest other legal actions.

    Args:
        choice: The decision.
        meaning: Returns the gesture of an action.
        count: Number of reasons; there is always at least one, for the action taken.
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
    """Return the reason for the action that makes this gesture."""
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
