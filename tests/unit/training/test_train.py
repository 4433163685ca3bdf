"""A whole training run on a corpus of a few bars: its model, its seed, its interruption."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from improviser.agent.checkpoint import PLAYER, load_model, load_policy, save_model
from improviser.agent.config import DQNConfig
from improviser.agent.network import Network
from improviser.listening.observation import GROUPS
from improviser.playing.actions import ACTION_COUNT
from improviser.training import material as material_module
from improviser.training import simulated as simulated_module
from improviser.training import train as train_module
from improviser.training.env import NETWORK, RewardWeights
from improviser.training.grid import Part
from improviser.training.material import GameSettings
from improviser.training.next_event import EVENTS
from improviser.training.run_state import FILE
from improviser.training.train import Progress, Scores, TrainingSettings, from_prior, train, train_player
from tests.tiny_corpus import tiny_corpus
from tests.tiny_network import make_observations

LANES = 8
DQN = DQNConfig(batch_size=16, buffer_size=500, learning_starts=LANES * 4, train_frequency=LANES * 2)
TINY = TrainingSettings(GameSettings("fiddle"), prior_updates=3, transitions=LANES * 20, lanes=LANES, dqn=DQN)
MODEL = "model.safetensors"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Report and save at every step, with one thread because the batches are small."""
    monkeypatch.setattr(train_module, "REPORT_EVERY", 1)
    monkeypatch.setattr(train_module, "SAVE_EVERY_S", -1.0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(folder: Path, settings: TrainingSettings = TINY) -> tuple[Scores, list[Progress]]:
    """Train, and return the scores and the reports."""
    told: list[Progress] = []
    return train(settings, tiny_corpus(), folder, told.append), told


def test_a_run_writes_a_model_that_plays(tmp_path: Path) -> None:
    """Live play loads the model, which also predicts the player; the networks differ; the header has the style."""
    scores, _ = run(tmp_path)
    policy = load_policy(tmp_path / MODEL, GROUPS, ACTION_COUNT)
    row = make_observations(NETWORK, 1, np.random.default_rng(0))[0]
    log_prior, q_values = policy.values(row)
    chances = policy.anticipate(row)
    assert chances is not None
    assert (EVENTS, pytest.approx(1.0)) == (len(chances), chances.sum())
    assert np.isfinite(log_prior).all()
    assert np.isfinite(q_values).all()
    config, networks, header = load_model(tmp_path / MODEL)
    assert (NETWORK, "fiddle") == (config, header["style"])
    assert not np.array_equal(networks["prior"]["hidden.weight"], networks["q"]["hidden.weight"])
    for score in (scores.prior, scores.player):
        assert 0 < score.nats < 4
        assert 0 <= score.note_accuracy <= 1
        assert 0 <= score.accuracy <= 1


def test_progress_is_reported(tmp_path: Path) -> None:
    """All stages are reported from their first step to their last."""
    _, told = run(tmp_path)
    assert ["prior"] * 3 + ["Q-network"] * 20 + ["player"] * 3 == [progress.stage for progress in told]
    assert [1, 2, 3] == [progress.done for progress in told[:3]] == [progress.done for progress in told[-3:]]
    assert [LANES * step for step in range(1, 21)] == [progress.done for progress in told[3:-3]]
    assert {3, LANES * 20} == {progress.total for progress in told}
    assert 0 == told[-1].left_s < told[3].left_s
    assert told[-1].loss > 0


def test_progress_is_told_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is reported at intervals and at the end, past an episode's end, and the final state is saved."""
    monkeypatch.setattr(train_module, "REPORT_EVERY", 50)
    monkeypatch.setattr(train_module, "SAVE_EVERY_S", 1e9)
    _, told = run(tmp_path, replace(TINY, transitions=LANES * 130))
    assert [3, LANES * 50, LANES * 100, LANES * 130, 3] == [progress.done for progress in told]
    assert (tmp_path / FILE).exists()


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    """Two runs with the same seed write identical models, and another seed another one."""
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        run(tmp_path / name, replace(TINY, seed=seed))
    one, again, other = ((tmp_path / name / MODEL).read_bytes() for name in ("one", "again", "other"))
    assert one == again
    assert one != other


def test_a_run_goes_on_after_an_interruption(tmp_path: Path) -> None:
    """After Ctrl-C during the Q-network's stage that stage resumes, and the prior is not fitted again."""
    stop_at = LANES * 12

    def interrupt(progress: Progress) -> None:
        """Raise KeyboardInterrupt."""
        if progress.stage == "Q-network" and progress.done == stop_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TINY, tiny_corpus(), tmp_path, interrupt)
    assert not (tmp_path / MODEL).exists()
    _, told = run(tmp_path)
    # The one step since the last save is done again.
    assert [*(LANES * step for step in range(12, 21)), 1, 2, 3] == [progress.done for progress in told]
    assert (tmp_path / MODEL).exists()


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    """A finished run gives the same model at once."""
    first, _ = run(tmp_path)
    model = (tmp_path / MODEL).read_bytes()
    again, told = run(tmp_path)
    assert (first, []) == (again, told)
    assert model == (tmp_path / MODEL).read_bytes()


