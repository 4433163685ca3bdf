"""Evaluation: the improviser and the baselines play held-out pieces; their figures are set side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.adaptation import Adaptation, PieceAdaptation, adapt_to, joined
from improviser.evaluation.baselines import Conditions, PriorOnly
from improviser.evaluation.estimate import Column, estimate_column
from improviser.evaluation.evenly import evenly
from improviser.evaluation.likeness import Likeness, likeness
from improviser.evaluation.metrics import Phrases, figures
from improviser.evaluation.report import GREEDY, HUMAN, PRIOR, RANDOM, EvaluationTable
from improviser.evaluation.rollouts import Rollout, perform, perform_greedy, perform_human, perform_random
from improviser.training.features import player_table
from improviser.workers import HERE, Workers

if TYPE_CHECKING:
    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.training.grid import Part

BEATS: Final = 40
# Enough pieces to measure adaptation: each is played seventeen times.
ADAPTATION_PIECES: Final = 12

Report = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated, and how.

    Attributes:
        players: Parts whose players are heard.
        people: Parts whose human partners are the reference.
        conditions: How the actor plays.
        seed: Random seed.
        name: Name of the actor's column.
        beside: Other actors by the names of their columns; they play under the same conditions.
        known: The phrases of the training corpus.
        engine: Engine settings for the measurement of adaptation; None skips it.
    """

    players: Sequence[Part]
    people: Sequence[Part]
    conditions: Conditions
    seed: int
    name: str
    beside: Mapping[str, Actor] = field(default_factory=dict)
    known: Phrases = frozenset()
    engine: EngineSettings | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of an evaluation.

    Attributes:
        table: The figures.
        takes: The rollouts, by column.
        likenesses: How much the distribution of each column overlaps with that of people, by column.
        adaptations: How each column adapted to changes, by column.
    """

    table: EvaluationTable
    takes: Mapping[str, Sequence[Rollout]]
    likenesses: Mapping[str, Likeness]
    adaptations: Mapping[str, Adaptation]


def evaluate(actor: Actor, plan: Plan, report: Report, workers: Workers = HERE) -> Evaluation:
    """Measure the human reference, the baselines, the actor and other actors.

    Args:
        actor: The policy to measure; its prior is the third column.
        plan: What to evaluate, and how.
        report: Called with the amount done and the total.
        workers: Where the adaptation is measured.
    """
    actors = {PRIOR: PriorOnly(actor), plan.name: actor, **plan.beside}
    played = len(actors) + 3  # the actors, the human reference, the random notes and the greedy policy
    total = played + (len(actors) if plan.engine is not None else 0)
    takes = _play_all(actors, plan, lambda done: report(done, total))
    likenesses = {name: _likeness(takes, name) for name in takes}
    adaptations = _adapt_all(actors, plan, workers, lambda done: report(played + done, total))
    columns = {
        name: _column(own, plan)
        | likenesses[name].column(plan.seed)
        | (adaptations[name].column(plan.seed) if name in adaptations else {})
        for name, own in takes.items()
    }
    return Evaluation(EvaluationTable(plan.name, columns), takes, likenesses, adaptations)


def spread(parts: Sequence[Part], count: int) -> list[Part]:
    """Return about `count` of the parts that have BEATS beats, evenly spread, each cut to these beats."""
    long_enough = [part for part in parts if len(part.player) >= BEATS * part.steps_per_beat]
    return [part.cut(BEATS * part.steps_per_beat) for part in evenly(long_enough, count)]


def _play_all(actors: Mapping[str, Actor], plan: Plan, report: Callable[[int], None]) -> dict[str, list[Rollout]]:
    """Play all pieces with all actors; return the rollouts by column, in the order of the table."""
    players, table, conditions = plan.players, player_table(plan.players), plan.conditions

    def rng() -> np.random.Generator:
        """Return a new generator, so that each column uses the same random numbers."""
        return np.random.default_rng(plan.seed)

    def acted(name: str) -> Callable[[], list[Rollout]]:
        """Return a function that plays all pieces with one actor."""
        own = conditions.plain() if name == PRIOR else conditions
        return lambda: perform(actors[name], players, table, own, rng())

    columns: dict[str, Callable[[], list[Rollout]]] = {
        HUMAN: lambda: perform_human(plan.people, player_table(plan.people), conditions),
        RANDOM: lambda: perform_random(players, table, conditions, rng()),
        PRIOR: acted(PRIOR),
        GREEDY: lambda: perform_greedy(players, table, conditions, rng()),
        **{name: acted(name) for name in actors if name != PRIOR},
    }
    takes = {}
    for done, (name, play) in enumerate(columns.items(), 1):
        takes[name] = play()
        report(done)
    return takes


def _column(takes: Sequence[Rollout], plan: Plan) -> Column:
    """Return the means over pieces of the figures that are counted for each piece."""
    results = [figures(take.performance, plan.known) | take.rewards for take in takes]
    return estimate_column(results, plan.seed)


def _likeness(takes: Mapping[str, Sequence[Rollout]], name: str) -> Likeness:
    """Return a column's overlap with people; for people, the overlap of one half of the pieces with the other."""
    ours, people = ([take.performance for take in takes[column]] for column in (name, HUMAN))
    return likeness(people[::2], people[1::2]) if name == HUMAN else likeness(ours, people)


def _adapt_all(
    actors: Mapping[str, Actor], plan: Plan, workers: Workers, report: Callable[[float], None]
) -> dict[str, Adaptation]:
    """Measure how the actors adapt to changes in some pieces; the prior samples from its own probabilities."""
    if plan.engine is None:
        return {}
    pieces = evenly(plan.players, ADAPTATION_PIECES)
    settings = {
        name: replace(plan.engine, **asdict((plan.conditions.plain() if name == PRIOR else plan.conditions).knobs))
        for name in actors
    }
    specs = [(name, number) for name in actors for number in range(len(pieces))]
    shared = _Adapting(actors, settings, pieces, plan.seed)
    found = workers.all(_adapt_one, shared, specs, lambda done: report(done / len(pieces)))
    by_actor = {name: [one for (its, _), one in zip(specs, found, strict=True) if its == name] for name in actors}
    return {name: joined(own) for name, own in by_actor.items()}


@dataclass(frozen=True, slots=True)
class _Adapting:
    """What is measured: each actor with its settings beside some pieces."""

    actors: Mapping[str, Actor]
    settings: Mapping[str, EngineSettings]
    pieces: Sequence[Part]
    seed: int


def _adapt_one(shared: _Adapting, spec: tuple[str, int]) -> PieceAdaptation:
    """Return how an actor adapts beside a piece, by their name and number."""
    name, number = spec
    seed = [shared.seed, number + 1]
    return adapt_to(shared.actors[name], shared.settings[name], shared.pieces[number], seed)
