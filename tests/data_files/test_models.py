"""Each shipped model and its card; every test runs once per preset."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from improviser.agent.checkpoint import load_policy
from improviser.config.preset import Preset, load_preset
from improviser.config.resources import shipped_folder
from improviser.engine import EngineSettings
from improviser.engine.role import ROLES
from improviser.listening.observation import LATER
from improviser.midi.message import NoteOn
from improviser.offline import compose_song
from tests.some import some_files

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = shipped_folder("presets")
MODELS = FOLDER / "models"
MAX_BYTES = 4_000_000


@pytest.fixture(params=some_files(FOLDER, "*.toml"), ids=lambda path: path.stem)
def preset(request: pytest.FixtureRequest) -> Preset:
    """A shipped preset."""
    path: Path = request.param
    return load_preset(str(path))


@pytest.fixture
def card(preset: Preset) -> str:
    """The text of the card of the preset's model."""
    return (MODELS / preset.model).with_suffix(".md").read_text("utf-8")


def test_each_model_is_that_of_a_preset_or_of_the_beat() -> None:
    """Only the presets' models, that of the beat and a card for each are shipped."""
    models = {"beat"} | {
        load_preset(str(path)).model.removesuffix(".safetensors") for path in some_files(FOLDER, "*.toml")
    }
    expected = {f"{model}.{kind}" for model in models for kind in ("safetensors", "md")}
    assert expected == {path.name for path in MODELS.iterdir()}


def test_the_card_is_that_of_the_model(preset: Preset, card: str) -> None:
    """The card names the model's file and its sha256."""
    data = (MODELS / preset.model).read_bytes()
    assert f"`{preset.model}`, {len(data):,} bytes" in card
    assert [hashlib.sha256(data).hexdigest()] == re.findall(r"^- sha256: `(\w+)`$", card, re.MULTILINE)


def test_the_card_of_the_beat_is_that_of_its_model() -> None:
    """The card of the beat names the model's file, its size and its sha256."""
    data, card = (MODELS / "beat.safetensors").read_bytes(), (MODELS / "beat.md").read_text("utf-8")
    assert f"`beat.safetensors`, {len(data):,} bytes" in card
    assert [hashlib.sha256(data).hexdigest()] == re.findall(r"^- sha256: `(\w+)`$", card, re.MULTILINE)


def test_the_model_learnt_what_the_preset_plays(preset: Preset, card: str) -> None:
    """The card's training style, grid and register are those of the preset."""
    block = re.search(r"^## Settings\n+```json\n(.*?)\n```$", card, re.MULTILINE | re.DOTALL)
    assert block is not None
    expected = {
        "role": str(preset.role),
        "style": str(preset.style),
        "steps_per_beat": preset.grid.steps_per_beat,
        "register_low": preset.pitch_range.low,
    }
    game = json.loads(block[1])["game"]
    assert expected == {"role": "melody"} | {key: game[key] for key in expected if key in game}


def test_a_model_is_small(preset: Preset) -> None:
    """No model takes more than four megabytes."""
    assert (MODELS / preset.model).stat().st_size < MAX_BYTES


def test_a_model_plays(preset: Preset) -> None:
    """The model fits the engine's observations and actions, and plays notes."""
    role = ROLES[preset.role]
    policy = load_policy(MODELS / preset.model, role.groups, role.action_count, later=LATER)
    settings = EngineSettings(**(preset.engine_values() | {"key": "C"}))
    song = compose_song([60, 64, 67], 4, settings, policy, np.random.default_rng(1))
    notes = [event for event in song.tracks[-1].events if isinstance(event.message, NoteOn)]
    assert len(notes) > len([60, 64, 67])
