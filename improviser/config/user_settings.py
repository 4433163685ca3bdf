"""The user's settings: the values of options that are not on the command line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from improviser.choices import BackendName, ClockUse, NoteTiming
from improviser.config.default import DEFAULT_PRESET
from improviser.config.document import Document, load_document
from improviser.config.resources import config_folder
from improviser.errors import UsageError

FILE_NAME = "settings.toml"
Channel = Annotated[int, Field(ge=1, le=16)]
Tempo = Annotated[float, Field(ge=20, le=400)]
Control = Annotated[int, Field(ge=0, le=119)]
# Source: MIDI 1.0, controller numbers.
SOSTENUTO_PEDAL, SOFT_PEDAL = 66, 67


def _named(text: str) -> str:
    """Return `text` unchanged. Raises ValueError if it does not name a note."""
    from improviser.music.pitch import parse_note  # noqa: PLC0415 - it imports numpy

    try:
        parse_note(text)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


Note = Annotated[str, AfterValidator(_named)]


class Settings(Document):
    """The file settings.toml in the user's configuration folder. Every key may be left out."""

    preset: str = Field(default=DEFAULT_PRESET, min_length=1, description="Preset to play: a name or a .toml file.")
    input_pattern: str | None = Field(
        default=None, alias="in", min_length=1, description="Inputs to listen to: all whose name contains this."
    )
    excluded_inputs: tuple[str, ...] = Field(
        default=(), alias="not_in", strict=False, description="Inputs to ignore: all whose name contains one of these."
    )
    output_pattern: str | None = Field(
        default=None, alias="out", min_length=1, description="Output to play on, instead of 'Improviser Out'."
    )
    backend: BackendName = Field(default=BackendName.AUTO, strict=False, description="MIDI system.")
    tempo_bpm: Tempo | Literal["auto"] | None = Field(
        default=None, description='Quarter notes per minute to keep. "auto": found in your playing, even with a click.'
    )
    clock: ClockUse = Field(default=ClockUse.AUTO, strict=False, description="Clock to follow, as jam --clock.")
    timing: NoteTiming | None = Field(
        default=None, strict=False, description="When notes leave, instead of the preset's choice: as jam --timing."
    )
    offset_ms: float = Field(
        default=0.0, ge=-100, le=100, description="Milliseconds by which notes leave later; negative: earlier."
    )
    clock_out: bool = Field(default=False, description="Send MIDI clock, start and stop.")
    thru: bool = Field(default=False, description="Send what you play to the output too.")
    listen_channels: tuple[Channel, ...] = Field(
        default=(), strict=False, description="Channels to listen to. Empty: all except 10."
    )
    listen_from: Note | None = Field(default=None, description='Lowest note to listen to, such as "C4".')
    listen_to: Note | None = Field(default=None, description="Highest note to listen to.")
    channel: Channel | None = Field(default=None, description="Channel to play on, instead of 1.")
    program: int | None = Field(
        default=None, ge=1, le=128, description="General MIDI program to send, instead of the preset's."
    )
    like_control: Control | Literal[False] = Field(
        default=SOSTENUTO_PEDAL, description="Control that likes what was just played (66: sostenuto pedal)."
    )
    dislike_control: Control | Literal[False] = Field(
        default=SOFT_PEDAL, description="Control that dislikes what was just played (67: soft pedal)."
    )
    undo_control: Control | Literal[False] = Field(default=False, description="Control that takes back the last like.")
    keep_control: Control | Literal[False] = Field(default=False, description="Control that saves the last bars.")
    tap_control: Control | Literal[False] = Field(default=False, description="Control that taps the tempo.")
    tempo_control: Control | Literal[False] = Field(
        default=False, description="Control that sets the tempo: its value plus 60 beats per minute."
    )
    panic_control: Annotated[int, Field(ge=0, le=127)] | Literal[False] = Field(
        default=False, description="Control that ends all notes. May be a channel mode message, 120 to 127."
    )
    metronome: bool = Field(default=False, description="Click each beat on channel 10.")
    mmc: bool = Field(default=False, description="Start, stop and locate by MIDI Machine Control.")
    osc_port: int | None = Field(default=None, ge=1, le=65535, description="UDP port for OSC.")
    web_port: int | None = Field(default=None, ge=1, le=65535, description="TCP port of the page, instead of 8765.")
    web_keep_address: bool = Field(default=False, description="Use the same page address in every jam.")

    @model_validator(mode="after")
    def _distinct(self) -> Settings:
        """Refuse one control with two meanings."""
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
    """Return the user's settings, or the defaults if there is no file. Raises ConfigError with all faults."""
    path = config_folder() / FILE_NAME
    return load_document(path, Settings) if path.exists() else Settings()
