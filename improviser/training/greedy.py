"""The policy that is greedy on the reward: it uses the rewards of one step, without any learning.

Each action is tried in a lane of its own; all lanes have the same past. The action whose step has the best reward is
chosen. Unlike a Q-network, this policy does not foresee later steps.
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

# Rewards that differ by less count as equal: they are sums of float32.
ROUNDING: Final = 1e-6


class Greedy:
    """Chooses the actions in one performance of one part, from its first step on."""

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
            table: The features of the players.
            weights: The weight of each reward component.
            rng: Draws among equally good actions.
        """
        part, index = parts
        self._role = part.role
        self._actions = np.arange(self._role.action_count)
        self._table, self._first_row = table, int(table.start[index])
        self._term_weights, self._rng = weights.term_weights(self._role), rng
        grid = (np.full_like(self._actions, steps) for steps in (part.steps_per_beat, part.bar_steps))
        self._own = Line(*grid)

    def __call__(self, game: Game, part: Part, step: int) -> int:
        """Return the legal action whose step has the highest reward; a random one of them on a tie."""
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
        """Return the action with the highest reward, a random one of them on a tie."""
        return int(self._rng.choice(np.flatnonzero(worth >= worth.max() - ROUNDING)))
