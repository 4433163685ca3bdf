"""Models on disk: a saved model loads unchanged, and an invalid one is refused in one line."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.numpy import load_file, save_file

from improviser.agent.checkpoint import FORMAT, PLAYER, load_model, load_policy, save_model, weight_shapes
from improviser.agent.config import Group, NetworkConfig, network_config_from_json
from improviser.agent.policy import Anticipator, Policy
from improviser.errors import CheckpointError
from tests.tiny_network import SMALL, make_observations, make_weights

GROUPS = tuple((group.name, group.columns, group.values) for group in SMALL.groups)
NETWORKS = {"prior": make_weights(seed=1), "q": make_weights(seed=2)}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model on disk."""
    path = tmp_path / "models" / "small.safetensors"
    save_model(path, SMALL, NETWORKS, {"style": "chorale"})
    return path


def refusal(path: Path) -> str:
    """Return the one line with which a model is refused."""
    with pytest.raises(CheckpointError) as caught:
        load_policy(path, GROUPS, SMALL.actions)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def rewrite(path: Path, header: dict[str, str], **changed: npt.NDArray[np.generic]) -> None:
    """Write a model again with other header lines and other tensors; `__` in a name means a dot."""
    tensors = load_file(path) | {name.replace("__", "."): tensor for name, tensor in changed.items()}
    save_file(tensors, path, metadata={"format": FORMAT, "network": SMALL.to_json()} | header)


def test_round_trip(model: Path) -> None:
    """Shape, weights and header are unchanged after saving and loading."""
    config, networks, header = load_model(model)
    assert (SMALL, "chorale") == (config, header["style"])
    for network, weights in NETWORKS.items():
        assert weights.keys() == networks[network].keys()
        for name, weight in weights.items():
            np.testing.assert_array_equal(weight, networks[network][name])


def test_a_model_without_later_features_is_read(model: Path) -> None:
    """Features that came later change nothing, wherever they stand."""
    note, flag, bar = GROUPS
    wider = (note, ("later", 4, 6), flag, bar)
    policy = load_policy(model, wider, SMALL.actions, later={"later"})
    before = load_policy(model, GROUPS, SMALL.actions)
    rng = np.random.default_rng(1)
    for row in make_observations(SMALL, 8, rng):
        longer = np.concatenate([row[:3], rng.integers(0, 6, 4), row[3:]]).astype(np.uint8)
        for now, then in zip(policy.values(longer), before.values(row), strict=True):
            np.testing.assert_allclose(now, then, rtol=1e-5)
    for groups in (wider, (flag, note, bar)):
        with pytest.raises(CheckpointError, match="another observation"):
            load_policy(model, groups, SMALL.actions)


def test_a_model_of_fewer_styles_is_read(model: Path) -> None:
    """Values that came later have embeddings of zeros; for the others the policy is the same."""
    *others, last = GROUPS
    wider = (*others, (last[0], last[1], last[2] + 1))
    policy, before = load_policy(model, wider, SMALL.actions), load_policy(model, GROUPS, SMALL.actions)
    assert wider == tuple((group.name, group.columns, group.values) for group in policy.config.groups)
    for row in make_observations(SMALL, 8, np.random.default_rng(0)):
        for now, then in zip(policy.values(row), before.values(row), strict=True):
            np.testing.assert_allclose(now, then, rtol=1e-5)
    with pytest.raises(CheckpointError, match="another observation"):
        load_policy(model, (*others, (last[0], last[1], last[2] - 1)), SMALL.actions)
    with pytest.raises(CheckpointError, match="another observation"):
        load_policy(model, (*others, (last[0], last[1], 30)), SMALL.actions)


def test_the_policy_of_a_model(model: Path) -> None:
    """A loaded policy returns the same values as the saved one."""
    observation = make_observations(SMALL, 1, np.random.default_rng(0))[0]
    expected = Policy(SMALL, NETWORKS["prior"], NETWORKS["q"]).values(observation)
    found = load_policy(model, GROUPS, SMALL.actions).values(observation)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_saving_is_reproducible(model: Path, tmp_path: Path) -> None:
    """The same model gives the same bytes, whatever the order of its weights, and no other file remains."""
    backwards = {key: dict(reversed(NETWORKS[key].items())) for key in reversed(NETWORKS)}
    save_model(tmp_path / "again.safetensors", SMALL, backwards, {"style": "chorale"})
    assert model.read_bytes() == (tmp_path / "again.safetensors").read_bytes()
    assert [model.name] == [path.name for path in model.parent.iterdir()]


def test_half_precision_is_widened(model: Path) -> None:
    """Weights of another floating-point type are read as float32."""
    rewrite(model, {}, q__output__bias=np.ones(SMALL.actions, dtype=np.float16))
    assert np.float32 == load_model(model)[1]["q"]["output.bias"].dtype


