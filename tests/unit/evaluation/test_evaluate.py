"""The evaluation: who plays, on which pieces, and whether the figures are correct."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from improviser import rewards
from improviser.agent.policy import Values
from improviser.engine import EngineSettings
from improviser.engine.decision_values import DecisionValues
from improviser.engine.role import COMPING, MELODY
from improviser.evaluation.baselines import Conditions, PriorOnly, RandomInKey
from improviser.evaluation.evaluate import BEATS, Plan, evaluate, spread
from improviser.evaluation.metrics import Figures, figures, known_phrases
from improviser.evaluation.report import BASELINES, EvaluationTable
from improviser.evaluation.rollouts import Rollout, perform, perform_greedy, perform_human, perform_random
from improviser.music.scale import SCALE_DEGREES, Mode
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION, REST_ACTION
from improviser.training.env import Game, RewardWeights
from improviser.training.features import player_table
from improviser.training.grid import DUETS, Part, chorale_parts, comping_parts, tune_parts
from tests.actors import Indifferent
from tests.tiny_corpus import chorale, tune

BEST = Conditions(DecisionValues(temperature=0.0, prior_weight=0.0), RewardWeights())
ALL_LEGAL = np.ones(ACTION_COUNT, dtype=np.bool_)


@dataclass(frozen=True)
class Always:
    """An actor that always chooses the same action, and whose prior always chooses another."""

    action: int
    habit: int = REST_ACTION

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return a value for the one action, and a log-probability for the other."""
        del observation
        actions = np.arange(ACTION_COUNT)
        log_prior = np.where(actions == self.habit, 0.0, -50.0).astype(np.float32)
        return log_prior, (actions == self.action)[None].astype(np.float32)


def counted(takes: list[Rollout]) -> list[Figures]:
    """Return the figures and rewards of each rollout."""
    return [figures(take.performance) | take.rewards for take in takes]


def means(table: EvaluationTable, column: str) -> dict[str, float]:
    """Return the means of a column."""
    return {name: estimate.mean for name, estimate in table.columns[column].items()}


def duets(bars: int = 4) -> list[Part]:
    """Return two duets: alto under soprano, and soprano over alto."""
    return list(chorale_parts([chorale(bars=bars)], "chorale", 4, casts=(DUETS[0], DUETS[3])))


def tunes() -> list[Part]:
    """Return a tune without a player."""
    return list(tune_parts([tune(bars=4)], "fiddle", 4, 60))


def test_resting_is_silence() -> None:
    """An actor that always rests leaves the player unsupported, and has no onset."""
    parts = duets()
    takes = perform(Always(REST_ACTION), parts, player_table(parts), BEST, np.random.default_rng(0))
    for result in counted(takes):
        assert (100, 0) == (result["unsupported %"], result["onsets per bar"])


def test_figures_are_of_what_was_played() -> None:
    """An actor that strikes the tonic at every step has sixteen onsets a bar, in key, and excessively repeated."""
    parts = duets()
    takes = perform(Always(FIRST_ONSET), parts, player_table(parts), BEST, np.random.default_rng(0))
    result = counted(takes)[1]
    assert (16, 0, 1) == (result["onsets per bar"], result["not in key %"], result["distinct pitches"])
    assert 100 * 27 / 32 == result["excessively repeated %"]


def test_people_are_the_corpus() -> None:
    """The human figures are those of the partner's line; a part without a partner is not counted."""
    (alone,) = tune_parts([tune(bars=4)], "fiddle", 4, None)
    (result,) = counted(perform_human([alone], player_table([alone]), BEST))
    # Seven onsets a bar, every bar like the first; 60 64 67 65 64 72 71 has one leap in seven intervals.
    assert (7, 75) == (result["onsets per bar"], result["bars repeated %"])
    assert math.isnan(result["consonant %"])
    parts = [*tunes(), *duets()]
    assert 2 == len(perform_human(parts, player_table(parts), BEST))


