"""The training environment: a corpus voice plays, the improviser answers step by step, each step is rewarded.

`Game` runs many environments in parallel for training; each is called a lane. `ImproviserEnv` is one of them as a
Gymnasium environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt

from improviser.agent.config import Group, NetworkConfig
from improviser.engine.role import MELODY
from improviser.listening.line import SILENT, Line
from improviser.listening.observation import PLAYER_BLOCK, Rows
from improviser.playing.actions import HOLD_ACTION, REST_ACTION
from improviser.training.follower import Followers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from improviser.engine.role import Role
    from improviser.training.features import PlayerTable
    from improviser.training.grid import Part

EPISODE_BEATS: Final = 32

FloatArray = npt.NDArray[np.float32]


def network_config(role: Role) -> NetworkConfig:
    """Return the shape of a network with one head that plays `role`."""
    return NetworkConfig(tuple(Group(*group) for group in role.groups), role.action_count)


NETWORK: Final = network_config(MELODY)


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """The weight of each reward component, 0-2."""

    harmony: float = 1.0
    coherence: float = 1.0
    creativity: float = 1.0

    def to_array(self) -> FloatArray:
        """Return the weights, (components,)."""
        return np.array([self.harmony, self.coherence, self.creativity], dtype=np.float32)

    def term_weights(self, role: Role) -> FloatArray:
        """Return the weight of each term of the role's rewards in the summed reward, (terms,)."""
        return role.rewards.component_weights() @ self.to_array()


def playable(parts: Iterable[Part]) -> list[Part]:
    """Return the parts that are long enough for an episode."""
    return [part for part in parts if len(part.player) >= EPISODE_BEATS * part.steps_per_beat]


class Game:
    """Parallel environments with one player and one improviser each; all begin and end together.

    Attributes:
        observation: (lanes, columns) uint8, for the step to be decided. Overwritten by the next step.
        terms: (lanes, terms) float32, the reward's terms of the last step.
        place: The position in the music of the step to be decided.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        table: PlayerTable,
        lanes: int,
        rng: np.random.Generator,
        following: float = 0.0,
    ) -> None:
        """Prepare the environments; call `reset` or `play_whole` to begin an episode.

        Args:
            parts: The parts whose players are played with.
            table: The features of these players.
            lanes: Number of parallel environments.
            rng: Draws the parts, and the random behaviour of the players.
            following: Share of episodes in which the players sometimes repeat the improviser's tune. Ignored for a role
                that plays no tune.
        """
        self._parts, self._heard, self._rng = parts, table, rng
        self._lanes = lanes
        self._role = table.role
        self._following = following if self._role.is_tune else 0.0
        self._weights = self._role.rewards.component_weights()
        self.observation: Rows = np.zeros((lanes, self._role.columns), dtype=np.uint8)
        self.terms = np.zeros((lanes, len(self._role.rewards.terms)), dtype=np.float32)
        self._legal = np.ones((lanes, self._role.action_count), dtype=np.bool_)

    @property
    def legal(self) -> npt.NDArray[np.bool_]:
        """Which actions are legal, (lanes, actions): hold is legal only while a note sounds."""
        self._legal[:, HOLD_ACTION] = self._own.note != SILENT
        return self._legal

    @property
    def episode_steps(self) -> int:
        """The number of steps in the current episode."""
        return self._length

    def reset(self) -> Rows:
        """Begin an episode of EPISODE_BEATS at a random bar of random parts, and return the observations."""
        chosen = self._rng.integers(len(self._parts), size=self._lanes)
        parts = [self._parts[index] for index in chosen]
        bar = np.array([part.bar_steps for part in parts])
        self._length: int = EPISODE_BEATS * parts[0].steps_per_beat
        offset = self._rng.integers((self._heard.steps[chosen] - self._length) // bar + 1) * bar
        return self._begin(parts, chosen, offset, follows=self._rng.random() < self._following)

    def play_whole(self, index: int) -> Rows:
        """Begin an episode that is all of part number `index`, in every lane; return the observations."""
        self._length = int(self._heard.steps[index])
        chosen = np.full(self._lanes, index)
        return self._begin([self._parts[index]] * self._lanes, chosen, np.zeros_like(chosen))

    def _begin(
        self,
        parts: list[Part],
        chosen: npt.NDArray[np.int64],
        offset: npt.NDArray[np.int64],
        *,
        follows: bool = False,
    ) -> Rows:
        """Place each lane at a step of its part, with the improviser's line empty; return the observations."""
        steps = (
            np.array([part.steps_per_beat for part in parts]),
            np.array([part.bar_steps for part in parts]),
        )
        self._own = Line(*steps)
        start = self._heard.start[chosen]
        self._table = self._heard
        self._followers: Followers | None = None
        self._row, self._last_row = start + offset, start + self._heard.steps[chosen] - 1
        self._step = 0
        if follows:
            self._follow(parts, offset)
        self._observe()
        return self.observation

    def _follow(self, parts: list[Part], offset: npt.NDArray[np.int64]) -> None:
        """Set up players for this episode that listen to the improviser."""
        places = self._heard.places[self._row + np.arange(self._length)[:, None]]
        self._followers = Followers(parts, places, offset, self._rng)
        self._followers.advance(self._own)
        self._table, self._row = self._followers.table, np.arange(self._lanes)
        self._last_row = self._row

    def step(self, actions: npt.NDArray[np.int64]) -> tuple[Rows, FloatArray, bool]:
        """Play one action in each lane, (lanes,).

        Returns:
            The next observations, the rewards by component, (lanes, components), and whether the episode is over. The
            piece continues without the improviser, so an episode is truncated, never terminated. The next observations
            still count.
        """
        self._own.push(self._role.events(actions, self.place))
        self.terms = self._role.rewards.judge(self._table.scene(self._own, self._row, self.place))
        self._step += 1
        over = self._step >= self._length
        self._row = np.minimum(self._row + 1, self._last_row)
        if self._followers is not None:
            self._followers.advance(self._own)
        self._observe()
        return self.observation, self.terms @ self._weights, over

    def _observe(self) -> None:
        """Write the observations of the step to be decided."""
        self.observation[:, PLAYER_BLOCK] = self._table.observation[self._row]
        self.place = self._table.place(self._row)
        self._role.encode_own(self._own, self._table.seen[self._row], self.place, self.observation)


