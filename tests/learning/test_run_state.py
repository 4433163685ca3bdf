"""The saved state of a training run, from which it resumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improviser.agent.config import DQNConfig
from improviser.agent.learner import Learner
from improviser.training.run_state import FILE, RunState, load_run, run_folder, save_run
from tests.tiny_network import SMALL, make_batch, make_network

CONFIG = DQNConfig(target_update_interval=4)
STATE = RunState(transitions=640, restarts=2)


def learned(updates: int) -> Learner:
    """Return a learner after some updates, between two synchronisations."""
    learner = Learner(make_network(), CONFIG)
    rng = np.random.default_rng(0)
    for _ in range(updates):
        learner.learn_step(make_batch(SMALL, 8, rng))
    return learner


def weights_of(learner: Learner) -> dict[str, list[float]]:
    """Return all weights of both networks."""
    networks = {"q": learner.q_network, "target": learner.target_network}
    return {
        f"{key}.{name}": weight.ravel().tolist()
        for key, network in networks.items()
        for name, weight in network.to_weights().items()
    }


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Networks, optimiser and counters are restored, so that the next updates are identical."""
    before, after = learned(6), Learner(make_network(seed=5), CONFIG)
    save_run(tmp_path, "one", before, STATE)
    assert STATE == load_run(tmp_path, "one", after)
    assert weights_of(before) == weights_of(after)
    assert before.updates == after.updates == 6
    kept, loaded = (learner.optimizer.state_dict()["state"] for learner in (before, after))
    assert kept.keys() == loaded.keys()
    for index, moments in kept.items():
        for name, moment in moments.items():
            np.testing.assert_array_equal(moment, loaded[index][name])
    for learner in (before, after):
        for seed in range(3):  # over a synchronisation
            learner.learn_step(make_batch(SMALL, 8, np.random.default_rng(seed)))
    assert weights_of(before) == weights_of(after)


def test_a_run_that_has_not_learned_yet(tmp_path: Path) -> None:
    """A run without any update has no optimiser moments, and is still restored."""
    save_run(tmp_path, "one", learned(0), RunState(64, 0))
    assert RunState(64, 0) == load_run(tmp_path, "one", Learner(make_network(seed=5), CONFIG))


def test_another_run_is_not_taken_up(tmp_path: Path) -> None:
    """A file of another run is ignored, and the learner stays unchanged."""
    save_run(tmp_path, "one", learned(3), STATE)
    _starts_anew(tmp_path, "other")


@pytest.mark.parametrize("kept", [0, 1, 7, 100, 5_000])
def test_a_truncated_file_is_not_taken_up(tmp_path: Path, kept: int) -> None:
    """A truncated file is ignored, and the run starts again."""
    save_run(tmp_path, "one", learned(3), STATE)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:kept])
    _starts_anew(tmp_path, "one")


def test_no_file(tmp_path: Path) -> None:
    """Without a file the run starts from the beginning."""
    _starts_anew(tmp_path / "nowhere", "one")


def test_saving_leaves_nothing_else(tmp_path: Path) -> None:
    """A file is replaced as a whole, and no partial file stays."""
    for updates in (1, 2):
        save_run(tmp_path / "new", "one", learned(updates), RunState(updates, 0))
    assert [FILE] == [path.name for path in (tmp_path / "new").iterdir()]
    assert RunState(2, 0) == load_run(tmp_path / "new", "one", learned(0))


def test_runs_live_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's folder is below IMPROVISER_CACHE_DIR."""
    monkeypatch.setenv("IMPROVISER_CACHE_DIR", str(tmp_path))
    assert tmp_path / "training" / "chorale" == run_folder("chorale")


def _starts_anew(folder: Path, fingerprint: str) -> None:
    """Check that nothing is loaded and nothing has changed."""
    learner = Learner(make_network(seed=5), CONFIG)
    before = weights_of(learner)
    assert load_run(folder, fingerprint, learner) is None
    assert before == weights_of(learner)
    assert learner.updates == 0