def test_the_reward_is_the_sum_of_its_components() -> None:
    """The reward per step is the weighted sum of the components, and these are sums of the terms."""
    weights = {"harmony": 2.0, "coherence": 0.5, "creativity": 1.0}
    conditions = Conditions(BEST.knobs, RewardWeights(**weights))
    result = perform_human(duets(), player_table(duets()), conditions)[0].rewards
    components = dict.fromkeys(rewards.COMPONENTS, 0.0)
    for term, (component, weight) in rewards.TERMS.items():
        components[component] += weight * result[f"- {term}"]
    assert pytest.approx(components, abs=1e-6) == {name: result[name] for name in rewards.COMPONENTS}
    expected = sum(weights[name] * value for name, value in components.items())
    assert pytest.approx(expected, abs=1e-6) == result["reward"]


def test_prior_only() -> None:
    """The prior alone has its probabilities and no Q-values."""
    observation = np.zeros(1, dtype=np.uint8)
    log_prior, q_values = PriorOnly(Always(FIRST_ONSET, habit=HOLD_ACTION)).values(observation)
    assert HOLD_ACTION == log_prior.argmax()
    assert not q_values.any()


@pytest.mark.parametrize("mode", list(Mode))
def test_random_in_key(mode: Mode) -> None:
    """Onsets come at the requested rate, and every note of the key, and no other, about equally often."""
    rng, draws, rate = np.random.default_rng(0), 6_000, 0.6
    notes = RandomInKey(MELODY, mode, rate, rng)
    actions = np.array([notes.choose(ALL_LEGAL) for _ in range(draws)])
    struck = actions[actions >= FIRST_ONSET] - FIRST_ONSET
    assert pytest.approx(rate, abs=4 * (0.24 / draws) ** 0.5) == len(struck) / draws
    assert {HOLD_ACTION} == set(actions[actions < FIRST_ONSET].tolist())
    assert set(SCALE_DEGREES[mode]) == set((struck % 12).tolist())
    counts = np.bincount(struck)
    assert counts[counts > 0].max() < 1.6 * counts[counts > 0].min()


def test_random_plays_as_much_as_its_model() -> None:
    """Random notes are as dense as the partner, or as the player where there is no partner."""
    parts = [*duets(bars=40), *tunes()]
    results = counted(perform_random(parts, player_table(parts), BEST, np.random.default_rng(0)))
    # The alto strikes 8 times a bar, the soprano 4, the tune 7; a hold in silence is no onset.
    assert pytest.approx([8, 4], rel=0.15) == [result["onsets per bar"] for result in results[:2]]
    assert results[2]["onsets per bar"] > 5
    assert {0} == {result["not in key %"] for result in results}


@pytest.mark.parametrize("component", list(rewards.COMPONENTS))
def test_greedy_takes_the_best_step(component: str) -> None:
    """The policy greedy for one component has more of it than random notes, and follows its seed."""
    weights = RewardWeights(**{name: float(name == component) for name in rewards.COMPONENTS})
    parts, conditions = duets(bars=4), Conditions(BEST.knobs, weights)
    table = player_table(parts)
    greedy, again, random = (
        play(parts, table, conditions, np.random.default_rng(1))
        for play in (perform_greedy, perform_greedy, perform_random)
    )
    for ours, other in zip(greedy, random, strict=True):
        assert ours.rewards[component] > other.rewards[component]
    assert [take.rewards for take in greedy] == [take.rewards for take in again]


def test_greedy_judges_as_the_game_does() -> None:
    """In the first step the greedy action earns the highest reward that the environment gives."""
    parts = duets(bars=1)
    table = player_table(parts)
    (take, _) = perform_greedy(parts, table, BEST, np.random.default_rng(0))
    chosen = int(take.performance.events[0])
    worth = {}
    for action in range(ACTION_COUNT):
        game = Game(parts, table, 1, np.random.default_rng(0))
        game.play_whole(0)
        if game.legal[0, action]:
            event = int(parts[0].role.events(np.array([action]), game.place)[0])
            worth[event] = float(game.step(np.array([action]))[1][0].sum())
    assert pytest.approx(max(worth.values()), abs=1e-6) == worth[chosen]


