"""Presets: what the improviser sounds like, one TOML file each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from improviser.choices import RoleName, Style
from improviser.config.document import Document, load_document, nearest
from improviser.config.resources import model_path, preset_paths
from improviser.errors import ConfigError, UsageError
from improviser.music.meter import METERS, parse_meter
from improviser.units import MS_PER_S

METER_NAMES = tuple(meter.name for meter in METERS)
# From here the tonic nearest to a register's low, and three octaves above it, are notes of MIDI.
LOWEST_REGISTER, HIGHEST_REGISTER = 6, 85


def _matching(pattern: str, expected: str) -> AfterValidator:
    """Return a check that the whole of a text matches `pattern`; its fault says what is `expected`."""

    def check(text: str) -> str:
        """Return `text` back, or raise ValueError."""
        if re.fullmatch(pattern, text) is None:
            msg = f"should be {expected}"
            raise ValueError(msg)
        return text

    return AfterValidator(check)


def _key(text: str) -> str:
    """Return the name of a key, or "auto". Raises ValueError where it is none."""
    from improviser.music.scale import parse_key  # noqa: PLC0415 - numpy comes with it

    try:
        return text if text == "auto" else parse_key(text).name
    except UsageError as error:
        raise ValueError(str(error)) from error


Weight = Annotated[float, Field(ge=0, le=2)]
TasteWeight = Annotated[float, Field(ge=-4, le=4)]
Text = Annotated[str, Field(min_length=1)]
# Also the name of the folder that a training run is kept in.
Name = Annotated[str, _matching(r"[A-Za-z0-9_-]+", "letters, digits, _ and - only")]
Meter = Annotated[str, _matching("|".join(METER_NAMES), "a meter such as 3/4, 7/8 or 3/2")]
KeyName = Annotated[str, AfterValidator(_key)]
ModelFile = Annotated[
    str,
    _matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors", "the name of a file that ends in .safetensors"),
]


class Grid(Document):
    """The time grid: 1-4 steps a beat, and the meter."""

    steps_per_beat: int = Field(ge=1, le=4)
    meter: Meter = "4/4"


class Register(Document):
    """Where it plays: the tonic nearest to the note `low` starts a range of 37 semitones."""

    low: int = Field(ge=LOWEST_REGISTER, le=HIGHEST_REGISTER)


class Reward(Document):
    """How much each component of the reward counts in training, 0-2."""

    harmony: Weight
    coherence: Weight
    creativity: Weight


class DecisionSettings(Document):
    """How an action is chosen.

    temperature of the softmax (above 0, up to 5), weight of the prior (0-5), density (0-2, above 1 more
    notes, below fewer); harmony, coherence and creativity (0-2) are times the weight each was trained by.
    """

    temperature: float = Field(gt=0, le=5)
    prior_weight: float = Field(ge=0, le=5)
    density: Weight = 1.0
    harmony: Weight = 1.0
    coherence: Weight = 1.0
    creativity: Weight = 1.0


class Playing(Document):
    """How it is played.

    channel 1-16; program 1-128, sent at the start where it is given; collect_ms 0-60 is waited for the notes
    of a chord; after patience_bars 0-64 of the player's silence it rests; a note lasts at most max_note_bars;
    swing 0.5-0.75 is the first eighth's share of a beat.
    """

    channel: int = Field(default=1, ge=1, le=16)
    program: int | None = Field(default=None, ge=1, le=128)
    collect_ms: float = Field(default=20, ge=0, le=60)
    patience_bars: int = Field(default=4, ge=0, le=64)
    max_note_bars: float = Field(default=1, gt=0, le=16)
    swing: float = Field(default=0.5, ge=0.5, le=0.75)


class KnobDefaults(Document):
    """Where the live knobs stand at first, 0-2; 1 is as the rest of the preset has it."""

    harmony: Weight = 1.0
    coherence: Weight = 1.0
    creativity: Weight = 1.0
    temperature: Weight = 1.0
    density: Weight = 1.0
    register_: Weight = Field(default=1.0, alias="register")
    echo: Weight = 1.0
    velocity: Weight = 1.0


class Preset(Document):
    """A preset file of schema 1.

    `key` is "auto", so that the key is heard, or a key to stay in, such as "Am"; `taste` is what was learned
    of a player: weights of traits by name, -4 to 4.
    """

    schema_version: Literal[1]
    name: Name
    description: Text
    author: Text
    license: Text
    source: Text
    role: RoleName = Field(strict=False)
    style: Style = Field(strict=False)
    model: ModelFile
    tempo_bpm: float = Field(ge=20, le=400)
    key: KeyName = "auto"
    grid: Grid
    pitch_range: Register = Field(alias="register")
    reward: Reward
    decision: DecisionSettings
    playing: Playing = Playing()
    panel: KnobDefaults = KnobDefaults()
    taste: dict[str, TasteWeight] = Field(default_factory=dict)

    @property
    def meter(self) -> tuple[int, int]:
        """The meter as (beats a bar, beat unit)."""
        meter = parse_meter(self.grid.meter)
        return meter.numerator, meter.denominator

    @property
    def model_path(self) -> Path:
        """The path of the model; the file may be missing."""
        return model_path(self.model)

    def engine_values(self) -> dict[str, Any]:
        """Return what the engine needs as plain values: channel 0-15, times in seconds, names as strings."""
        return {
            "tempo_bpm": self.tempo_bpm,
            "key": self.key,
            "meter": self.meter,
            "steps_per_beat": self.grid.steps_per_beat,
            "register_low": self.pitch_range.low,
            "channel": self.playing.channel - 1,
            "swing": self.playing.swing,
            "collect_s": self.playing.collect_ms / MS_PER_S,
            "patience_bars": self.playing.patience_bars,
            "max_note_bars": self.playing.max_note_bars,
            "temperature": self.decision.temperature,
            "prior_weight": self.decision.prior_weight,
            "harmony": self.reward.harmony * self.decision.harmony,
            "coherence": self.reward.coherence * self.decision.coherence,
            "creativity": self.reward.creativity * self.decision.creativity,
            "density": self.decision.density,
            "panel": self.panel.model_dump(by_alias=True, exclude_defaults=True),
            "taste": self.taste,
            "style": str(self.style),
            "role": str(self.role),
        }


def preset_path(name: str) -> Path:
    """Return the path of the preset `name`, or the path that it is. Raises ConfigError where there is none."""
    if name.endswith(".toml"):
        return Path(name)
    paths = preset_paths()
    if name not in paths:
        available = ", ".join(paths) or "none"
        raise ConfigError(f"no preset {name!r}{nearest(name, paths)} (available: {available})")
    return paths[name]


def load_preset(name: str) -> Preset:
    """Return the preset `name`, or the one in the file that `name` is the path of (it ends in .toml).

    Raises:
        ConfigError: There is no such preset (the text lists those that there are), or its file has faults.
    """
    return load_document(preset_path(name), Preset)
