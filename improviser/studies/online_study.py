"""The effect of online training beside an out-of-distribution player, with and without acceptance tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.evaluate import evaluate
from improviser.evaluation.rollouts import perform
from improviser.studies.out_of_distribution import out_of_distribution_part
from improviser.studies.preference_run import PreferenceSession
from improviser.training.features import player_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.agent.policy import Policy
    from improviser.engine import EngineSettings
    from improviser.evaluation.evaluate import Plan
    from improviser.evaluation.report import EvaluationTable
    from improviser.online.trainer import OnlineTrainer
    from improviser.training.grid import Part
    from improviser.training.material import GameSettings

# The held-out pieces of the out-of-distribution player; their seeds differ from those of every training session.
PIECES, PIECE_BEATS, PIECES_FROM = 16, 64, 10_000
FROZEN, LEARNED, LATER, UNGUARDED = "frozen", "learned", "learned to the end", "without guards"
# The number of updates after which the study compares the policies in a table.
UPDATES: Final = 1_000


@dataclass(frozen=True, slots=True)
class OnlineVariant:
    """The result of online training beside an out-of-distribution player.

    Attributes:
        seed: Seed of everything drawn.
        updates: Number of updates made.
        sets: Number of weight sets that were offered, and number that were adopted.
        early: The policy in use after UPDATES updates.
        late: The policy in use at the end.
    """

    seed: int
    updates: int
    sets: tuple[int, int]
    early: Policy
    late: Policy


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean rewards per step after online training.

    Attributes:
        seed: Seed of the training session.
        sets: Number of weight sets that were offered, and number that were adopted.
        beside: Rewards of the frozen and the learned policy beside held-out pieces of the same player.
        elsewhere: Rewards of the frozen and the learned policy on held-out pieces of the corpus.
    """

    seed: int
    sets: tuple[int, int]
    beside: tuple[float, float]
    elsewhere: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OnlineStudy:
    """A model, its out-of-distribution player, and the pieces that it is measured on.

    Attributes:
        model: The model as trained offline.
        settings: How the engine plays.
        game: Style, grid, register and role.
        kind: One of OUT_OF_DISTRIBUTION_PLAYERS.
        plan: Plan of the table: pieces of the corpus that were used neither for learning nor for acceptance tests.
        make: Returns an online trainer for a seed, with acceptance tests or without.
    """

    model: Policy
    settings: EngineSettings
    game: GameSettings
    kind: str
    plan: Plan
    make: Callable[[int, bool], OnlineTrainer]

    def train(
        self, seed: int, minutes: float, report: Callable[[float], None], *, guarded: bool = True
    ) -> OnlineVariant:
        """Play and learn beside an out-of-distribution player for some minutes; `report` gets the share done."""
        trainer = self.make(seed, guarded)
        settings = self.settings
        steps = round(minutes * settings.tempo_bpm * settings.steps_per_beat)
        beats = -(-steps // settings.steps_per_beat)
        part = out_of_distribution_part(self.kind, self.game, beats, np.random.default_rng([seed, 5]))
        session = PreferenceSession(self.model, settings, part, seed)
        playing = early = self.model
        waiting: Policy | None = None
        offered = adopted = 0
        for step in range(steps):
            session.play()
            offer = trainer.step(session.engine)
            if offer is not None:
                offered += 1
                waiting = offer.policy if offer.verdict.accepted else None
            if waiting is not None and session.engine.is_between_bars():
                adopted += 1
                playing, waiting = waiting, None
                session.engine.adopt(playing)
                trainer.adopt(playing)
            if trainer.learner.updates <= UPDATES:
                early = playing
            report((step + 1) / steps)
        return OnlineVariant(seed, trainer.learner.updates, (offered, adopted), early, playing)

    def gain(self, variant: OnlineVariant) -> Gain:
        """Measure the rewards before and after online training."""
        rng = np.random.default_rng([PIECES_FROM + variant.seed, 5])
        strange = [out_of_distribution_part(self.kind, self.game, PIECE_BEATS, rng) for _ in range(PIECES)]
        both = self.model, variant.late
        beside, elsewhere = (
            tuple(self._reward(policy, parts) for policy in both) for parts in (strange, self.plan.players)
        )
        return Gain(variant.seed, variant.sets, (beside[0], beside[1]), (elsewhere[0], elsewhere[1]))

    def table(
        self, guarded: OnlineVariant, unguarded: OnlineVariant, report: Callable[[float, float], None]
    ) -> EvaluationTable:
        """Return the table of the frozen policy and the learned ones: early, late, and without acceptance tests."""
        beside = {FROZEN: self.model, LATER: guarded.late, UNGUARDED: unguarded.early}
        return evaluate(guarded.early, replace(self.plan, name=LEARNED, beside=beside), report).table

    def _reward(self, policy: Policy, parts: Sequence[Part]) -> float:
        """Return the mean reward per step beside these parts."""
        rng = np.random.default_rng(7)
        takes = perform(policy, parts, player_table(parts), self.plan.conditions, rng)
        return float(np.mean([take.rewards["reward"] for take in takes]))
