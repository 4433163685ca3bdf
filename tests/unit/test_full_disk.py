"""A full disk: each writer raises, keeps the existing file, and leaves no partial file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.agent.checkpoint import save_model
from improviser.agent.config import DQNConfig
from improviser.agent.learner import Learner
from improviser.corpus.cache import Cached, write_cache
from improviser.errors import CheckpointError, ImproviserError, MidiFileError
from improviser.midi.smf import write_file
from improviser.training.run_state import FILE, RunState, save_run
from tests.full_disk import full_disk
from tests.tiny_corpus import tiny_corpus
from tests.tiny_network import SMALL, make_network, make_weights
from tests.written import TUNE, to_song


def song(folder: Path) -> None:
    """Write a song."""
    write_file(folder / "song.mid", to_song(TUNE))


def model(folder: Path) -> None:
    """Write a model."""
    save_model(folder / "model.safetensors", SMALL, {"prior": make_weights(), "q": make_weights()}, {})


def run(folder: Path) -> None:
    """Write the state of a run."""
    save_run(folder, "one", Learner(make_network(), DQNConfig()), RunState(1, 1))


def cache(folder: Path) -> None:
    """Write the corpus."""
    write_cache(folder / "corpus.npz", Cached("parser", tiny_corpus(), Counter(), Counter()))


@pytest.mark.parametrize(
    ("write", "error", "name", "told"),
    [
        (
            song,
            MidiFileError,
            "song.mid",
            r"song\.mid: cannot be written: File too large; choose another place$",
        ),
        (model, CheckpointError, "model.safetensors", r"^cannot write the model .*; check the disk "),
        (
            run,
            CheckpointError,
            FILE,
            r"^cannot save the run in .*; free some space and give the same command again$",
        ),
        (cache, OSError, "corpus.npz", "File too large"),
    ],
)
def test_what_does_not_fit_is_told(
    write: Callable[[Path], None], error: type[ImproviserError], name: str, told: str, tmp_path: Path
) -> None:
    """Without space the writer raises, and the folder is unchanged."""
    for path in (tmp_path / "model.safetensors", tmp_path / name):
        path.write_bytes(b"old")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with full_disk(), pytest.raises(error, match=told):
        write(tmp_path)
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}