class ImproviserEnv(gymnasium.Env[npt.NDArray[np.uint8], np.int64]):
    """One environment of `Game`, as a Gymnasium environment.

    Observation: the role's row, uint8; a melody's row is described in `listening.observation`. Action: an index of the
    role's actions; a hold while nothing sounds counts as a rest. Reward: the weighted sum of the components. `info`
    holds the terms by name and the legal actions.
    """

    def __init__(self, parts: Sequence[Part], table: PlayerTable, weights: RewardWeights | None = None) -> None:
        """Play against the players of `parts`, whose features are in `table`."""
        self._parts, self._table = parts, table
        self._weights = (weights or RewardWeights()).to_array()
        values = np.concatenate([np.full(group.columns, group.values) for group in network_config(table.role).groups])
        self.observation_space = gymnasium.spaces.Box(0, (values - 1).astype(np.uint8), dtype=np.uint8)
        self.action_space = gymnasium.spaces.Discrete(table.role.action_count)
        self._game: Game | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """Begin an episode; see gymnasium.Env."""
        super().reset(seed=seed, options=options)
        self._game = Game(self._parts, self._table, 1, self.np_random)
        self._game.reset()
        return self._game.observation[0].copy(), self._info(self._game)

    def step(self, action: np.int64) -> tuple[npt.NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Play one action; see gymnasium.Env."""
        if self._game is None:
            msg = "reset the environment before its first step"
            raise gymnasium.error.ResetNeeded(msg)
        legal = self._game.legal[0, action]
        observation, reward, over = self._game.step(np.array([action if legal else REST_ACTION]))
        return observation[0].copy(), float(reward[0] @ self._weights), False, over, self._info(self._game)

    def _info(self, game: Game) -> dict[str, Any]:
        """Return the terms of the last step and the actions that are legal now."""
        terms = dict(zip(self._table.role.rewards.terms, game.terms[0].tolist(), strict=True))
        return {"terms": terms, "legal": game.legal[0].copy()}
