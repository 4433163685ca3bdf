"""The shipped weights of the beat network: `presets/models/beat.safetensors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.config.resources import model_path
from improviser.errors import CheckpointError
from improviser.listening.beat.bar_network import BAR_SHAPES
from improviser.listening.beat.pulse_network import WEIGHT_SHAPES
from improviser.listening.beat.sequence_network import SEQUENCE_SHAPES

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.listening.beat.pulse_network import BeatWeights

BEAT_MODEL: Final = "beat.safetensors"


def load_beat_weights(path: Path | None = None) -> BeatWeights:
    """Return the weights of the beat network in the file at `path`; None: the user's own file, or the shipped one.

    Raises:
        CheckpointError: The file is missing, corrupt, or of another shape.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - only where the beat is followed
    from safetensors.numpy import load_file  # noqa: PLC0415 - as above

    path = path or model_path(BEAT_MODEL)
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot read the beat model {path}: {error}. Reinstall improviser") from error
    if {name: array.shape for name, array in weights.items()} != {**WEIGHT_SHAPES, **BAR_SHAPES, **SEQUENCE_SHAPES}:
        raise CheckpointError(f"the beat model {path} is of another version. Reinstall improviser")
    return weights
