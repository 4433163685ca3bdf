"""The effect of each knob: it is turned from 0 to 2 on held-out players, while the others keep their settings."""

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
from improviser.workers import HERE, Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import Actor
    from improviser.evaluation.evaluate import Plan

SETTINGS: Final = (0.0, 0.5, 1.0, 1.5, 2.0)
# The figure that each knob is meant to change.
MEASURES: Final[Mapping[str, str]] = {
    "harmony": "strong-beat consonance %",
    "coherence": "coherence",
    "creativity": "creativity",
    "density": "onsets per bar",
    "temperature": "dissonant %",
}
# The figures that differ for a role.
ROLE_MEASURES: Final[Mapping[str, Mapping[str, str]]] = {
    "comping": {"harmony": "note in chord %", "temperature": "Vendi"}
}
# Turning a knob from 0 to 2 must move its measure by at least this share of the gap between people and random notes.
LEAST_SHARE: Final = 0.3

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A knob's measure at each of SETTINGS, and the same measure of people and of random notes."""

    knob: str
    measure: str
    values: tuple[Estimate, ...]
    human: float
    random: float

    @property
    def share(self) -> float:
        """How far the measure moves from 0 to 2, as a share of the gap between people and random notes.

        Nan where the value of people is unknown. Random notes are as many as people's, so the gap in density is close
        to 0. The share of the density knob therefore means nothing.
        """
        return (self.values[-1].mean - self.values[0].mean) / abs(self.human - self.random)

    @property
    def is_monotonic(self) -> bool:
        """Whether the measure rises from each setting to the next."""
        means = [value.mean for value in self.values]
        return all(low < high for low, high in pairwise(means))

    @property
    def is_kept(self) -> bool | None:
        """Whether the knob has the wanted effect; None where the measure rises and the share is unknown."""
        if self.is_monotonic and math.isnan(self.share):
            return None
        return self.is_monotonic and self.share >= LEAST_SHARE


def sweep(actor: Actor, plan: Plan, report: Report, workers: Workers = HERE) -> list[Sweep]:
    """Turn each knob through SETTINGS, see `DecisionValues.turned`; at 1 it has the value of the preset.

    Args:
        actor: The policy that plays.
        plan: What to play, and the values of the other knobs.
        report: Called with the number of settings done and their total.
        workers: Where the settings are played.
    """
    table, rng = player_table(plan.players), np.random.default_rng(plan.seed)
    human = _column(perform_human(plan.people, player_table(plan.people), plan.conditions), plan)
    random = _column(perform_random(plan.players, table, plan.conditions, rng), plan)
    measures = {**MEASURES, **ROLE_MEASURES.get(table.role.name, {})}
    specs = [(knob, setting) for knob in measures for setting in SETTINGS]
    found = workers.all(_turned, (actor, plan), specs, lambda done: report(done, len(specs)))
    columns = dict(zip(specs, found, strict=True))
    return [
        Sweep(
            knob,
            measure,
            tuple(columns[knob, setting][measure] for setting in SETTINGS),
            human[measure].mean,
            random[measure].mean,
        )
        for knob, measure in measures.items()
    ]


def _turned(shared: tuple[Actor, Plan], spec: tuple[str, float]) -> dict[str, Estimate]:
    """Return the means of every figure with a knob at a setting."""
    actor, plan = shared
    conditions = replace(plan.conditions, knobs=plan.conditions.knobs.turned(*spec))
    takes = perform(actor, plan.players, player_table(plan.players), conditions, np.random.default_rng(plan.seed))
    return _column(takes, plan)


def _column(takes: Sequence[Rollout], plan: Plan) -> dict[str, Estimate]:
    """Return the means over pieces of every figure."""
    return estimate_column([figures(take.performance, plan.known) | take.rewards for take in takes], plan.seed)
