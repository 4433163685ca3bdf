"""The state of a training run on disk, as safetensors, so that an interrupted run can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from improviser.config.resources import cache_folder
from improviser.errors import CheckpointError
from improviser.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor

    from improviser.agent.learner import Learner

FILE: Final = "run.safetensors"
_MOMENTS: Final = ("exp_avg", "exp_avg_sq", "step")


@dataclass(frozen=True, slots=True)
class RunState:
    """The number of transitions that a run has sampled, and how many processes have saved it so far."""

    transitions: int
    restarts: int


def run_folder(name: str) -> Path:
    """Return the folder of the run called `name`, in the cache folder."""
    return cache_folder() / "training" / name


def save_run(folder: Path, fingerprint: str, learner: Learner, state: RunState) -> None:
    """Write networks, optimiser and counters; the file is replaced as a whole or not at all.

    Raises:
        CheckpointError: The file cannot be written.
    """
    tensors = {f"q.{name}": value for name, value in learner.q_network.state_dict().items()}
    tensors |= {f"target.{name}": value for name, value in learner.target_network.state_dict().items()}
    for index, moments in learner.optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": moments[name] for name in _MOMENTS}
    header = {
        "fingerprint": fingerprint,
        "transitions": str(state.transitions),
        "restarts": str(state.restarts),
        "updates": str(learner.updates),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata=header)
        write_whole(folder / FILE, data)
    except (OSError, SafetensorError) as error:
        msg = f"cannot save the run in {folder}: {error}; free some space and give the same command again"
        raise CheckpointError(msg) from error


def load_run(folder: Path, fingerprint: str, learner: Learner) -> RunState | None:
    """Restore `learner` to the saved run with this fingerprint; return None where no such run can be read."""
    try:
        with safe_open(folder / FILE, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("fingerprint") != fingerprint:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError):
        return None
    learner.q_network.load_state_dict(_under("q.", tensors))
    learner.target_network.load_state_dict(_under("target.", tensors))
    learner.optimizer.load_state_dict(_adam(learner.optimizer.state_dict(), _under("adam.", tensors)))
    learner.updates = int(header["updates"])
    return RunState(int(header["transitions"]), int(header["restarts"]))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `prefix`, without that prefix."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _adam(state: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the optimiser's state dictionary with the saved moments."""
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, moment = name.split(".")
        moments.setdefault(int(index), {})[moment] = tensor
    return {**state, "state": moments}
