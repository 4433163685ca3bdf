"""What each knob does: it is turned from 0 to 2 on held-out players, all others staying where they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.estimate import Estimate, estimate_column
from improviser.evaluation.metrics import figures
from improviser.evaluation.rollouts import Rollout, perform, perform_human, perform_random
from improviser.training.features import player_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import Actor
    from improviser.evaluation.evaluate import Plan

SETTINGS: Final = (0.0, 0.5, 1.0, 1.5, 2.0)
# What each knob is there to change.
MEASURES: Final[Mapping[str, str]] = {
    "harmony": "strong-beat consonance %",
    "coherence": "coherence",
    "creativity": "creativity",
    "density": "onsets per bar",
    "temperature": "dissonant %",
}
# What they are there to change where it is something else.
ROLE_MEASURES: Final[Mapping[str, Mapping[str, str]]] = {
    "comping": {"harmony": "note in chord %", "temperature": "Vendi"}
}
# Turned from 0 to 2 a knob shall move its measure by so much of the gap between people and random notes.
LEAST_SHARE: Final = 0.3

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A knob's measure at each of SETTINGS, and what people and random notes have of it."""

    knob: str
    measure: str
    values: tuple[Estimate, ...]
    human: float
    random: float

    @property
    def share(self) -> float:
        """What turning it from 0 to 2 moves, as a share of the gap between people and random notes.

        Nan where people's is unknown. Random notes are as many as people's, so for the density the gap is
        next to nothing and the share says nothing.
        """
        return (self.values[-1].mean - self.values[0].mean) / abs(self.human - self.random)

    @property
    def is_monotonic(self) -> bool:
        """Whether each setting gives more than the one below it."""
        means = [value.mean for value in self.values]
        return all(low < high for low, high in pairwise(means))

    @property
    def is_kept(self) -> bool | None:
        """Whether it does what a knob shall do; None where it rises and nobody knows how far it should."""
        if self.is_monotonic and math.isnan(self.share):
            return None
        return self.is_monotonic and self.share >= LEAST_SHARE


def sweep(actor: Actor, plan: Plan, report: Report) -> list[Sweep]:
    """Turn each knob through SETTINGS, see `Knobs.turned`: at 1 it stands as the preset has it.

    Args:
        actor: Who plays.
        plan: On what, and how the knobs stand that are not turned.
        report: Told how many settings of how many are done.
    """
    table, rng = player_table(plan.players), np.random.default_rng(plan.seed)
    human = _column(perform_human(plan.people, player_table(plan.people), plan.conditions), plan)
    random = _column(perform_random(plan.players, table, plan.conditions, rng), plan)
    measures, sweeps = {**MEASURES, **ROLE_MEASURES.get(table.role.name, {})}, []
    for number, (knob, measure) in enumerate(measures.items()):
        values = []
        for place, setting in enumerate(SETTINGS):
            conditions = replace(plan.conditions, knobs=plan.conditions.knobs.turned(knob, setting))
            takes = perform(actor, plan.players, table, conditions, np.random.default_rng(plan.seed))
            values.append(_column(takes, plan)[measure])
            report(number * len(SETTINGS) + place + 1, len(MEASURES) * len(SETTINGS))
        sweeps.append(Sweep(knob, measure, tuple(values), human[measure].mean, random[measure].mean))
    return sweeps


def _column(takes: Sequence[Rollout], plan: Plan) -> dict[str, Estimate]:
    """Return the means over pieces of every figure."""
    return estimate_column([figures(take.performance, plan.known) | take.rewards for take in takes], plan.seed)
