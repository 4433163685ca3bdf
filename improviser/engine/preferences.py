"""The player's preferences: the decisions of the last seconds, and what is learned from feedback."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.preference import REACTION_S, WINDOW_S, Preference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from improviser.agent.policy import Choice
    from improviser.agent.preference import Floats
    from improviser.engine.preference_features import FloatArray, PreferenceFeatures, Rows

# Decisions are processed in batches of BATCH when there is time; once BACKLOG wait, in any case.
BATCH, BACKLOG = 16, 64
# Steps of the longest feedback window at the fastest tempo and grid.
_KEPT: Final = 128
# After how many steps the expected features are updated.
_LOOK_EVERY: Final = 4
# A lower temperature or a lower probability counts as this one.
_COLDEST, _RAREST = 1e-3, 1e-6


@dataclass(frozen=True, slots=True)
class _Heard:
    """When a decision was heard, its features and which apply, and the values to be expected of both."""

    at_s: float
    traits: FloatArray
    applies: FloatArray
    usual: FloatArray
    usually: FloatArray


class Preferences:
    """The preference features of a role, and the player's preference for each.

    Attributes:
        traits: The features that the player may like or dislike.
    """

    def __init__(self, traits: PreferenceFeatures, known: Mapping[str, float]) -> None:
        """Start with known preferences: weights by the names of features; other names are ignored."""
        self.traits = traits
        self._preference = Preference(traits.worth)
        # For each new decision: when it is heard, the observation, (columns,), and the choice.
        self._new: list[tuple[float, Rows, Choice]] = []
        self.restore(known)
        self._heard: deque[_Heard] = deque(maxlen=_KEPT)
        self._count = 0
        self._onset = traits.names.index("onset")
        self._of_all = np.isin(traits.names, ("onset", "rest"))

    @property
    def weights(self) -> FloatArray:
        """The weight of each feature, (features,)."""
        return self._preference.weights

    def bias(self, by_knob: FloatArray | None) -> FloatArray | None:
        """Return the weights, plus what a knob adds to them; None if all are 0."""
        if by_knob is not None:
            return self.weights + by_knob
        return self.weights if self.weights.any() else None

    @property
    def words(self) -> str:
        """The preferences in words."""
        return self.traits.describe(self.weights)

    @property
    def last(self) -> FloatArray:
        """The features of the last decision, (features,)."""
        self._settle_all()
        return self._heard[-1].traits

    def to_dict(self) -> dict[str, float]:
        """Return the weights by the names of the features."""
        return self.traits.to_dict(self.weights)

    def remember(self, at_s: float, observation: Rows, choice: Choice) -> None:
        """Record a decision that is heard at `at_s`, with its observation, (columns,)."""
        self._new.append((at_s, observation, choice))

    def mend(self, observation: Rows, choice: Choice) -> None:
        """Record that another choice took the place of the last one, unless feedback has already been given to that."""
        if self._new:
            self._new[-1] = self._new[-1][0], observation, choice

    def settle(self, least: int = BATCH) -> None:
        """Process the recorded decisions if at least `least` are waiting, except the last, which may still be mended.

        Methods that depend on the result call `_settle_all` themselves. It takes time, but less for each decision in a
        batch. So it can wait for `BATCH` decisions as long as there is no feedback.
        """
        if len(self._new) > least:
            last = self._new.pop()
            self._settle_all()
            self._new = [last]

    def _settle_all(self) -> None:
        """Process all recorded decisions."""
        if not self._new:
            return
        moments, observations, choices = zip(*self._new, strict=True)
        self._new.clear()
        traits = self.traits.of(np.stack(observations))
        usual, usually = self._usual(traits, choices)
        done = traits[np.arange(len(choices)), [choice.action for choice in choices]]
        applies = np.where(self._of_all | (done[:, [self._onset]] > 0), 1.0, 0.0).astype(np.float32)
        for heard in map(_Heard, moments, done, applies, usual, usually):
            self._heard.append(heard)
            self._count += 1
            if self._count % _LOOK_EVERY == 0:
                # Record the window as for feedback at this moment, so that real feedback is compared with the same.
                self._preference.pass_by(*self._window(heard.at_s + REACTION_S))

    def judge(self, at_s: float, *, liked: bool) -> bool:
        """Learn from feedback at `at_s`; return whether anything was played that it can mean."""
        self._settle_all()
        age_s, traits, applies, _, _ = self._window(at_s)
        return self._preference.judge(liked=liked, age_s=age_s, traits=traits, applies=applies)

    def _usual(self, traits: FloatArray, choices: Sequence[Choice]) -> tuple[FloatArray, FloatArray]:
        """Return the features expected without preferences, and how often each applies, (n, features)."""
        heat = np.array([max(choice.mix.temperature, _COLDEST) for choice in choices], dtype=np.float32)
        log_policy = np.stack([choice.log_policy for choice in choices])
        log_usual = log_policy - traits @ self.weights / heat[:, None]
        chance = np.exp(log_usual - log_usual.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        expected = np.einsum("na,nat->nt", chance, traits)
        usually = np.where(self._of_all, 1.0, expected[:, [self._onset]]).astype(np.float32)
        return expected / np.maximum(usually, _RAREST), usually

    def _window(self, at_s: float) -> tuple[list[float], Floats, Floats, Floats, Floats]:
        """Return the decisions that feedback at `at_s` can mean: ages, and the arrays of `_Heard`, (n, features)."""
        recent = [one for one in self._heard if at_s - WINDOW_S < one.at_s <= at_s]
        shape = len(recent), len(self.traits.names)
        rows = [(one.traits, one.applies, one.usual, one.usually) for one in recent]
        columns = zip(*rows, strict=True) if rows else [()] * 4
        traits, applies, usual, usually = (np.array(column, dtype=np.float64).reshape(shape) for column in columns)
        return [at_s - one.at_s for one in recent], traits, applies, usual, usually

    def restore(self, known: Mapping[str, float]) -> None:
        """Start again from preferences that were learned earlier, by the names of features."""
        self._settle_all()
        self._preference.restore(np.array([known.get(name, 0.0) for name in self.traits.names], dtype=np.float32))

    def undo(self, *, everything: bool) -> bool:
        """Undo the last feedback, or all of it; return whether there was any."""
        self._settle_all()
        return self._preference.undo(everything=everything)
