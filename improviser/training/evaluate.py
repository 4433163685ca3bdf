"""Evaluation: the improviser and what it is measured against play held-out pieces; figures side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser import rewards
from improviser.agent.policy import Actor, Values, select_action
from improviser.engine.knobs import Knobs
from improviser.listening.line import NONE, event_tokens
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_BITS
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION
from improviser.training.env import Game, RewardWeights, action_events
from improviser.training.grid import Part
from improviser.training.metrics import Figures, Performance, figures
from improviser.training.tables import PlayerTable, player_table

BEATS: Final = 40
# A chance that is none, but has a logarithm.
NEVER: Final = 1e-9

Chooser = Callable[[Game, Part, int], int]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the actors play: as a preset says."""

    knobs: Knobs
    weights: RewardWeights

    def plain(self) -> Conditions:
        """Give the same for a baseline, which draws from its own chances as they are."""
        return replace(self, knobs=Knobs(temperature=1.0, prior_weight=1.0))


class PriorOnly:
    """Plays by people's habits alone: what imitation without a reward gives."""

    def __init__(self, actor: Actor) -> None:
        """Take the prior of `actor`."""
        self._actor = actor

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give the prior, and no Q-values."""
        log_prior, q_values = self._actor.values(observation)
        return log_prior, np.zeros_like(q_values)


class RandomInKey:
    """Plays notes of the key at random, as often as people play: the least that music must beat."""

    def __init__(self, mode: int, onset_rate: float) -> None:
        """Play in C of `mode`, an onset in a share `onset_rate` of the steps, and hold in between."""
        degrees = np.arange(ACTION_COUNT - FIRST_ONSET) % OCTAVE
        in_key = (SCALE_BITS[mode] >> degrees) & 1
        chances = np.full(ACTION_COUNT, NEVER)
        chances[FIRST_ONSET:] += onset_rate * in_key / in_key.sum()
        chances[HOLD_ACTION] += 1 - onset_rate
        self._log_chances = np.log(chances).astype(np.float32)

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give the chances, whatever is observed."""
        del observation
        return self._log_chances, np.zeros((1, ACTION_COUNT), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated.

    Attributes:
        players: Parts whose players are heard.
        people: Parts whose human partners are the measure.
        conditions: How the actor plays.
        seed: Of every random choice.
        name: Of the actor's column.
    """

    players: Sequence[Part]
    people: Sequence[Part]
    conditions: Conditions
    seed: int
    name: str


def evaluate(actor: Actor, plan: Plan, report: Callable[[int, int], None]) -> dict[str, Figures]:
    """Give the mean figures of people, random notes in key, the prior alone and the actor, by column.

    Args:
        actor: What is measured; its prior is the third column.
        plan: On what, and how.
        report: Told how many columns of how many are done.
    """
    players, table = plan.players, player_table(plan.players)
    columns: dict[str, Callable[[], list[Figures]]] = {
        "human": lambda: perform_human(plan.people, player_table(plan.people), plan.conditions),
        "random in key": lambda: perform_random(
            players, table, plan.conditions, np.random.default_rng(plan.seed)
        ),
        "prior only": lambda: perform(
            PriorOnly(actor), players, table, plan.conditions.plain(), np.random.default_rng(plan.seed)
        ),
        plan.name: lambda: perform(actor, players, table, plan.conditions, np.random.default_rng(plan.seed)),
    }
    results = {}
    for done, (name, column) in enumerate(columns.items(), 1):
        results[name] = mean_figures(column())
        report(done, len(columns))
    return results


def spread(parts: Sequence[Part], count: int) -> list[Part]:
    """Give about `count` of the parts that have BEATS beats, evenly spread, each cut to these beats."""
    long_enough = [part for part in parts if len(part.player) >= BEATS * part.steps_per_beat]
    chosen = np.linspace(0, len(long_enough) - 1, min(count, len(long_enough))).round().astype(int)
    return [_cut(long_enough[index], BEATS * long_enough[index].steps_per_beat) for index in chosen]


def perform(
    actor: Actor, parts: Sequence[Part], table: PlayerTable, conditions: Conditions, rng: np.random.Generator
) -> list[Figures]:
    """Let `actor` play each part from its beginning; give each performance's figures and mean rewards."""
    return [
        _perform_one(_acting(actor, conditions, rng), parts, table, index, conditions)
        for index in range(len(parts))
    ]


def perform_random(
    parts: Sequence[Part], table: PlayerTable, conditions: Conditions, rng: np.random.Generator
) -> list[Figures]:
    """Do the same for random notes of each piece's key, as many as its partner, or else its player, has."""
    results = []
    for index, part in enumerate(parts):
        model = part.player if (part.partner == NONE).all() else part.partner
        chooser = _acting(RandomInKey(part.mode, float(np.mean(model >= 0))), conditions.plain(), rng)
        results.append(_perform_one(chooser, parts, table, index, conditions))
    return results


def perform_human(parts: Sequence[Part], table: PlayerTable, conditions: Conditions) -> list[Figures]:
    """Do the same for the corpus' own partners; parts without one are left out."""
    return [
        _perform_one(_human, parts, table, index, conditions)
        for index, part in enumerate(parts)
        if not (part.partner == NONE).all()
    ]


def mean_figures(results: Sequence[Figures]) -> Figures:
    """Give the means over pieces, in which a figure that a piece does not have is passed over."""
    names = results[0].keys() if results else ()
    columns = {name: np.array([result[name] for result in results]) for name in names}
    return {
        name: float(np.nanmean(column)) if np.isfinite(column).any() else float("nan")
        for name, column in columns.items()
    }


def _cut(part: Part, steps: int) -> Part:
    """Give the first steps of a part."""
    values = {name: getattr(part, name) for name in Part.__slots__}
    return Part(**values | {name: values[name][:steps] for name in ("player", "bits", "partner")})


def _acting(actor: Actor, conditions: Conditions, rng: np.random.Generator) -> Chooser:
    """Give what lets an actor choose in a game."""
    mix = conditions.knobs.to_mix()

    def choose(game: Game, part: Part, step: int) -> int:
        """Choose by the observation alone."""
        del part, step
        return select_action(actor.values(game.observation[0]), game.legal[0], rng, mix).action

    return choose


def _human(game: Game, part: Part, step: int) -> int:
    """Choose what the corpus' partner did."""
    del game
    return int(event_tokens(part.partner[step : step + 1], np.array([part.own_base]))[0])


def _perform_one(
    chooser: Chooser, parts: Sequence[Part], table: PlayerTable, index: int, conditions: Conditions
) -> Figures:
    """Play part number `index` whole; give its figures, and its mean rewards a step."""
    part = parts[index]
    game = Game(parts, table, 1, np.random.default_rng(0))
    game.play_whole(index)
    events = np.zeros(len(part.player), dtype=np.int16)
    terms = np.zeros((len(events), len(rewards.TERMS)), dtype=np.float32)
    base = np.array([part.own_base])
    for step in range(len(events)):
        action = np.array([chooser(game, part, step)])
        events[step] = action_events(action, base)[0]
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
    )
    return figures(performance) | _reward_figures(terms, conditions.weights)


def _reward_figures(terms: npt.NDArray[np.float32], weights: RewardWeights) -> Figures:
    """Give the summed reward a step, its components and its terms, means over a performance."""
    means = terms.mean(axis=0)
    components = means @ rewards.component_weights()
    return (
        {"reward": float(means @ weights.term_weights())}
        | {name: float(value) for name, value in zip(rewards.COMPONENTS, components, strict=True)}
        | {f"- {name}": float(value) for name, value in zip(rewards.TERMS, means, strict=True)}
    )
