"""Rollouts: a policy plays whole pieces; the result is what it played and its rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from improviser.evaluation.baselines import acting, human, random_in_key
from improviser.evaluation.metrics import Performance
from improviser.listening.line import NONE
from improviser.rewards import COMPONENTS
from improviser.training.env import Game
from improviser.training.greedy import Greedy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.agent.policy import Actor
    from improviser.engine.role import Role
    from improviser.evaluation.baselines import Chooser, Conditions
    from improviser.evaluation.metrics import Figures
    from improviser.training.env import RewardWeights
    from improviser.training.features import PlayerTable
    from improviser.training.grid import Part


@dataclass(frozen=True, slots=True)
class Rollout:
    """One piece played by a policy: its name, the performance, and the mean rewards per step by name."""

    name: str
    performance: Performance
    rewards: Figures


def perform(
    actor: Actor, parts: Sequence[Part], table: PlayerTable, conditions: Conditions, rng: np.random.Generator
) -> list[Rollout]:
    """Play `actor` beside each part from its beginning; `table` has the features of the parts."""
    return _perform(lambda index: acting(actor, conditions, rng, parts[index].role), parts, table, conditions.weights)


def perform_random(
    parts: Sequence[Part], table: PlayerTable, conditions: Conditions, rng: np.random.Generator
) -> list[Rollout]:
    """Play random notes of each piece's key, as many as its partner or else its player has."""
    return _perform(lambda index: random_in_key(parts[index], rng), parts, table, conditions.weights)


def perform_greedy(
    parts: Sequence[Part], table: PlayerTable, conditions: Conditions, rng: np.random.Generator
) -> list[Rollout]:
    """Play the policy that chooses the action with the best reward at each step."""
    weights = conditions.weights
    return _perform(lambda index: Greedy((parts[index], index), table, weights, rng), parts, table, weights)


def perform_human(parts: Sequence[Part], table: PlayerTable, conditions: Conditions) -> list[Rollout]:
    """Play the corpus' own partners; parts without a partner are left out."""
    return _perform(lambda _index: human, parts, table, conditions.weights, only_with_partner=True)


def _perform(
    make_chooser: Callable[[int], Chooser],
    parts: Sequence[Part],
    table: PlayerTable,
    weights: RewardWeights,
    *,
    only_with_partner: bool = False,
) -> list[Rollout]:
    """Play each part with a policy made for it."""
    return [
        _perform_one(make_chooser(index), parts, table, index, weights)
        for index, part in enumerate(parts)
        if not (only_with_partner and (part.partner == NONE).all())
    ]


def _perform_one(
    chooser: Chooser, parts: Sequence[Part], table: PlayerTable, index: int, weights: RewardWeights
) -> Rollout:
    """Play all of part number `index`."""
    part = parts[index]
    game = Game(parts, table, 1, np.random.default_rng(0))
    game.play_whole(index)
    events = np.zeros(len(part.player), dtype=np.int16)
    terms = np.zeros((len(events), len(part.role.rewards.terms)), dtype=np.float32)
    for step in range(len(events)):
        action = np.array([chooser(game, part, step)])
        events[step] = part.role.events(action, game.place)[0]
        game.step(action)
        terms[step] = game.terms[0]
    rows = slice(int(table.start[index]), int(table.start[index]) + len(events))
    performance = Performance(
        events=events,
        player=part.player,
        bits=part.bits,
        chord_bits=table.chord_bits[rows].astype(np.int64),
        mode=part.mode,
        meter=part.meter,
        steps_per_beat=part.steps_per_beat,
        role=part.role.name,
        chord_root=table.chord_root[rows].astype(np.int64),
    )
    return Rollout(part.name, performance, reward_figures(terms, weights, part.role))


def reward_figures(terms: npt.NDArray[np.float32], weights: RewardWeights, role: Role) -> Figures:
    """Return the weighted reward, its components and its terms, as means over steps; `terms` is (steps, terms)."""
    means = terms.mean(axis=0)
    components = means @ role.rewards.component_weights()
    return (
        {"reward": float(means @ weights.term_weights(role))}
        | {name: float(value) for name, value in zip(COMPONENTS, components, strict=True)}
        | {f"- {name}": float(value) for name, value in zip(role.rewards.terms, means, strict=True)}
    )
