"""Reads and writes models as safetensors files: weights of the prior and the Q-network, and a header.

Nothing is unpickled. Tensor names are `prior.…` and `q.…`; the header's keys are strings. A model may also hold a
network that predicts the player, `player.…`; the header's entry PLAYER has its shape.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from improviser.agent.config import Group, NetworkConfig, network_config_from_json
from improviser.agent.layers import UPPER_LAYERS
from improviser.agent.policy import NETWORKS, Anticipator, Policy, Weights
from improviser.errors import CheckpointError
from improviser.files import bytes_digest, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

FORMAT: Final = "improviser-model-1"
SET_FORMAT: Final = "improviser-set-1"
PLAYER: Final = "player"
# Large weights that are stored in fewer bits. After reading, all weights are float32.
_STORED: Final = {"input.weight": np.float16}
_TRAIN: Final = "train it with `improviser train`"


def weight_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of each weight of one network."""
    shapes: dict[str, tuple[int, ...]] = {}
    if config.one_hot:
        shapes["input.weight"] = (config.rows, config.hidden)
    for group in () if config.one_hot else config.groups:
        shapes[f"embedding.{group.name}"] = (group.values, group.embedding)
        shapes[f"input.{group.name}"] = (group.columns, group.embedding, config.hidden)
    shapes["input.bias"] = (config.hidden,)
    shapes["hidden.weight"] = (config.hidden, config.hidden)
    shapes["hidden.bias"] = (config.hidden,)
    for layer in ("input_norm", "hidden_norm") if config.layer_norm else ():
        shapes[f"{layer}.weight"] = shapes[f"{layer}.bias"] = (config.hidden,)
    shapes["output.weight"] = (config.heads * config.actions, config.hidden)
    shapes["output.bias"] = (config.heads * config.actions,)
    return shapes


def upper_layer_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of each weight above the first layer."""
    return {name: shape for name, shape in weight_shapes(config).items() if name.split(".")[0] in UPPER_LAYERS}


def set_to_bytes(config: NetworkConfig, weights: Weights, notes: dict[str, str]) -> bytes:
    """Return a set of weights above the first layer as a safetensors file; the same set gives the same bytes."""
    tensors = {name: np.ascontiguousarray(weights[name], np.float32) for name in upper_layer_shapes(config)}
    return _in_order(save(tensors, metadata={**notes, "format": SET_FORMAT}))


def set_from_bytes(data: bytes, digest: str, config: NetworkConfig) -> Weights:
    """Return the weights that `set_to_bytes` wrote.

    Raises:
        CheckpointError: The bytes do not match the digest, or the weights are broken, do not fit the shape, or hold
            nan or infinity.
    """
    if bytes_digest(data) != digest:
        raise CheckpointError("learned weights are not those that were learned; they are not used")
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, TypeError) as error:
        raise CheckpointError(f"learned weights are corrupt ({error}); they are not used") from error
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if found != upper_layer_shapes(config):
        raise CheckpointError("learned weights belong to another model; they are not used")
    if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise CheckpointError("learned weights hold nan or infinity; they are not used")
    return tensors


def read_weights(path: Path, digest: str, config: NetworkConfig) -> Weights:
    """Return the weights above the first layer in a file.

    Raises:
        CheckpointError: The file is missing or broken, does not match the digest, or does not fit the shape.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"no learned weights at {path} ({error.strerror})") from error
    return set_from_bytes(data, digest, config)


def save_with_weights(model: Path, path: Path, digest: str, target: Path) -> None:
    """Write to `target` a copy of a model that has the set of weights at `path`, with this digest.

    Raises:
        CheckpointError: The model or the set is missing or broken, or `target` cannot be written.
    """
    config, networks, header = load_model(model)
    q = networks["q"] | read_weights(path, digest, config)
    notes = {name: text for name, text in header.items() if name not in {"format", "network"}}
    save_model(target, config, networks | {"q": q}, notes)


