"""Presets, which define how the improviser plays and sounds: one TOML file each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from improviser.choices import NoteTiming, PlayMode, RoleName, Style
from improviser.config.document import Document, load_document, nearest
from improviser.config.resources import model_path, preset_paths
from improviser.errors import ConfigError, UsageError
from improviser.listening.tempo import STRAIGHT
from improviser.music.meter import METERS, parse_meter
from improviser.units import MS_PER_S

METER_NAMES = tuple(meter.name for meter in METERS)
# For these values of `low`, the nearest tonic and the note three octaves above it are valid MIDI notes.
LOWEST_REGISTER, HIGHEST_REGISTER = 6, 85


def _matching(pattern: str, expected: str) -> AfterValidator:
    """Return a check that a whole text matches `pattern`; its error says what is `expected`."""

    def check(text: str) -> str:
        """Return `text` unchanged, or raise ValueError."""
        if re.fullmatch(pattern, text) is None:
            msg = f"should be {expected}"
            raise ValueError(msg)
        return text

    return AfterValidator(check)


def _key(text: str) -> str:
    """Return the name of a key, or "auto". Raises ValueError if `text` is neither."""
    from improviser.music.scale import parse_key  # noqa: PLC0415 - it imports numpy

    try:
        return text if text == "auto" else parse_key(text).name
    except UsageError as error:
        raise ValueError(str(error)) from error


def _groove(text: str) -> str:
    """Return the name of a groove. Raises ValueError if there is no such groove."""
    from improviser.listening.pocket.groove import find_groove  # noqa: PLC0415 - it imports numpy

    try:
        find_groove(text)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


Weight = Annotated[float, Field(ge=0, le=2)]
TasteWeight = Annotated[float, Field(ge=-4, le=4)]
Text = Annotated[str, Field(min_length=1)]
# The name is also that of the folder of a training run.
Name = Annotated[str, _matching(r"[A-Za-z0-9_-]+", "letters, digits, _ and - only")]
Meter = Annotated[str, _matching("|".join(METER_NAMES), "a meter such as 3/4, 7/8 or 3/2")]
KeyName = Annotated[str, AfterValidator(_key)]
GrooveName = Annotated[str, AfterValidator(_groove)]
ModelFile = Annotated[
    str,
    _matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors", "the name of a file that ends in .safetensors"),
]


class Grid(Document):
    """The time grid: 1-4 steps per beat, and the meter."""

    steps_per_beat: int = Field(ge=1, le=4)
    meter: Meter = "4/4"


class Register(Document):
    """The register to play in: a range of 37 semitones that starts at the tonic nearest to the note `low`."""

    low: int = Field(ge=LOWEST_REGISTER, le=HIGHEST_REGISTER)


class Reward(Document):
    """The weight of each component of the reward in training, 0-2."""

    harmony: Weight
    coherence: Weight
    creativity: Weight


class DecisionSettings(Document):
    """How an action is chosen.

    `temperature` is that of the softmax (above 0, up to 5). `prior_weight` is the weight of the prior (0-5). `density`
    is 0-2: above 1 there are more notes, below 1 fewer. `harmony`, `coherence` and `creativity` (0-2) multiply the
    weights used in training. `advice` (0-2) is how much it counts, beside the values of harmony, how likely a note is
    of the chord behind the player; only a melody takes it. `recall` (0-2) is how much the
    improviser holds to what it played before where the player repeats something.
    """

    temperature: float = Field(gt=0, le=5)
    prior_weight: float = Field(ge=0, le=5)
    density: Weight = 1.0
    harmony: Weight = 1.0
    coherence: Weight = 1.0
    creativity: Weight = 1.0
    advice: Weight = 0.0
    recall: Weight = 0.0


class Playing(Document):
    """How the notes are played.

    `channel` is 1-16. `timing` says when notes leave: "on-grid", "after-you" or "auto". `program` is 1-128 and is sent
    at the start if set. `collect_ms`, 0-60, is the time to wait for your notes of a step. With `mends`, a note that
    clashes with yours is replaced when yours is heard. After `patience_bars`, 0-64,
    in which the player is silent, the improviser rests. A note lasts at most `max_note_bars`. `swing`, 0.5-0.75, is the
    share of a beat that its first eighth note takes; without it the player's swing is followed. `feel`, 0-2, is how
    far timing, accents and note lengths are the player's. `groove` names the drummers' feel that is expected of the
    player. `mode` says when it plays: "with-me", "when-i-stop", "trade-1", "trade-2", "trade-4", "trade-8" or "alone".
    """

    channel: int = Field(default=1, ge=1, le=16)
    timing: NoteTiming = Field(default=NoteTiming.AUTO, strict=False)
    program: int | None = Field(default=None, ge=1, le=128)
    collect_ms: float = Field(default=20, ge=0, le=60)
    mends: bool = True
    patience_bars: int = Field(default=4, ge=0, le=64)
    max_note_bars: float = Field(default=1, gt=0, le=16)
    swing: float | None = Field(default=None, ge=0.5, le=0.75)
    feel: Weight = 1.0
    groove: GrooveName | None = None
    mode: PlayMode = Field(default=PlayMode.WITH_ME, strict=False)


class KnobDefaults(Document):
    """Initial positions of the live knobs, 0-2; at 1 the other values of the preset apply unchanged."""

    harmony: Weight = 1.0
    coherence: Weight = 1.0
    creativity: Weight = 1.0
    temperature: Weight = 1.0
    density: Weight = 1.0
    register_: Weight = Field(default=1.0, alias="register")
    echo: Weight = 1.0
    velocity: Weight = 1.0
    feel: Weight = 1.0


class Preset(Document):
    """A preset file of schema 1.

    `key` is a fixed key, such as "Am", or "auto" to detect the key. `taste` holds what was learned about a player:
    weights of preference features by name, -4 to 4.
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

    @model_validator(mode="after")
    def _takes_its_advice(self) -> Self:
        """Refuse advice to another role than a melody."""
        if self.decision.advice and self.role != RoleName.MELODY:
            raise ValueError("decision.advice: only the role melody takes it")
        return self

    @property
    def meter(self) -> tuple[int, int]:
        """The meter as (beats per bar, beat unit)."""
        meter = parse_meter(self.grid.meter)
        return meter.numerator, meter.denominator

    @property
    def model_path(self) -> Path:
        """Path of the model. The file may be missing."""
        return model_path(self.model)

    def engine_values(self) -> dict[str, Any]:
        """Return the engine's values as plain types: channel 0-15, times in seconds, names as strings."""
        return {
            "tempo_bpm": self.tempo_bpm,
            "key": self.key,
            "meter": self.meter,
            "steps_per_beat": self.grid.steps_per_beat,
            "register_low": self.pitch_range.low,
            "channel": self.playing.channel - 1,
            "swing": STRAIGHT if self.playing.swing is None else self.playing.swing,
            "follows_swing": self.playing.swing is None,
            "feel": self.playing.feel,
            "groove": self.playing.groove or "",
            "timing": str(self.playing.timing),
            "mode": str(self.playing.mode),
            "mends": self.playing.mends,
            "collect_s": self.playing.collect_ms / MS_PER_S,
            "patience_bars": self.playing.patience_bars,
            "max_note_bars": self.playing.max_note_bars,
            "temperature": self.decision.temperature,
            "prior_weight": self.decision.prior_weight,
            "harmony": self.reward.harmony * self.decision.harmony,
            "coherence": self.reward.coherence * self.decision.coherence,
            "creativity": self.reward.creativity * self.decision.creativity,
            "density": self.decision.density,
            "advice": self.decision.advice,
            "recall": self.decision.recall,
            "panel": self.panel.model_dump(by_alias=True, exclude_defaults=True),
            "taste": self.taste,
            "style": str(self.style),
            "role": str(self.role),
        }


def preset_path(name: str) -> Path:
    """Return the path of the preset `name`, or `name` itself if it ends in .toml. Raises ConfigError if unknown."""
    if name.endswith(".toml"):
        return Path(name)
    paths = preset_paths()
    if name not in paths:
        available = ", ".join(paths) or "none"
        raise ConfigError(f"no preset {name!r}{nearest(name, paths)} (available: {available})")
    return paths[name]


def load_preset(name: str) -> Preset:
    """Return the preset `name`, or the one in the file whose path is `name` (it ends in .toml).

    Raises:
        ConfigError: The preset does not exist (the text lists the existing ones), or its file has faults.
    """
    return load_document(preset_path(name), Preset)
