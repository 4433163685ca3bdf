"""The user's settings: what a command takes where its option is not given."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from improviser.choices import BackendName, ClockUse
from improviser.config.default import DEFAULT_PRESET
from improviser.config.document import Document, load_document
from improviser.config.resources import config_folder
from improviser.errors import UsageError

FILE_NAME = "settings.toml"
Channel = Annotated[int, Field(ge=1, le=16)]
Control = Annotated[int, Field(ge=0, le=119)]
# Source: MIDI 1.0, controller numbers.
SOSTENUTO_PEDAL, SOFT_PEDAL = 66, 67


def _named(text: str) -> str:
    """Return the name of a note back. Raises ValueError where it is none."""
    from improviser.music.pitch import parse_note  # noqa: PLC0415 - numpy comes with it

    try:
        parse_note(text)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


Note = Annotated[str, AfterValidator(_named)]


class Settings(Document):
    """The file settings.toml in the user's folder; every key may be left out.

    `in` and `out` are patterns of port names; `not_in` is a list of patterns of inputs that are not listened
    to; tempo_bpm 20-400; like_control and the others that end so are control numbers, 0-119, of any
    instrument, or false for none: the sostenuto pedal likes and the soft pedal dislikes what was played,
    unless that is changed here; tempo_control's value and 60 is the tempo; panic_control, 0-127, silences
    the improviser; listen_from and listen_to are notes such as "C4", between which, and on whose
    listen_channels, it listens; channel and program are what it plays on; web_port is the page's port, and
    web_keep_address gives the page the same address in every jam.
    """

    preset: str = Field(default=DEFAULT_PRESET, min_length=1)
    input_pattern: str | None = Field(default=None, alias="in", min_length=1)
    excluded_inputs: tuple[str, ...] = Field(default=(), alias="not_in", strict=False)
    output_pattern: str | None = Field(default=None, alias="out", min_length=1)
    backend: BackendName = Field(default=BackendName.AUTO, strict=False)
    tempo_bpm: float | None = Field(default=None, ge=20, le=400)
    clock: ClockUse = Field(default=ClockUse.AUTO, strict=False)
    clock_out: bool = False
    thru: bool = False
    listen_channels: tuple[Channel, ...] = Field(default=(), strict=False)
    listen_from: Note | None = None
    listen_to: Note | None = None
    channel: Channel | None = None
    program: int | None = Field(default=None, ge=1, le=128)
    like_control: Control | Literal[False] = SOSTENUTO_PEDAL
    dislike_control: Control | Literal[False] = SOFT_PEDAL
    undo_control: Control | Literal[False] = False
    keep_control: Control | Literal[False] = False
    tap_control: Control | Literal[False] = False
    tempo_control: Control | Literal[False] = False
    panic_control: Annotated[int, Field(ge=0, le=127)] | Literal[False] = False
    metronome: bool = False
    osc_port: int | None = Field(default=None, ge=1, le=65535)
    web_port: int | None = Field(default=None, ge=1, le=65535)
    web_keep_address: bool = False

    @model_validator(mode="after")
    def _distinct(self) -> Settings:
        """Refuse two meanings of one control."""
        for name, number in (controls := self.controls()).items():
            twin = next(other for other, its in controls.items() if its == number)
            if twin != name:
                raise ValueError(f"{twin}_control and {name}_control are both {number}; change one, or set it to false")
        return self

    def controls(self) -> dict[str, int]:
        """Return the control numbers by what they do."""
        values = {name.removesuffix("_control"): getattr(self, name) for name in _CONTROLS}
        return {name: value for name, value in values.items() if value is not False}


_CONTROLS = tuple(name for name in Settings.model_fields if name.endswith("_control"))


def load_settings() -> Settings:
    """Return the user's settings; the defaults where there is no file. Raises ConfigError with all faults."""
    path = config_folder() / FILE_NAME
    return load_document(path, Settings) if path.exists() else Settings()
