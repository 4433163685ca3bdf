"""The acceptance test that weights learned during a jam must pass before they are used.

The test plays held-out pieces with the learned weights and compares them with the original model. The reward may fall
by at most LOSS_MAX. The figures must stay in their human bands as far as the model's did. The policy may drift by at
most DRIFT_MAX. The test also plays with the latest music of this player: the reward there must be higher than with
the weights in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.policy import draw, select_action
from improviser.evaluation.estimate import estimate_column
from improviser.evaluation.metrics import figures
from improviser.evaluation.report import BANDS, HUMAN, EvaluationTable
from improviser.evaluation.rollouts import perform, perform_human
from improviser.training.env import Game
from improviser.training.features import player_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import FloatArray, Policy
    from improviser.evaluation.baselines import Conditions
    from improviser.evaluation.estimate import Column
    from improviser.evaluation.rollouts import Rollout
    from improviser.listening.observation import Rows
    from improviser.training.features import PlayerTable
    from improviser.training.grid import Part

# Maximum loss of held-out reward, as a share, and maximum drift of a policy, in nats.
LOSS_MAX: Final = 0.03
DRIFT_MAX: Final = 0.3
# Number of observations on which drift is measured.
MOMENTS: Final = 256
OURS: Final = "ours"
# At temperature 0 the divergence from any other policy would be infinite.
_COLDEST: Final = 0.05
# Smallest reward that shares refer to; it avoids a division by zero.
_LEAST_REWARD: Final = 1e-3


@dataclass(frozen=True, slots=True)
class AcceptanceResult:
    """Result of an acceptance test.

    Attributes:
        fault: What the weights would spoil; empty if nothing.
        kept: Held-out reward as a share of the model's.
        gain: Relative gain of the reward with this player over the policy in use.
        drift: Mean divergence from the model, in nats.
    """

    fault: str
    kept: float
    gain: float
    drift: float

    @property
    def accepted(self) -> bool:
        """Whether the weights are used: they have no fault, and they are better with this player."""
        return not self.fault and self.gain > 0

    @property
    def words(self) -> str:
        """The result as text."""
        if self.fault:
            return self.fault
        return f"{self.gain:+.1%} with you" + ("" if self.accepted else ", no gain yet")


class AcceptanceTest:
    """Measures the model once, and tests other policies against it.

    Threads: belongs to one thread; a test takes about a second.
    """

    def __init__(
        self,
        model: Policy,
        held_out: Sequence[Part],
        people: Sequence[Part],
        conditions: Conditions,
        seed: int,
        drift_max: float = DRIFT_MAX,
    ) -> None:
        """Play the held-out pieces with the model.

        Args:
            model: The policy before the learning.
            held_out: Parts of players to play with.
            people: Parts whose human partners give the reference figures.
            conditions: Conditions of the play.
            seed: Random seed.
            drift_max: The largest drift of a policy, in nats.
        """
        self._drift_max = drift_max
        self._parts, self._table = held_out, player_table(held_out)
        self._conditions, self._seed = conditions, seed
        human = perform_human(people, player_table(people), conditions)
        self._human = _column(human, seed)
        self._model = _column(self._play(model), seed)
        self._moments, self._legal = self._look(model)
        self._chances = self._policies(model)

    def judge(self, policy: Policy, playing: Policy, player: Sequence[Part], stands: Conditions) -> AcceptanceResult:
        """Test a policy.

        Args:
            policy: The learned policy.
            playing: The policy in use.
            player: What this player has played lately.
            stands: Conditions of the play with this player, with the present positions of the knobs. The held-out
                pieces are played under the conditions of the model.
        """
        if not all(np.isfinite(weight).all() for weight in policy.upper_layers.values()):
            return AcceptanceResult("its weights are no longer finite numbers", 0.0, 0.0, 0.0)
        drift = self._drift(policy)
        ours = _column(self._play(policy), self._seed)
        was = self._model["reward"].mean
        kept = 1 + (ours["reward"].mean - was) / max(abs(was), _LEAST_REWARD)
        gain = self._gain(policy, playing, player, stands)
        return AcceptanceResult(self._fault(ours, kept, drift), kept, gain, drift)

    def _fault(self, ours: Column, kept: float, drift: float) -> str:
        """Return the first fault, or an empty text."""
        # The conditions are negated so that they also catch NaN.
        if not drift <= self._drift_max:
            return f"it drifts too far from before: {drift:.2f} nats"
        if not kept >= 1 - LOSS_MAX:
            return f"it loses {1 - kept:.0%} of the held-out reward"
        lost = self._lost_band(ours)
        return f"{lost} leaves its band" if lost else ""

    def _lost_band(self, ours: Column) -> str:
        """Return the first figure outside its band and outside the model's own interval, or an empty text."""
        table = EvaluationTable(OURS, {HUMAN: self._human, OURS: ours})
        for figure in BANDS:
            verdict = table.verdict(figure)
            if verdict is None or verdict.is_kept is not False:
                continue
            before, now = self._model[figure], ours[figure].mean
            low, high = min(verdict.low, before.low), max(verdict.high, before.high)
            if not low <= now <= high:
                return figure
        return ""

    def _gain(self, policy: Policy, playing: Policy, player: Sequence[Part], stands: Conditions) -> float:
        """Return the relative gain of a policy's reward with a player over the policy in use."""
        if not player:
            return 0.0
        table = player_table(player)
        new, old = (self._reward(one, player, table, stands) for one in (policy, playing))
        return (new - old) / max(abs(old), _LEAST_REWARD)

    def _reward(self, policy: Policy, player: Sequence[Part], table: PlayerTable, stands: Conditions) -> float:
        """Return a policy's mean reward with a player, always with the same random seed."""
        rng = np.random.default_rng(self._seed)
        takes = perform(policy, player, table, stands, rng)
        return float(np.mean([take.rewards["reward"] for take in takes]))

    def _play(self, policy: Policy) -> list[Rollout]:
        """Play the held-out pieces with a policy, always with the same random seed."""
        rng = np.random.default_rng(self._seed)
        return perform(policy, self._parts, self._table, self._conditions, rng)

    def _look(self, model: Policy) -> tuple[Rows, FloatArray]:
        """Return observations of the model in play, (moments, columns), and the legal actions, (moments, actions)."""
        role = self._parts[0].role
        mix, rng = self._conditions.knobs.to_mix(role.action_count), np.random.default_rng(self._seed)
        game = Game(self._parts, self._table, 1, rng)
        observations, legal = [], []
        for index in np.linspace(0, len(self._parts) - 1, MOMENTS // 64).round().astype(int):
            game.play_whole(int(index))
            for _ in range(min(64, game.episode_steps)):
                observations.append(game.observation[0].copy())
                legal.append(game.legal[0].copy())
                choice = select_action(model.values(game.observation[0]), game.legal[0], rng, mix)
                game.step(np.array([choice.action]))
        return np.stack(observations), np.stack(legal).astype(np.float32)

    def _policies(self, policy: Policy) -> FloatArray:
        """Return the log-probabilities of a policy's actions, (moments, actions)."""
        mix = self._conditions.knobs.to_mix(policy.config.actions)
        mix = replace(mix, temperature=max(mix.temperature, _COLDEST))
        rng = np.random.default_rng(self._seed)
        rows = [
            draw(mix.value(policy.values(seen)), legal > 0, mix.temperature, rng)[0]
            for seen, legal in zip(self._moments, self._legal, strict=True)
        ]
        return np.stack(rows)

    def _drift(self, policy: Policy) -> float:
        """Return the mean divergence, KL(policy || model), in nats."""
        log_new, log_old = self._policies(policy), self._chances
        legal = self._legal > 0
        terms = np.exp(log_new[legal]) * (log_new[legal] - log_old[legal])
        return float(terms.sum() / len(legal))


def _column(takes: Sequence[Rollout], seed: int) -> Column:
    """Return the figures of rollouts."""
    return estimate_column([figures(take.performance, frozenset()) | take.rewards for take in takes], seed)
