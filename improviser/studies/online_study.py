"""What learning on stage gives beside a stranger, and what it would do to the rest without its guards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.evaluate import evaluate
from improviser.evaluation.rollouts import perform
from improviser.studies.preference_run import PreferenceSession
from improviser.studies.strangers import strange_part
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

# The stranger's held-out pieces, by seeds that no lesson has.
PIECES, PIECE_BEATS, PIECES_FROM = 16, 64, 10_000
FROZEN, LEARNED, LATER, UNGUARDED = "frozen", "learned", "learned to the end", "without guards"
# As many updates as the musician's table is asked for after.
UPDATES: Final = 1_000


@dataclass(frozen=True, slots=True)
class OnlineVariant:
    """What became of a model beside a stranger.

    Attributes:
        seed: Of all that was drawn.
        updates: How many were taken.
        sets: How many sets of weights were offered, and how many were adopted.
        early: What was played by after UPDATES.
        late: What was played by in the end.
    """

    seed: int
    updates: int
    sets: tuple[int, int]
    early: Policy
    late: Policy


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean rewards a step after lessons.

    Attributes:
        seed: Of the lessons.
        sets: How many sets of weights were offered, and how many were adopted.
        beside: By frozen and learned, beside held-out pieces of the same stranger.
        elsewhere: The same on held-out pieces of the corpus.
    """

    seed: int
    sets: tuple[int, int]
    beside: tuple[float, float]
    elsewhere: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OnlineStudy:
    """A model, its stranger, and what it is measured on.

    Attributes:
        model: As it was trained.
        settings: How the engine plays.
        game: Style, grid, register and role.
        kind: One of STRANGERS.
        plan: Of the musician's table: pieces of the corpus that nothing was learned or judged on.
        make: Gives an trainer by its seed, with guards or without.
    """

    model: Policy
    settings: EngineSettings
    game: GameSettings
    kind: str
    plan: Plan
    make: Callable[[int, bool], OnlineTrainer]

    def lessons(
        self, seed: int, minutes: float, report: Callable[[float], None], *, guarded: bool = True
    ) -> OnlineVariant:
        """Play and learn beside an out-of-distribution player for some minutes; `report` gets the share done."""
        trainer = self.make(seed, guarded)
        settings = self.settings
        steps = round(minutes * settings.tempo_bpm * settings.steps_per_beat)
        beats = -(-steps // settings.steps_per_beat)
        part = strange_part(self.kind, self.game, beats, np.random.default_rng([seed, 5]))
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

    def gain(self, lessons: OnlineVariant) -> Gain:
        """Measure what lessons gave."""
        rng = np.random.default_rng([PIECES_FROM + lessons.seed, 5])
        strange = [strange_part(self.kind, self.game, PIECE_BEATS, rng) for _ in range(PIECES)]
        both = self.model, lessons.late
        beside, elsewhere = (
            tuple(self._reward(policy, parts) for policy in both) for parts in (strange, self.plan.players)
        )
        return Gain(lessons.seed, lessons.sets, (beside[0], beside[1]), (elsewhere[0], elsewhere[1]))

    def table(
        self, guarded: OnlineVariant, unguarded: OnlineVariant, report: Callable[[float, float], None]
    ) -> EvaluationTable:
        """Return the musician's table after UPDATES, with guards and without, and after all with guards."""
        beside = {FROZEN: self.model, LATER: guarded.late, UNGUARDED: unguarded.early}
        return evaluate(guarded.early, replace(self.plan, name=LEARNED, beside=beside), report).table

    def _reward(self, policy: Policy, parts: Sequence[Part]) -> float:
        """Return the mean reward of a step beside parts."""
        rng = np.random.default_rng(7)
        takes = perform(policy, parts, player_table(parts), self.plan.conditions, rng)
        return float(np.mean([take.rewards["reward"] for take in takes]))