def save_model(path: Path, config: NetworkConfig, networks: dict[str, Weights], notes: dict[str, str]) -> None:
    """Write a model; the file appears complete or not at all.

    Args:
        path: The file to write.
        config: The shape of the Q-network; `NetworkConfig.prior` derives that of the prior.
        networks: The weights of `prior` and `q`, and of `player` if `notes` has the shape of that network.
        notes: More entries for the header, such as the style.
    """
    tensors = {
        f"{network}.{name}": np.ascontiguousarray(weight, _STORED.get(name, np.float32))
        for network, weights in sorted(networks.items())
        for name, weight in sorted(weights.items())
    }
    header = {**notes, "format": FORMAT, "network": config.to_json()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _in_order(save(tensors, metadata=header)))
    except (OSError, SafetensorError) as error:
        msg = f"cannot write the model {path}: {error}; check the disk and the folder"
        raise CheckpointError(msg) from error


def load_model(path: Path) -> tuple[NetworkConfig, dict[str, Weights], dict[str, str]]:
    """Return shape, weights by network, and header of the model at `path`.

    Raises:
        CheckpointError: The file is missing, corrupt, of another format, or its weights do not fit its shape.
    """
    if not path.is_file():
        msg = f"no model at {path}; {_TRAIN} or choose another preset"
        raise CheckpointError(msg)
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        msg = f"the model {path} is corrupt ({error}); install it again or {_TRAIN}"
        raise CheckpointError(msg) from error
    config = _config(path, header)
    shapes = dict(zip(NETWORKS, (config.prior(), config), strict=True))
    if PLAYER in header:
        shapes[PLAYER] = _shape(path, header[PLAYER])
    networks = {network: _weights(path, shape, tensors, network) for network, shape in shapes.items()}
    return config, networks, header


def load_policy(
    path: Path,
    groups: tuple[tuple[str, int, int], ...],
    actions: int,
    style: str | None = None,
    later: Collection[str] = (),
) -> Policy:
    """Return the policy of the model at `path`.

    Args:
        path: The model.
        groups: Name, columns and values of the features that the model must have been trained on.
        actions: The size of the action space.
        style: The style that the model's header must name; None accepts any.
        later: Names of features that a model may lack, because they came later.

    Raises:
        CheckpointError: As for `load_model`; or the model has other features, other actions or another style.
    """
    config, networks, header = load_grown(path, groups, later)
    found = _groups(config)
    if found != groups:
        wanted, other = next(pair for pair in zip_longest(groups, found) if pair[0] != pair[1])
        msg = f"the model {path} was trained for another observation: expected {wanted}, found {other}; {_TRAIN}"
        raise CheckpointError(msg)
    if config.actions != actions:
        counts = f"expected {actions} actions, found {config.actions}"
        msg = f"the model {path} was trained for other actions: {counts}; {_TRAIN}"
        raise CheckpointError(msg)
    if style not in {None, header.get("style")}:
        msg = f"the model {path} has another style: expected {style}, found {header.get('style')}; {_TRAIN}"
        raise CheckpointError(msg)
    anticipator = _anticipator(path, groups, later, networks, header) if PLAYER in networks else None
    return Policy(config, networks["prior"], networks["q"], anticipator=anticipator)


def load_grown(
    path: Path, groups: Sequence[tuple[str, int, int]], later: Collection[str] = ()
) -> tuple[NetworkConfig, dict[str, Weights], dict[str, str]]:
    """Return what `load_model` does, with prior and Q-network grown to `groups` if they can be, as `grown` does."""
    config, networks, header = load_model(path)
    found, shape_of = dict(networks), config
    for name, shape in zip(NETWORKS, (config.prior(), config), strict=True):
        shape_of, found[name] = grown(shape, networks[name], groups, later)
    return shape_of, found, header


