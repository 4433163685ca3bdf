"""Online training, on a corpus of a few bars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from improviser.agent.config import NetworkConfig
from improviser.agent.policy import Policy, Weights
from improviser.agent.replay_buffer import Batch, ReplayBuffer
from improviser.engine import Engine, EngineSettings
from improviser.engine.experience import PlayerStep
from improviser.evaluation.baselines import Conditions
from improviser.listening.line import HOLD, REST
from improviser.music.meter import METERS, THREE
from improviser.online import trainer as apprentice_module
from improviser.online.acceptance import AcceptanceResult, AcceptanceTest
from improviser.online.online_learner import OnlineLearner, OnlineSettings
from improviser.online.trainer import UPDATES_A_STEP, Offer, OnlineTrainer, heard_parts, lately
from improviser.studies.out_of_distribution import OUT_OF_DISTRIBUTION_PLAYERS, out_of_distribution_part
from improviser.studies.preference_run import PreferenceSession
from improviser.training.env import NETWORK, Game, RewardWeights
from improviser.training.features import player_table
from improviser.training.material import GameSettings, game_parts, held_out_parts, human_parts
from tests.tiny_corpus import tiny_corpus
from tests.tiny_network import make_weights

CONFIG = replace(NETWORK, hidden=16, heads=3)
GAME = GameSettings("fiddle")
REWARDS = np.array([1.0, 0.8, 0.5], dtype=np.float32)
JUDGED_BARS = 2
SETTINGS = EngineSettings(tempo_bpm=120.0, key="C", style="fiddle")
STANDS = Conditions(SETTINGS.knobs, RewardWeights())
FEW = OnlineSettings(replace(OnlineSettings().dqn, batch_size=32, buffer_size=2_000), lanes=2)


@pytest.fixture(autouse=True)
def judged_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run an acceptance test every few bars, so that the tests play less."""
    monkeypatch.setattr(apprentice_module, "JUDGED_BARS", JUDGED_BARS)


def networks(config: NetworkConfig = CONFIG) -> dict[str, Weights]:
    """Return a model with random weights."""
    return {"prior": make_weights(config.prior(), 1, 0.3), "q": make_weights(config, 2, 0.1)}


def model() -> Policy:
    """Return the policy of these networks."""
    return Policy(CONFIG, networks()["prior"], networks()["q"])


def corpus_game(rng: np.random.Generator, lanes: int = 2) -> Game:
    """Return environments of the tiny corpus."""
    parts = game_parts([piece for piece in tiny_corpus() if piece.split == "train"], GAME)
    return Game(parts, player_table(parts), lanes, rng)


def new_learner(seed: int = 0, settings: OnlineSettings = FEW) -> OnlineLearner:
    """Return a learner."""
    rng = np.random.default_rng(seed)
    return OnlineLearner(CONFIG, networks(), corpus_game(rng), REWARDS, settings, rng)


def new_acceptance_test() -> AcceptanceTest:
    """Return an acceptance test that plays two pieces."""
    pieces = tiny_corpus()
    held_out = [part.cut(64) for part in held_out_parts(pieces, GAME, "valid")]
    return AcceptanceTest(model(), held_out, human_parts(pieces, GAME, "valid"), STANDS, 0)


def new_trainer(seed: int = 0, acceptance_test: AcceptanceTest | None = None) -> OnlineTrainer:
    """Return an online trainer, by default without an acceptance test."""
    return OnlineTrainer(model(), new_learner(seed), acceptance_test, REWARDS, np.random.default_rng([seed, 1]))


def session(seed: int = 0) -> PreferenceSession:
    """Return an engine beside a drone."""
    part = out_of_distribution_part("drone", GAME, 64, np.random.default_rng(seed))
    return PreferenceSession(model(), SETTINGS, part, seed)


def learn(trainer: OnlineTrainer, beside: PreferenceSession, steps: int) -> list[Offer]:
    """Train beside a session for some steps; return the offers."""
    offers = []
    for _ in range(steps):
        beside.play()
        offer = trainer.step(beside.engine)
        offers += [] if offer is None else [offer]
    return offers


