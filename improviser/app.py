"""The composition root: from options, settings and presets to what the processes are told."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.control import ClockUse, PerformerSettings, PlayerUse, PortSettings
from improviser.ports import AUTO

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.config.preset import Preset
    from improviser.config.settings import Settings

_SEEDS: Final = 2**31
_PROGRAMS_FROM: Final = 1
_DIGEST_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class JamOptions:
    """What the command line says of a jam; None: as the user's settings or the preset say.

    Attributes:
        preset: Name of a preset, or the path of one.
        input_pattern: Which inputs to listen to.
        output_pattern: Which output to play on.
        tempo_bpm: Quarter notes a minute.
        key: "auto" or a key such as "C" or "Am".
        seed: Of the random generator.
        bars: How long, from the first note on.
        backend: Name of the MIDI system.
        player: When the built-in player plays.
        tune: Its tune; its meter is then the meter.
        swing: The first eighth's share of a beat.
        clock: Whose beat is played to.
        clock_out: Whether MIDI clock is sent.
    """

    preset: str | None = None
    input_pattern: str | None = None
    output_pattern: str | None = None
    tempo_bpm: float | None = None
    key: str = "auto"
    seed: int | None = None
    bars: int | None = None
    backend: str | None = None
    player: PlayerUse = PlayerUse.WHEN_ALONE
    tune: str | None = None
    swing: float | None = None
    clock: ClockUse | None = None
    clock_out: bool | None = None


def port_settings(options: JamOptions) -> PortSettings:
    """Give which ports the performer opens; quick, so that it can begin with that.

    Raises:
        ConfigError: The user's settings have faults.
    """
    settings = _settings_file()
    if settings is None:
        return PortSettings(
            options.backend or AUTO, options.input_pattern, options.output_pattern, options.player
        )
    return PortSettings(
        backend=options.backend or settings.backend,
        input_pattern=options.input_pattern or settings.input_pattern,
        output_pattern=options.output_pattern or settings.output_pattern,
        player=options.player,
    )


def _settings_file() -> Settings | None:
    """Give the user's settings; None where there is no file of them, and no need to load what reads it."""
    from improviser.config.resources import config_folder

    if not any(config_folder().glob("*.toml")):
        return None
    from improviser.config.settings import load_settings

    return load_settings()


def performer_settings(options: JamOptions) -> PerformerSettings:
    """Give what the performer is told.

    Raises:
        ConfigError: There is no such preset, or a file has faults.
        UsageError: There is no such tune.
    """
    from improviser.config.preset import load_preset
    from improviser.config.settings import load_settings

    settings = load_settings()
    preset = load_preset(options.preset or settings.preset)
    program = preset.playing.program
    return PerformerSettings(
        preset=preset.name,
        model=str(preset.model_path),
        engine=_engine_values(options, settings, preset),
        program=None if program is None else program - _PROGRAMS_FROM,
        bars=options.bars,
        seed=secrets.randbelow(_SEEDS) if options.seed is None else options.seed,
        tune=options.tune,
        keep_control=settings.keep_control,
        clock=options.clock or ClockUse(settings.clock),
        sends_clock=settings.clock_out if options.clock_out is None else options.clock_out,
        model_digest=digest(preset.model_path),
    )


def digest(model: Path) -> str:
    """Give a digest of a model's bytes, empty where it cannot be read: who plays by it will say so."""
    try:
        return hashlib.sha256(model.read_bytes()).hexdigest()[:_DIGEST_DIGITS]
    except OSError:
        return ""


def _engine_values(options: JamOptions, settings: Settings, preset: Preset) -> dict[str, object]:
    """Give the engine's values: the preset's, but for what the options and the settings say otherwise."""
    values = preset.engine_values() | {"key": options.key}
    tempo_bpm = options.tempo_bpm or settings.tempo_bpm
    if tempo_bpm is not None:
        values["tempo_bpm"] = tempo_bpm
    if options.swing is not None:
        values["swing"] = options.swing
    if options.tune is not None:
        from improviser.daemon.tunes import find_tune

        values["meter"] = find_tune(options.tune).meter
    return values