def grown(
    config: NetworkConfig, weights: Weights, groups: Sequence[tuple[str, int, int]], later: Collection[str] = ()
) -> tuple[NetworkConfig, Weights]:
    """Return a network with `groups`, if it has the same or fewer values in them, or lacks only groups in `later`.

    What it has not seen has weights of zero, so that it changes nothing. Another network is returned as it is.
    """
    own, wanted = {group.name: group for group in config.groups}, [Group(*group) for group in groups]
    same = [group for group in wanted if group.name in own or group.name not in later]
    if config.one_hot or [group.name for group in same] != list(own):
        return config, weights
    if any(
        (group.columns, group.embedding) != (own[group.name].columns, own[group.name].embedding)
        or group.values < own[group.name].values
        for group in same
    ):
        return config, weights
    found = dict(weights)
    for group in wanted:
        embedding, layer = f"embedding.{group.name}", f"input.{group.name}"
        if group.name in own:
            more = group.values - own[group.name].values
            found[embedding] = np.pad(weights[embedding], ((0, more), (0, 0)))
        else:
            found[embedding] = np.zeros((group.values, group.embedding), dtype=np.float32)
            found[layer] = np.zeros((group.columns, group.embedding, config.hidden), dtype=np.float32)
    return replace(config, groups=tuple(wanted)), found


def _anticipator(
    path: Path,
    groups: tuple[tuple[str, int, int], ...],
    later: Collection[str],
    networks: dict[str, Weights],
    header: dict[str, str],
) -> Anticipator:
    """Return the network that predicts the player; its features must be the first ones of `groups`."""
    config = _shape(path, header[PLAYER])
    names, last = [name for name, _, _ in groups], config.groups[-1].name
    first = groups[: names.index(last) + 1] if last in names else ()
    config, weights = grown(config, networks[PLAYER], first, later)
    if _groups(config) != first:
        raise CheckpointError(f"the model {path} predicts a player from another observation; {_TRAIN}")
    return Anticipator(config, weights)


def _groups(config: NetworkConfig) -> tuple[tuple[str, int, int], ...]:
    """Return a network's groups as plain tuples."""
    return tuple((group.name, group.columns, group.values) for group in config.groups)


def _in_order(data: bytes) -> bytes:
    """Return a safetensors file with sorted metadata; the library writes it in a different order each time.

    Source: https://github.com/huggingface/safetensors#format - 8 bytes length, JSON header, tensors.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[end:]


def _config(path: Path, header: dict[str, str]) -> NetworkConfig:
    """Return the shape that the header states."""
    if header.get("format") != FORMAT:
        found = header.get("format", "none")
        msg = f"{path} is not an improviser model: expected format {FORMAT}, found {found}; {_TRAIN}"
        raise CheckpointError(msg)
    return _shape(path, header.get("network", "null"))


def _shape(path: Path, text: str) -> NetworkConfig:
    """Return the shape of a network that the header states as `text`."""
    try:
        return network_config_from_json(text)
    except ValueError as error:
        msg = f"the model {path} has a broken header: {error}; {_TRAIN}"
        raise CheckpointError(msg) from error


def _weights(path: Path, config: NetworkConfig, tensors: Weights, network: str) -> Weights:
    """Return one network's weights; raise CheckpointError if a shape is wrong or a number is not finite."""
    weights: Weights = {}
    for name, shape in weight_shapes(config).items():
        tensor = tensors.get(f"{network}.{name}")
        if tensor is None or tensor.shape != shape:
            found = "none" if tensor is None else str(tensor.shape)
            msg = f"the model {path} has a wrong {network}.{name}: expected {shape}, found {found}; {_TRAIN}"
            raise CheckpointError(msg)
        with np.errstate(over="ignore"):  # too large for float32 becomes infinity, refused below
            weights[name] = tensor.astype(np.float32)
        if not np.isfinite(weights[name]).all():
            msg = f"the model {path} is broken: {network}.{name} holds nan or infinity; {_TRAIN}"
            raise CheckpointError(msg)
    return weights
