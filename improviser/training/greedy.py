"""Greedy on the reward: what the rewards alone make of a step, without any learning.

Each action is tried on a lane of its own, all lanes having the same past; the one whose step is judged best
is taken. What it lacks beside a Q-network is the sight of the steps to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import Line

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.training.env import Game, RewardWeights
    from improviser.training.features import PlayerTable
    from improviser.training.grid import Part

# Rewards that differ by less are equal: they are sums of float32.
ROUNDING: Final = 1e-6


class Greedy:
    """Chooses in one performance of one part, from its first step on."""

    def __init__(
        self,
        parts: tuple[Part, int],
        table: PlayerTable,
        weights: RewardWeights,
        rng: np.random.Generator,
    ) -> None:
        """Begin a part.

        Args:
            parts: The part, and its number in the table.
            table: The players' side.
            weights: How much each component of the reward counts.
            rng: Draws among equals.
        """
        part, index = parts
        self._role = part.role
        self._actions = np.arange(self._role.action_count)
        self._table, self._first_row = table, int(table.start[index])
        self._term_weights, self._rng = weights.term_weights(self._role), rng
        grid = (np.full_like(self._actions, steps) for steps in (part.steps_per_beat, part.bar_steps))
        self._own = Line(*grid)

    def __call__(self, game: Game, part: Part, step: int) -> int:
        """Return the legal action whose step is worth most, any of them where several are."""
        del part
        rows = np.full_like(self._actions, self._first_row + step)
        place = self._table.place(rows)
        events = self._role.events(self._actions, place)
        trial = self._own.copy()
        trial.push(events)
        worth = self._role.rewards.judge(self._table.scene(trial, rows, place)) @ self._term_weights
        action = self._best(np.where(game.legal[0], worth, -np.inf))
        self._own.push(np.full_like(events, events[action]))
        return action

    def _best(self, worth: npt.NDArray[np.float64]) -> int:
        """Return the action that is worth most."""
        return int(self._rng.choice(np.flatnonzero(worth >= worth.max() - ROUNDING)))
