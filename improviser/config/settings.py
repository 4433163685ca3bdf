"""The user's settings: what a command takes where its option is not given."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from improviser.config.default import DEFAULT_PRESET
from improviser.config.document import Document, load_document
from improviser.config.resources import config_folder
from improviser.errors import UsageError

FILE_NAME = "settings.toml"
Channel = Annotated[int, Field(ge=1, le=16)]
Control = Annotated[int, Field(ge=0, le=119)]


def _named(text: str) -> str:
    """Give the name of a note back. Raises ValueError where it is none."""
    from improviser.music.pitch import parse_note  # noqa: PLC0415 - numpy comes with it

    try:
        parse_note(text)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return text


Note = Annotated[str, AfterValidator(_named)]


class Settings(Document):
    """The file settings.toml in the user's folder; every key may be left out.

    `in` and `out` are patterns of port names; tempo_bpm 20-400; keep_control is the control number, 0-119,
    that saves the last bars while a jam goes on, tap_control one that taps the tempo, tempo_control one whose
    value and 60 is the tempo; listen_from and listen_to are notes such as "C4", between
    which, and on whose listen_channels, it listens; channel and program are what it plays on.
    """

    preset: str = Field(default=DEFAULT_PRESET, min_length=1)
    input_pattern: str | None = Field(default=None, alias="in", min_length=1)
    output_pattern: str | None = Field(default=None, alias="out", min_length=1)
    backend: Literal["auto", "jack", "alsa", "coremidi", "winmm", "rtmidi-jack", "loopback"] = "auto"
    tempo_bpm: float | None = Field(default=None, ge=20, le=400)
    clock: Literal["auto", "own", "midi", "link"] = "auto"
    clock_out: bool = False
    thru: bool = False
    listen_channels: tuple[Channel, ...] = Field(default=(), strict=False)
    listen_from: Note | None = None
    listen_to: Note | None = None
    channel: Channel | None = None
    program: int | None = Field(default=None, ge=1, le=128)
    keep_control: Control | None = None
    tap_control: Control | None = None
    tempo_control: Control | None = None
    metronome: bool = False


def load_settings() -> Settings:
    """Give the user's settings; the defaults where there is no file. Raises ConfigError with all faults."""
    path = config_folder() / FILE_NAME
    return load_document(path, Settings) if path.exists() else Settings()