def test_greedy_draws_among_equals() -> None:
    """Where all actions earn the same, every legal action may be drawn."""
    nothing = Conditions(BEST.knobs, RewardWeights(0.0, 0.0, 0.0))
    parts = duets(bars=2)
    (first, _), (second, _) = (
        perform_greedy(parts, player_table(parts), nothing, np.random.default_rng(seed)) for seed in (1, 2)
    )
    assert len(set(first.performance.events.tolist())) > 10
    assert first.performance.events.tolist() != second.performance.events.tolist()


def test_evaluate() -> None:
    """All columns have the same figures: people, random notes, the prior, the greedy policy, the actor, and others."""
    told: list[tuple[float, float]] = []
    plan = Plan(tunes(), duets(), BEST, 3, "ours", {"old": Always(REST_ACTION)}, known_phrases([duets()[0].partner]))
    evaluation = evaluate(Always(FIRST_ONSET, habit=REST_ACTION), plan, lambda *done: told.append(done))
    table = evaluation.table
    names = ["human", "random in key", "prior only", "greedy on reward", "ours", "old"]
    assert names == list(table.columns) == list(evaluation.takes)
    onsets = [means(table, name)["onsets per bar"] for name in ("human", "prior only", "ours", "old")]
    assert [6, 0, 16, 0] == onsets  # people: alto 8, soprano 4
    assert 50 == means(table, "human")["copied %"]
    assert [(done, 6) for done in range(1, 7)] == told
    assert {} == evaluation.adaptations


def test_changes_are_followed_by_actors_only() -> None:
    """With an engine only the prior, the actor and others have adaptation figures, which are reported last."""
    told: list[tuple[float, float]] = []
    plan = Plan(duets()[:1], duets(), BEST, 3, "ours", engine=EngineSettings())
    table = evaluate(Always(FIRST_ONSET + 7), plan, lambda *done: told.append(done)).table
    figure = "transposed: NIC after %"
    known = [name for name in table.columns if not math.isnan(table.value(name, figure).mean)]
    assert ["ours"] == known  # the prior always rests, so nothing is counted
    assert [figure in table.columns[name] for name in table.columns] == [False, False, True, False, True]
    assert (7, 7) == told[-1]
    assert sorted(told) == told


def test_evaluate_follows_the_seed() -> None:
    """The same seed gives the same table, and another seed gives another one."""

    def table(seed: int) -> str:
        """Return the random column as text."""
        plan = Plan(tunes(), duets(), BEST, seed, "ours")
        return str(means(evaluate(Always(REST_ACTION), plan, lambda *_: None).table, "random in key"))

    assert table(1) == table(1)
    assert table(1) != table(2)


def test_spread() -> None:
    """Of the parts that are long enough some are chosen, evenly spread, and cut to the same length."""
    pieces = [chorale(f"chorale-{bars}", bars=bars) for bars in (9, *range(10, 20))]
    parts = list(chorale_parts(pieces, "chorale", 4, casts=DUETS[:1]))
    chosen = spread(parts, 5)
    assert ["10", "12", "14", "17", "19"] == [part.name.split(":")[0].removeprefix("chorale-") for part in chosen]
    lengths = {len(events) for part in chosen for events in (part.player, part.bits, part.partner)}
    assert {4 * BEATS} == lengths
    assert 10 == len(spread(parts, 100))


def test_chords_are_measured_in_all_columns() -> None:
    """All columns have the figures of chords."""
    pieces = [chorale(bars=12), chorale("other", bars=12)]
    parts = list(comping_parts(pieces, "chorale", 4, 48, ((0,), (1,))))
    plan = Plan(parts, parts, BEST, 0, "x")
    table = evaluate(Indifferent(COMPING.action_count), plan, lambda *_: None).table
    assert [*BASELINES, "x"] == list(table.columns)
    told = {"note in chord %", "chord changes per bar", "- progression"}
    assert all(told <= set(column) for column in table.columns.values())
    assert "overlap: roots" in table.rows()