def test_other_settings_start_anew(tmp_path: Path) -> None:
    """A run with other settings in the same folder starts from the beginning."""
    run(tmp_path)
    _, told = run(tmp_path, replace(TINY, weights=RewardWeights(harmony=0.5)))
    assert 26 == len(told)


def test_broken_files_start_anew(tmp_path: Path) -> None:
    """Truncated networks and a truncated state are made again, and the model is the same."""
    run(tmp_path)
    model = (tmp_path / MODEL).read_bytes()
    (prior,), (player,) = tmp_path.glob("prior-*"), tmp_path.glob("player-*")
    for path in (prior, player, tmp_path / FILE):
        path.write_bytes(path.read_bytes()[:1000])
    _, told = run(tmp_path)
    assert 26 == len(told)
    assert model == (tmp_path / MODEL).read_bytes()


def test_a_fingerprint_tells_runs_apart() -> None:
    """Every setting changes the fingerprint."""
    others = (
        replace(TINY, seed=1),
        replace(TINY, prior_updates=4),
        replace(TINY, transitions=8),
        replace(TINY, lanes=4),
        replace(TINY, game=GameSettings("chorale")),
        replace(TINY, game=GameSettings("fiddle", register_low=48)),
        replace(TINY, weights=RewardWeights(creativity=0.0)),
        replace(TINY, dqn=replace(DQN, gamma=0.8)),
        replace(TINY, hidden=0.5),
    )
    assert 1 + len(others) == len({settings.fingerprint([]) for settings in (TINY, *others)})
    assert TINY.fingerprint([]) == replace(TINY).fingerprint([])


def test_a_one_hot_layer_begins_as_the_prior() -> None:
    """Before the first update a one-hot Q-network gives the same values as one with embeddings."""
    prior = Network(TINY.network().prior(), torch.Generator().manual_seed(1))
    rows = torch.from_numpy(make_observations(NETWORK, 20, np.random.default_rng(0)))
    shared, free = (
        from_prior(prior, replace(TINY, dqn=replace(DQN, decomposed=True, one_hot=one_hot)))
        for one_hot in (False, True)
    )
    assert free.config.one_hot
    expected, found = (network(rows).detach().numpy() for network in (shared, free))
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(expected, found, atol=1e-6)


def test_only_the_network_of_the_player_is_trained(tmp_path: Path) -> None:
    """It is the one that a whole training gives, also in a model without it; the other networks and notes stay."""
    scores, _ = run(tmp_path)
    model = tmp_path / MODEL
    config, networks, header = load_model(model)
    whole = model.read_bytes()
    notes = {name: text for name, text in header.items() if name not in {"format", "network", PLAYER}}
    save_model(model, config, {name: networks[name] for name in ("prior", "q")}, notes)
    told: list[Progress] = []
    assert scores.player == train_player(TINY, tiny_corpus(), model, told.append)
    assert ["player"] * 3 == [progress.stage for progress in told]
    assert whole == model.read_bytes()
    assert scores.player != train_player(replace(TINY, seed=1), tiny_corpus(), model, told.append)
    for name in ("prior", "q"):
        for weight, kept in networks[name].items():
            np.testing.assert_array_equal(kept, load_model(model)[1][name][weight])


def test_the_hidden_share_reaches_imitation_and_players(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The share of notes that are heard late is the one of the settings, for the prior's data and simulated players."""
    asked: list[float] = []
    for module in (simulated_module, material_module):
        unheard = module.with_unheard

        def spy(part: Part, rng: np.random.Generator, hidden: float, unheard: Any = unheard) -> Part:  # noqa: ANN401
            """Note the share."""
            asked.append(hidden)
            kept: Part = unheard(part, rng, hidden)
            return kept

        monkeypatch.setattr(module, "with_unheard", spy)
    run(tmp_path, replace(TINY, hidden=0.5, simulated=1.0))
    assert {0.5} == set(asked)
