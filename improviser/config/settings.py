"""The user's settings: what a command takes where its option is not given."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from improviser.config.default import DEFAULT_PRESET
from improviser.config.document import Document, load_document
from improviser.config.resources import config_folder

FILE_NAME = "settings.toml"


class Settings(Document):
    """The file settings.toml in the user's folder; every key may be left out.

    `in` and `out` are patterns of port names; tempo_bpm 20-400; keep_control is the control number, 0-119,
    that saves the last bars while a jam goes on.
    """

    preset: str = Field(default=DEFAULT_PRESET, min_length=1)
    input_pattern: str | None = Field(default=None, alias="in", min_length=1)
    output_pattern: str | None = Field(default=None, alias="out", min_length=1)
    backend: Literal["auto", "jack", "alsa", "coremidi", "winmm", "rtmidi-jack", "loopback"] = "auto"
    tempo_bpm: float | None = Field(default=None, ge=20, le=400)
    clock: Literal["auto", "own", "midi"] = "auto"
    clock_out: bool = False
    keep_control: int | None = Field(default=None, ge=0, le=119)


def load_settings() -> Settings:
    """Give the user's settings; the defaults where there is no file. Raises ConfigError with all faults."""
    path = config_folder() / FILE_NAME
    return load_document(path, Settings) if path.exists() else Settings()