def same(one: Weights, other: Weights) -> bool:
    """Return whether two sets of weights are identical, bit for bit."""
    return all((one[name] == other[name]).all() for name in one)


def test_it_learns_as_it_plays_and_by_its_seed_alone() -> None:
    """The trainer makes some updates a step; the same seed gives identical weights, another seed others."""
    steps = JUDGED_BARS * SETTINGS.bar_steps + 40
    offers = [learn(new_trainer(seed), session(), steps)[0] for seed in (0, 0, 1)]
    assert same(offers[0].weights, offers[1].weights)
    assert not same(offers[0].weights, offers[2].weights)
    assert not same(offers[0].weights, model().upper_layers)
    trainer = new_trainer()
    learn(trainer, session(), 60)
    assert UPDATES_A_STEP * 60 > trainer.learner.updates >= UPDATES_A_STEP * 30
    assert trainer.reward is not None


def test_half_of_what_is_learned_from_is_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """At least half of each batch is from the corpus; the rest is split between real transitions and model rollouts."""
    drawn: list[dict[int, int]] = []
    draw, gather = ReplayBuffer.sample, OnlineLearner._batch  # noqa: SLF001 - counts where rows are drawn from

    def sample(replay: ReplayBuffer, count: int, rng: np.random.Generator, progress: float = 0.0) -> Batch:
        """Count the rows drawn from each buffer."""
        drawn[-1][id(replay)] = count
        return draw(replay, count, rng, progress)

    def batch(learner: OnlineLearner) -> Batch:
        """Start a new count."""
        drawn.append({})
        return gather(learner)

    monkeypatch.setattr(ReplayBuffer, "sample", sample)
    monkeypatch.setattr(OnlineLearner, "_batch", batch)
    trainer = new_trainer()
    learn(trainer, session(), 8 * SETTINGS.bar_steps + 40)
    corpus = trainer.learner._corpus  # noqa: SLF001
    assert corpus is not None
    shares = [counts[id(corpus.replay)] / sum(counts.values()) for counts in drawn]
    assert 0.5 <= min(shares)
    assert 2 / 3 == pytest.approx(shares[0], abs=0.02)
    assert 3 == len(drawn[-1])
    assert 0.5 == pytest.approx(shares[-1], abs=0.02)


def test_a_model_of_one_head_learns_from_the_sum() -> None:
    """A model with one head learns from the weighted sum of the reward's components."""
    one_head = replace(CONFIG, heads=1)
    rng = np.random.default_rng(0)
    learner = OnlineLearner(one_head, networks(one_head), corpus_game(rng), REWARDS, FEW, rng)
    policy = Policy(one_head, networks(one_head)["prior"], networks(one_head)["q"])
    trainer = OnlineTrainer(policy, learner, None, REWARDS, rng)
    beside = session()
    beside.engine.adopt(policy)
    learn(trainer, beside, 40)
    assert learner.updates > 40
    learner.reweigh(np.array([0.0, 1.0, 0.0], dtype=np.float32))
    learner.learn(4)
    assert all(np.isfinite(weight).all() for weight in learner.offer().values())
    assert (learner.lived, 1) == learner._lived._rows.reward[: learner.lived].shape  # noqa: SLF001


def test_frozen_it_learns_nothing() -> None:
    """While frozen the trainer makes no updates, but still records transitions."""
    trainer = new_trainer()
    trainer.is_frozen = True
    assert [] == learn(trainer, session(), 150)
    assert 0 == trainer.learner.updates
    assert trainer.learner.lived > 100
    assert same(trainer.learner.offer(), model().upper_layers)


def test_behind_the_music_it_learns_nothing() -> None:
    """While it lags behind, the trainer records transitions without updates, until it has caught up."""
    trainer, beside = new_trainer(), session()
    for _ in range(60):
        beside.play()
        assert trainer.step(beside.engine, learns=False) is None
    assert 0 == trainer.learner.updates
    assert trainer.learner.lived > 30
    learn(trainer, beside, 2)
    assert trainer.learner.updates > 0