def test_missing(tmp_path: Path) -> None:
    """A missing model is named, with the command that makes one."""
    assert "improviser train" in refusal(tmp_path / "nowhere.safetensors")
    assert "no model" in refusal(tmp_path)


@pytest.mark.parametrize("kept", [0, 1, 8, 100, 2_000, -1])
def test_truncated(model: Path, kept: int) -> None:
    """Wherever a file is cut off, it is refused as corrupt."""
    model.write_bytes(model.read_bytes()[:kept])
    assert "is corrupt" in refusal(model)


@pytest.mark.parametrize(
    "content",
    [b"MThd\x00\x00\x00\x06" * 20, b"\xff" * 64, b"\x00" * 64, b"\n\n\n", b'{"a": 1}\n' * 30],
    ids=["midi", "ones", "zeros", "lines", "json"],
)
def test_garbage(model: Path, content: bytes) -> None:
    """Bytes that are no safetensors file are refused as corrupt."""
    model.write_bytes(content)
    assert "is corrupt" in refusal(model)


def test_a_pickle_is_never_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pickle, or a .pt file, is refused, and nothing in it runs."""

    class Malice:
        """Prints when it is unpickled."""

        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("unpickled",)

    for name in ("model.pkl", "model.safetensors"):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Malice()))
        assert "is corrupt" in refusal(path)
    path = tmp_path / "model.pt"
    torch.save({"q.output.bias": torch.zeros(5)}, path)
    assert "is corrupt" in refusal(path)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("header", "found"), [({"format": "improviser-model-99"}, "improviser-model-99"), ({"format": ""}, "")]
)
def test_another_format(model: Path, header: dict[str, str], found: str) -> None:
    """The error names the expected and the actual format."""
    rewrite(model, header)
    assert f"expected format {FORMAT}, found {found}" in refusal(model)


def test_a_file_without_a_header(model: Path) -> None:
    """A safetensors file of another program is refused."""
    save_file({"weight": np.zeros(3, dtype=np.float32)}, model)
    assert f"expected format {FORMAT}, found none" in refusal(model)


@pytest.mark.parametrize(
    "network",
    [
        "",
        "null",
        "[]",
        "{",
        '{"groups": [["note", 3]], "actions": 5, "hidden": 16}',
        '{"groups": [["note", "x", 3]], "actions": 5, "hidden": 16}',
        '{"groups": [], "actions": Infinity, "hidden": 16}',
        '{"groups": [], "hidden": 16}',
    ],
)
def test_a_broken_shape(model: Path, network: str) -> None:
    """A header without a valid shape is refused."""
    rewrite(model, {"network": network})
    assert "broken header" in refusal(model)


def test_a_wrong_shape(model: Path) -> None:
    """A weight of the wrong shape is named, with the shape expected and found."""
    rewrite(model, {}, q__output__bias=np.zeros(7, dtype=np.float32))
    assert "q.output.bias: expected (5,), found (7,)" in refusal(model)


def test_a_missing_weight(model: Path) -> None:
    """A missing weight is named."""
    tensors = load_file(model)
    del tensors["prior.hidden.weight"]
    save_file(tensors, model, metadata={"format": FORMAT, "network": SMALL.to_json()})
    assert "prior.hidden.weight: expected (16, 16), found none" in refusal(model)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e300])
def test_weights_that_are_no_numbers(model: Path, number: float) -> None:
    """Nan, infinity and values beyond float32 are refused."""
    rewrite(model, {}, q__hidden__bias=np.full(16, number))
    assert "q.hidden.bias holds nan or infinity" in refusal(model)


def test_another_observation(model: Path) -> None:
    """A model of another observation layout is refused, with the first group that differs as expected and found."""
    groups = (GROUPS[0], ("flag", 3, 2), GROUPS[2])
    with pytest.raises(CheckpointError, match=r"expected \('flag', 3, 2\), found \('flag', 2, 2\)"):
        load_policy(model, groups, SMALL.actions)
    with pytest.raises(CheckpointError, match=r"expected \('more', 1, 2\), found None"):
        load_policy(model, (*GROUPS, ("more", 1, 2)), SMALL.actions)


def test_another_action_space(model: Path) -> None:
    """A model of other actions is refused."""
    with pytest.raises(CheckpointError, match="expected 6 actions, found 5"):
        load_policy(model, GROUPS, 6)


def test_another_style_is_refused(model: Path) -> None:
    """A model of another style is refused with both styles; a model of the expected style loads."""
    load_policy(model, GROUPS, SMALL.actions, "chorale")
    with pytest.raises(CheckpointError, match="expected fiddle, found chorale"):
        load_policy(model, GROUPS, SMALL.actions, "fiddle")


def test_an_unwritable_folder(tmp_path: Path) -> None:
    """Where the folder cannot be created or written, saving fails with one line."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"cannot write the model .*file") as caught:
        save_model(tmp_path / "file" / "model.safetensors", SMALL, NETWORKS, {})
    assert "\n" not in str(caught.value)


