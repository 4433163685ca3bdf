"""The shipped model of the beat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from improviser.config.beat_model import load_beat_weights
from improviser.errors import CheckpointError


def test_the_shipped_model_is_read() -> None:
    """All weights of the shipped model are finite."""
    assert all(np.isfinite(array.astype(np.float64)).all() for array in load_beat_weights().values())


def test_a_missing_or_corrupt_file_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    corrupt = tmp_path / "corrupt.safetensors"
    corrupt.write_bytes(b"no model")
    for path in (tmp_path / "missing.safetensors", corrupt):
        with pytest.raises(CheckpointError, match=path.name):
            load_beat_weights(path)


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    """Weights of another version are not used."""
    path = tmp_path / "old.safetensors"
    save_file({"prior": np.zeros(3, dtype=np.float32)}, path)
    with pytest.raises(CheckpointError, match="another version"):
        load_beat_weights(path)