def test_a_press_is_part_of_the_reward_of_what_it_means() -> None:
    """A like raises, and a dislike lowers, the reward of the steps it refers to, shared by the components."""
    learner, liked = new_learner(), new_learner()
    trainer = new_trainer()
    beside = session()
    lived = []
    for _ in range(20):
        beside.play()
        lived += trainer._experience.transitions(beside.engine)  # noqa: SLF001 - for its transitions
    for one in (learner, liked):
        one.live(lived)
    liked.press([(0, 0.75), (3, 0.25), (900, 0.5)], liked=True)
    before, after = (one._lived._rows.reward[: len(lived)] for one in (learner, liked))  # noqa: SLF001
    added = after - before
    assert [0.75 / 3] * 3 == pytest.approx(added[-1].tolist())
    assert [0.25 / 3] * 3 == pytest.approx(added[-4].tolist())
    assert 0 == np.abs(np.delete(added, [-1, -4], axis=0)).max()
    liked.press([(0, 0.5)], liked=False)
    assert after[-1] == pytest.approx(before[-1] + 0.25 / 3, abs=1e-6)
    liked.take_back(everything=False)
    assert after == pytest.approx(before + added, abs=1e-6)
    liked.press([(1, 1.0)], liked=False)
    liked.take_back(everything=True)
    assert after == pytest.approx(before, abs=1e-6)
    liked.take_back(everything=False)


def test_it_goes_back_bit_for_bit() -> None:
    """Going back restores the original model's weights exactly."""
    trainer = new_trainer()
    learn(trainer, session(), 60)
    trainer.go_back(model())
    assert same(trainer.learner.offer(), model().upper_layers)


def test_knobs_turn_what_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The knobs of the components change the weights of their rewards in training."""
    trainer, beside = new_trainer(), session()
    told: list[list[float]] = []
    monkeypatch.setattr(trainer.learner, "reweigh", lambda weights: told.append(weights.tolist()))
    learn(trainer, beside, 10)
    assert [] == told
    beside.engine.panel.turn("harmony", 2.0, at_once=True)
    learn(trainer, beside, 10)
    ((harmony, coherence, creativity),) = told
    assert [4.0, 0.8, 0.5] == pytest.approx([harmony, coherence, creativity])


def test_what_comes_elsewhere_does_not_follow() -> None:
    """A cut ends the last transition where the engine restarts."""
    trainer = new_trainer()
    learn(trainer, session(), 20)
    before = trainer.learner.lived
    trainer.cut()
    assert before + 1 == trainer.learner.lived


def test_the_model_itself_spoils_nothing() -> None:
    """Compared with itself the model has no gain, no drift and all of its reward, and is not accepted."""
    verdict = new_acceptance_test().judge(model(), model(), [], STANDS)
    assert ("", 1.0, 0.0) == (verdict.fault, verdict.kept, verdict.gain)
    assert 0.0 == pytest.approx(verdict.drift, abs=1e-6)
    assert not verdict.accepted
    assert "no gain" in verdict.words


def test_what_would_spoil_it_is_refused() -> None:
    """Weights that are not numbers, or that drift far, are refused with the reason."""
    acceptance_test, weights = new_acceptance_test(), model().upper_layers
    player = [out_of_distribution_part("drone", GAME, 32, np.random.default_rng(0))]
    broken = weights | {"output.bias": np.full_like(weights["output.bias"], np.nan)}
    assert (
        "no longer finite numbers"
        in acceptance_test.judge(model().with_upper_layers(broken), model(), player, STANDS).fault
    )
    wild = {name: weight * 30 for name, weight in weights.items()}
    overflown = {name: weight * 1e30 for name, weight in weights.items()}
    with np.errstate(all="ignore"):
        assert acceptance_test.judge(model().with_upper_layers(overflown), model(), player, STANDS).fault
    assert "drifts" in acceptance_test.judge(model().with_upper_layers(wild), model(), player, STANDS).words


def test_a_loss_and_a_band_are_told() -> None:
    """A loss of reward, or a figure that leaves its band, is named as the reason."""
    acceptance_test = new_acceptance_test()
    column = acceptance_test._model  # noqa: SLF001 - the reference for the comparison
    assert "" == acceptance_test._fault(column, 0.98, 0.0)  # noqa: SLF001
    assert "it loses 10% of the held-out reward" == acceptance_test._fault(column, 0.9, 0.0)  # noqa: SLF001
    figure = "not in key %"
    worse = column | {figure: replace(column[figure], mean=column[figure].high + 5.0)}
    assert f"{figure} leaves its band" == acceptance_test._fault(worse, 1.0, 0.0)  # noqa: SLF001


def test_an_offer_is_refused_and_forgotten_where_it_would_spoil_something() -> None:
    """After a refused offer training continues from the weights in use."""

    class Strict(AcceptanceTest):
        """An acceptance test that refuses everything."""

        def __init__(self) -> None:
            """Need no pieces."""

        def judge(self, *_: object) -> AcceptanceResult:
            """Return a refusal."""
            return AcceptanceResult("it is refused", 1.0, 0.1, 0.0)

    trainer = new_trainer(acceptance_test=Strict())
    beside, offers = session(), list[Offer]()
    while not offers:
        offers = learn(trainer, beside, 1)
    assert not offers[0].verdict.accepted
    assert not same(offers[0].weights, model().upper_layers)
    assert same(trainer.learner.offer(), model().upper_layers)


def test_a_judge_hears_what_the_player_played() -> None:
    """The acceptance test plays beside the player's last stretches, and measures a gain there."""
    acceptance_test = new_acceptance_test()
    trainer = new_trainer(acceptance_test=acceptance_test)
    offers = learn(trainer, session(), 5 * JUDGED_BARS * SETTINGS.bar_steps + 10)
    assert 5 == len(offers)
    assert all(np.isfinite([offer.verdict.kept, offer.verdict.drift]).all() for offer in offers)
    assert any(offer.verdict.gain for offer in offers)


