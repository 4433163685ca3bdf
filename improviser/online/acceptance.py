"""What a set of weights that was learned on stage has to keep, before anybody plays by it.

It plays pieces that are held out, beside the original model: its reward there may hardly fall, the bands of
the musician's table hold as far as they held before, and it may not drift far. And it plays beside what this
player has played: it has to be better there than what is played by now, or nothing was learned.
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

# So much of the reward on what is held out may be lost, as a share; and so far, in nats, a policy may drift.
LOSS_MAX: Final = 0.03
DRIFT_MAX: Final = 0.3
# Moments on which drift is measured.
MOMENTS: Final = 256
OURS: Final = "ours"
# A policy that always does the best would be told from any other by infinity.
_COLDEST: Final = 0.05
# Less than that is no reward to be a share of.
_LEAST_REWARD: Final = 1e-3


@dataclass(frozen=True, slots=True)
class AcceptanceResult:
    """What a set of weights came to.

    Attributes:
        fault: What it would spoil; empty where nothing.
        kept: The reward on what is held out, as a share of the model's.
        gain: The reward beside this player, as a share of what is played by now; less 1.
        drift: The mean divergence from the model, in nats.
    """

    fault: str
    kept: float
    gain: float
    drift: float

    @property
    def accepted(self) -> bool:
        """Whether it is played by: where it spoils nothing, and is better beside this player."""
        return not self.fault and self.gain > 0

    @property
    def words(self) -> str:
        """The same for people."""
        if self.fault:
            return self.fault
        return f"{self.gain:+.1%} with you" + ("" if self.accepted else ", no gain yet")


class AcceptanceTest:
    """Knows how the model plays, and judges others by that.

    Threads: belongs to one thread; a judgement takes about a second.
    """

    def __init__(
        self,
        model: Policy,
        held_out: Sequence[Part],
        people: Sequence[Part],
        conditions: Conditions,
        seed: int,
    ) -> None:
        """Play the model.

        Args:
            model: As it was before.
            held_out: Parts whose players are played with.
            people: Parts whose human partners are the measure.
            conditions: How it is played.
            seed: Of every random choice.
        """
        self._parts, self._table = held_out, player_table(held_out)
        self._conditions, self._seed = conditions, seed
        human = perform_human(people, player_table(people), conditions)
        self._human = _column(human, seed)
        self._model = _column(self._play(model), seed)
        self._moments, self._legal = self._look(model)
        self._chances = self._policies(model)

    def judge(self, policy: Policy, playing: Policy, player: Sequence[Part], stands: Conditions) -> AcceptanceResult:
        """Judge a policy.

        Args:
            policy: What was learned.
            playing: What is played by now.
            player: What this player has played of late.
            stands: How it is played now, as the knobs stand; elsewhere it is played as the model was.
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
        """Report what is wrong; nothing where nothing is."""
        # So put that what is no number is too much, too.
        if not drift <= DRIFT_MAX:
            return f"it drifts too far from before: {drift:.2f} nats"
        if not kept >= 1 - LOSS_MAX:
            return f"it loses {1 - kept:.0%} of the held-out reward"
        lost = self._lost_band(ours)
        return f"{lost} leaves its band" if lost else ""

    def _lost_band(self, ours: Column) -> str:
        """Name the first figure that is outside of its band, and farther than the model's own chance."""
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
        """Return how much more reward a policy has beside a player, as a share."""
        if not player:
            return 0.0
        table = player_table(player)
        new, old = (self._reward(one, player, table, stands) for one in (policy, playing))
        return (new - old) / max(abs(old), _LEAST_REWARD)

    def _reward(self, policy: Policy, player: Sequence[Part], table: PlayerTable, stands: Conditions) -> float:
        """Return a policy's mean reward beside a player, by the same chances each time."""
        rng = np.random.default_rng(self._seed)
        takes = perform(policy, player, table, stands, rng)
        return float(np.mean([take.rewards["reward"] for take in takes]))

    def _play(self, policy: Policy) -> list[Rollout]:
        """Play held-out pieces with a policy, with the same seeds each time."""
        rng = np.random.default_rng(self._seed)
        return perform(policy, self._parts, self._table, self._conditions, rng)

    def _look(self, model: Policy) -> tuple[Rows, FloatArray]:
        """Return what the model sees while it plays, (moments, columns), and what is legal there."""
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
        """Return the log-probabilities, (moments, actions), of what a policy would do."""
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
    """Return the figures of takes."""
    return estimate_column([figures(take.performance, frozenset()) | take.rewards for take in takes], seed)
