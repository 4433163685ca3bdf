"""The evaluation: who plays, on what, and that the figures are theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from improviser import rewards
from improviser.agent.policy import Values, select_action
from improviser.engine.knobs import Knobs
from improviser.music.scale import SCALE_DEGREES, Mode
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION, REST_ACTION
from improviser.training.env import RewardWeights
from improviser.training.evaluate import (
    BEATS,
    Conditions,
    Plan,
    PriorOnly,
    RandomInKey,
    evaluate,
    mean_figures,
    perform,
    perform_human,
    perform_random,
    spread,
)
from improviser.training.grid import DUETS, Part, chorale_parts, tune_parts
from improviser.training.tables import player_table
from tests.tiny_corpus import chorale, tune

BEST = Conditions(Knobs(temperature=0.0, prior_weight=0.0), RewardWeights())
ALL_LEGAL = np.ones(ACTION_COUNT, dtype=np.bool_)


@dataclass(frozen=True)
class Always:
    """An actor who always does the same, and whose prior always does another thing."""

    action: int
    habit: int = REST_ACTION

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Give one value for the one action, one log-chance for the other."""
        del observation
        actions = np.arange(ACTION_COUNT)
        log_prior = np.where(actions == self.habit, 0.0, -50.0).astype(np.float32)
        return log_prior, (actions == self.action)[None].astype(np.float32)


def duets(bars: int = 4) -> list[Part]:
    """Give two duets: alto under soprano, and soprano over alto."""
    return list(chorale_parts([chorale(bars=bars)], "chorale", 4, casts=(DUETS[0], DUETS[3])))


def tunes() -> list[Part]:
    """Give a tune with an absent partner."""
    return list(tune_parts([tune(bars=4)], "fiddle", 4, 60))


def test_resting_is_silence() -> None:
    """Who always rests leaves the player unsupported, and plays no onset."""
    parts = duets()
    (first, second) = perform(Always(REST_ACTION), parts, player_table(parts), BEST, np.random.default_rng(0))
    for result in (first, second):
        assert (100, 0) == (result["unsupported %"], result["onsets per bar"])


def test_figures_are_of_what_was_played() -> None:
    """Who strikes the tonic at every step plays it sixteen times a bar, in key, and excessively."""
    parts = duets()
    result = perform(Always(FIRST_ONSET), parts, player_table(parts), BEST, np.random.default_rng(0))[1]
    assert (16, 0, 1) == (result["onsets per bar"], result["not in key %"], result["distinct pitches"])
    assert 100 * 27 / 32 == result["excessively repeated %"]


def test_people_are_the_corpus() -> None:
    """The figures of people are those of the partner's own line; where there is none nothing is counted."""
    (alone,) = tune_parts([tune(bars=4)], "fiddle", 4, None)
    (result,) = perform_human([alone], player_table([alone]), BEST)
    # Seven onsets a bar, every bar like the first; 60 64 67 65 64 72 71 has one leap in seven intervals.
    assert (7, 75) == (result["onsets per bar"], result["bars repeated %"])
    assert math.isnan(result["consonant %"])
    parts = [*tunes(), *duets()]
    assert 2 == len(perform_human(parts, player_table(parts), BEST))


def test_the_reward_is_the_sum_of_its_components() -> None:
    """The reward a step is the weighted sum of the components, and these of the terms."""
    weights = {"harmony": 2.0, "coherence": 0.5, "creativity": 1.0}
    conditions = Conditions(Knobs(temperature=0.0, prior_weight=0.0), RewardWeights(**weights))
    result = perform_human(duets(), player_table(duets()), conditions)[0]
    components = dict.fromkeys(rewards.COMPONENTS, 0.0)
    for term, (component, weight) in rewards.TERMS.items():
        components[component] += weight * result[f"- {term}"]
    assert pytest.approx(components, abs=1e-6) == {name: result[name] for name in rewards.COMPONENTS}
    expected = sum(weights[name] * value for name, value in components.items())
    assert pytest.approx(expected, abs=1e-6) == result["reward"]