def test_what_was_heard_becomes_parts() -> None:
    """Each long enough stretch becomes a part with its assumed keys; the last bars are taken from its end."""
    held = PlayerStep(HOLD, 1, 60, 0, 3, 0)
    long = [PlayerStep(60, 1, 60, 0, 3, 0), *[held] * 513]
    short = [PlayerStep(REST, 0, -1, 0, 0, 0)] * 20
    (part,) = heard_parts([short, long, []], SETTINGS)
    assert (514, "melody") == (len(part.player), part.role.name)
    last = lately([part])
    assert [128] * 4 == [len(one.player) for one in last]
    assert 60 == last[0].player[0]
    silent = [PlayerStep(REST, 0, -1, 0, 0, 0)] * 160
    (quiet,) = heard_parts([silent], SETTINGS)
    assert (quiet.player == REST).all()


def test_what_was_heard_keeps_its_meter() -> None:
    """A part has the meter in which its bars were counted, and so have the last bars that are taken from it."""
    waltz = [PlayerStep(60, 1, 60, 0, 3, METERS.index(THREE))] * 514
    (part,) = heard_parts([waltz], SETTINGS)
    assert THREE == METERS[part.meter]
    assert [120] * 4 == [len(one.player) for one in lately([part])]


@pytest.mark.parametrize("kind", OUT_OF_DISTRIBUTION_PLAYERS)
def test_strangers_play_by_their_seed(kind: str) -> None:
    """An out-of-distribution player plays by its seed, for the requested length."""
    first, again, other = (out_of_distribution_part(kind, GAME, 32, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert 128 == len(first.player)
    assert (first.player == again.player).all()
    assert (first.player != other.player).any()
    assert (first.player >= 0).sum() >= 4


def test_an_engine_that_adopts_a_policy_plays_by_it() -> None:
    """An engine uses an adopted policy from its next decision on, even if a step was prepared before."""
    other = model().with_upper_layers({name: weight * 2 for name, weight in model().upper_layers.items()})
    engines = [Engine(SETTINGS, one, np.random.default_rng(0)) for one in (model(), other)]
    played = []
    for engine in engines:
        engine.start(0.0, 0.0)
        engine.prepare()
        if engine.actor is not other:
            engine.adopt(other)
        for _ in range(40):
            engine.step(0.0)
        played.append(engine.decision)
    assert played[0] is not None
    assert played[1] is not None
    assert played[0].choice is not None
    assert played[1].choice is not None
    assert (played[0].choice.q_values == played[1].choice.q_values).all()