def test_shapes() -> None:
    """Each group has an embedding and a part of the first layer; two more layers follow."""
    config = NetworkConfig((Group("note", 3, 40), Group("flag", 2, 2), Group("bar", 1, 8)), 5, 16)
    assert {
        "embedding.note": (40, 8),
        "input.note": (3, 8, 16),
        "embedding.flag": (2, 1),
        "input.flag": (2, 1, 16),
        "embedding.bar": (8, 4),
        "input.bar": (1, 4, 16),
        "input.bias": (16,),
        "hidden.weight": (16, 16),
        "hidden.bias": (16,),
        "output.weight": (5, 16),
        "output.bias": (5,),
    } == weight_shapes(config)
    assert (6, 132) == (config.columns, config.rows)
    assert [0, 40, 80, 120, 122, 124] == config.row_offsets().tolist()


def test_a_shape_as_text() -> None:
    """A shape is unchanged after JSON; the default is one head and no norm."""
    for config in (SMALL, replace(SMALL, heads=3, layer_norm=True), replace(SMALL, one_hot=True)):
        assert config == network_config_from_json(config.to_json())
    text = json.loads(SMALL.to_json())
    assert {"groups", "actions", "hidden", "heads", "layer_norm", "one_hot"} == text.keys()
    del text["heads"], text["layer_norm"], text["one_hot"]
    assert SMALL == network_config_from_json(json.dumps(text))


def test_a_one_hot_layer_is_kept_in_half_the_bits(tmp_path: Path) -> None:
    """A Q-network's one-hot first layer is stored in two bytes a weight and loads as the nearest float32."""
    config = replace(SMALL, heads=3, one_hot=True)
    networks = {"prior": make_weights(config.prior()), "q": make_weights(config)}
    save_model(tmp_path / "m.safetensors", config, networks, {})
    found, loaded, _ = load_model(tmp_path / "m.safetensors")
    assert config == found
    first, given = loaded["q"]["input.weight"], networks["q"]["input.weight"]
    assert np.float32 == first.dtype
    np.testing.assert_array_equal(given.astype(np.float16).astype(np.float32), first)
    np.testing.assert_array_equal(networks["q"]["hidden.weight"], loaded["q"]["hidden.weight"])


FIRST = replace(SMALL, groups=SMALL.groups[:2], actions=7)


@pytest.fixture
def foreseeing(tmp_path: Path) -> Path:
    """A model on disk that predicts the player from the first two features."""
    path = tmp_path / "foreseeing.safetensors"
    networks = {**NETWORKS, PLAYER: make_weights(FIRST, 3)}
    save_model(path, SMALL, networks, {PLAYER: FIRST.to_json()})
    return path


def test_a_model_that_predicts_the_player(foreseeing: Path, model: Path) -> None:
    """Its policy predicts as the saved network does; a model without that network plays without."""
    row = make_observations(SMALL, 1, np.random.default_rng(0))[0]
    expected = Anticipator(FIRST, make_weights(FIRST, 3)).chances(row)
    found = load_policy(foreseeing, GROUPS, SMALL.actions).anticipate(row)
    np.testing.assert_array_equal(expected, found)
    assert None is load_policy(model, GROUPS, SMALL.actions).anticipate(row)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (replace(FIRST, groups=SMALL.groups[1:]).to_json(), "wrong player"),
        (replace(FIRST, groups=(Group("other", 3, 40), SMALL.groups[1])).to_json(), "wrong player"),
        ("nothing", "broken header"),
    ],
    ids=["other columns", "another feature", "no shape"],
)
def test_a_prediction_of_another_shape_is_refused(foreseeing: Path, shape: str, words: str) -> None:
    """A network of the player that does not fit its shape is refused."""
    rewrite(foreseeing, {PLAYER: shape})
    assert words in refusal(foreseeing)


def test_a_prediction_from_another_observation_is_refused(tmp_path: Path) -> None:
    """The network of the player must read the first features of the observation."""
    path = tmp_path / "other.safetensors"
    other = replace(FIRST, groups=SMALL.groups[1:])
    save_model(path, SMALL, {**NETWORKS, PLAYER: make_weights(other)}, {PLAYER: other.to_json()})
    assert "predicts a player from another observation" in refusal(path)