def test_prior_only() -> None:
    """The prior alone has its habits and no Q-values."""
    observation = np.zeros(1, dtype=np.uint8)
    log_prior, q_values = PriorOnly(Always(FIRST_ONSET, habit=HOLD_ACTION)).values(observation)
    assert HOLD_ACTION == log_prior.argmax()
    assert not q_values.any()


@pytest.mark.parametrize("mode", list(Mode))
def test_random_in_key(mode: Mode) -> None:
    """Onsets come at the rate asked for, and every note of the key, no other, about equally often."""
    rng, draws, rate = np.random.default_rng(0), 6_000, 0.6
    values = RandomInKey(mode, rate).values(np.zeros(1, dtype=np.uint8))
    actions = np.array(
        [
            select_action(values, ALL_LEGAL, rng, Knobs(temperature=1.0, prior_weight=1.0).to_mix()).action
            for _ in range(draws)
        ]
    )
    struck = actions[actions >= FIRST_ONSET] - FIRST_ONSET
    assert pytest.approx(rate, abs=4 * (0.24 / draws) ** 0.5) == len(struck) / draws
    assert {HOLD_ACTION} == set(actions[actions < FIRST_ONSET].tolist())
    assert set(SCALE_DEGREES[mode]) == set((struck % 12).tolist())
    notes = np.bincount(struck)
    assert notes[notes > 0].max() < 1.6 * notes[notes > 0].min()


def test_random_plays_as_much_as_its_model() -> None:
    """Random notes are as dense as the partner, and where there is none, as the player."""
    parts = [*duets(bars=40), *tunes()]
    results = perform_random(parts, player_table(parts), BEST, np.random.default_rng(0))
    # The alto strikes 8 times a bar, the soprano 4, the tune 7; a hold in silence is no onset.
    assert pytest.approx([8, 4], rel=0.15) == [result["onsets per bar"] for result in results[:2]]
    assert results[2]["onsets per bar"] > 5
    assert {0} == {result["not in key %"] for result in results}


def test_evaluate() -> None:
    """Four columns of the same figures: people, random notes, the prior alone, and the actor by its name."""
    told: list[tuple[int, int]] = []
    plan = Plan(tunes(), duets(), BEST, 3, "ours")
    table = evaluate(Always(FIRST_ONSET, habit=REST_ACTION), plan, lambda *done: told.append(done))
    assert ["human", "random in key", "prior only", "ours"] == list(table)
    assert 1 == len({tuple(column) for column in table.values()})
    assert (0, 16) == (table["prior only"]["onsets per bar"], table["ours"]["onsets per bar"])
    assert 6 == table["human"]["onsets per bar"]  # alto 8, soprano 4
    assert [(1, 4), (2, 4), (3, 4), (4, 4)] == told


def test_evaluate_follows_the_seed() -> None:
    """One seed gives one table, another another."""

    def table(seed: int) -> str:
        """Give the random column as text."""
        plan = Plan(tunes(), duets(), BEST, seed, "ours")
        return str(evaluate(Always(REST_ACTION), plan, lambda *_: None)["random in key"])

    assert table(1) == table(1)
    assert table(1) != table(2)


def test_mean_figures() -> None:
    """A figure that a piece does not have is passed over; one that none has is nan."""
    results = [{"a": 1.0, "b": math.nan, "c": math.nan}, {"a": 3.0, "b": 5.0, "c": math.nan}]
    assert pytest.approx({"a": 2, "b": 5, "c": math.nan}, nan_ok=True) == mean_figures(results)
    assert {} == mean_figures([])


def test_spread() -> None:
    """Of the parts that are long enough some are taken, evenly spread, and cut to one length."""
    pieces = [chorale(f"chorale-{bars}", bars=bars) for bars in (9, *range(10, 20))]
    parts = list(chorale_parts(pieces, "chorale", 4, casts=DUETS[:1]))
    chosen = spread(parts, 5)
    assert ["10", "12", "14", "17", "19"] == [
        part.name.split(":")[0].removeprefix("chorale-") for part in chosen
    ]
    lengths = {len(events) for part in chosen for events in (part.player, part.bits, part.partner)}
    assert {4 * BEATS} == lengths
    assert 10 == len(spread(parts, 100))
