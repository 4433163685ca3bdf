"""The composition root: from options, settings and presets to what the processes are told."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.errors import UsageError
from improviser.files import model_digest
from improviser.midi.message import DATA_MAX
from improviser.music.meter import parse_meter
from improviser.ports import AUTO
from improviser.protocol import (
    CLICK_CHANNEL,
    Binding,
    ControlMessage,
    PerformerSettings,
    PlayerUse,
    PortSettings,
    PresetEntry,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from improviser.choices import ClockUse
    from improviser.config.device import Device
    from improviser.config.preset import Preset
    from improviser.config.user_settings import Settings

_SEEDS: Final = 2**31
_PROGRAMS_FROM: Final = 1
_CHANNELS_FROM: Final = 1
# Of an engine's values those that stay when the preset changes: the beat's, and the player's.
_THE_JAMS: Final = ("tempo_bpm", "meter", "swing", "key", "channel", "panel", "taste")


@dataclass(frozen=True, slots=True)
class JamOptions:
    """What the command line says of a jam; None: as the user's settings or the preset say.

    Attributes:
        preset: Name of a preset, or the path of one.
        input_pattern: Which inputs to listen to.
        excluded_inputs: Patterns of inputs that are not listened to; empty: as the settings say.
        output_pattern: Which output to play on.
        tempo_bpm: Quarter notes a minute.
        meter: Time signature, such as "7/8".
        key: "auto", or a key such as "C" or "Am".
        seed: Of the random generator.
        bars: How long, from the first note on.
        backend: Name of the MIDI system.
        player: When the built-in player plays.
        tune: Its tune; its meter is then the meter.
        swing: The first eighth's share of a beat.
        clock: Whose beat is played to.
        clock_out: Whether MIDI clock is sent.
        thru: Whether what comes in goes out too.
        listen_channels: Channels 1-16 that are listened to; empty: as the settings say.
        listen_from: The lowest note that is listened to, such as "C4".
        listen_to: The highest one.
        channel: Channel 1-16 that is played on.
        program: MIDI program 1-128 sent at the start.
        count_in: Bars that are counted in.
        metronome: Whether each beat is clicked.
    """

    preset: str | None = None
    input_pattern: str | None = None
    excluded_inputs: tuple[str, ...] = ()
    output_pattern: str | None = None
    tempo_bpm: float | None = None
    meter: str | None = None
    key: str | None = None
    seed: int | None = None
    bars: int | None = None
    backend: str | None = None
    player: PlayerUse = PlayerUse.WHEN_ALONE
    tune: str | None = None
    swing: float | None = None
    clock: ClockUse | None = None
    clock_out: bool | None = None
    thru: bool | None = None
    listen_channels: tuple[int, ...] = ()
    listen_from: str | None = None
    listen_to: str | None = None
    channel: int | None = None
    program: int | None = None
    count_in: int = 0
    metronome: bool | None = None


def port_settings(options: JamOptions) -> PortSettings:
    """Return which ports the performer opens; quick, so that it can begin with that.

    Raises:
        ConfigError: The user's settings have faults.
    """
    settings = _settings_file()
    if settings is None:
        return PortSettings(
            options.backend or AUTO,
            options.input_pattern,
            options.output_pattern,
            options.player,
            excluded_inputs=options.excluded_inputs,
        )
    return PortSettings(
        backend=options.backend or settings.backend,
        input_pattern=options.input_pattern or settings.input_pattern,
        output_pattern=options.output_pattern or settings.output_pattern,
        player=options.player,
        excluded_inputs=options.excluded_inputs or settings.excluded_inputs,
    )


def osc_port_of_settings() -> int | None:
    """Return the UDP port on which the user's settings want OSC; None: none. Raises ConfigError."""
    settings = _settings_file()
    return None if settings is None else settings.osc_port


class PageSettings(NamedTuple):
    """What the user's settings say of the page: its port (None: the usual one), and whether it keeps it."""

    port: int | None = None
    keeps: bool = False


def page_settings() -> PageSettings:
    """Return what the user's settings say of the page. Raises ConfigError."""
    settings = _settings_file()
    return PageSettings() if settings is None else PageSettings(settings.web_port, settings.web_keep_address)


def _settings_file() -> Settings | None:
    """Return the user's settings; None where there is no file of them, and no need to load what reads it."""
    from improviser.config.resources import config_folder

    if not any(config_folder().glob("*.toml")):
        return None
    from improviser.config.user_settings import load_settings

    return load_settings()


def performer_settings(options: JamOptions) -> PerformerSettings:
    """Return what the performer is told.

    Raises:
        ConfigError: There is no such preset, or a file has faults.
        UsageError: There is no such tune, note or meter.
    """
    from improviser.config.preset import load_preset, preset_path
    from improviser.config.user_settings import load_settings

    settings = load_settings()
    name = options.preset or settings.preset
    preset = load_preset(name)
    low, high = _zone(options, settings)
    engine = _engine_values(options, settings, preset)
    devices = tuple(_devices())
    metronome = settings.metronome if options.metronome is None else options.metronome
    if (metronome or options.count_in) and engine["channel"] == CLICK_CHANNEL:
        raise UsageError("channel 10 is the metronome's. Choose another: --channel 1")
    return PerformerSettings(
        preset=preset.name,
        source=str(preset_path(name)),
        model=str(preset.model_path),
        engine=engine,
        program=_program(options, settings, preset),
        bars=options.bars,
        seed=secrets.randbelow(_SEEDS) if options.seed is None else options.seed,
        tune=options.tune,
        bindings=tuple(_bindings(settings, devices)),
        control_ports=tuple(name for device in devices if not device.keys for name in device.ports),
        clock=options.clock or settings.clock,
        sends_clock=settings.clock_out if options.clock_out is None else options.clock_out,
        model_digest=model_digest(preset.model_path),
        listen_channels=tuple(
            channel - _CHANNELS_FROM for channel in options.listen_channels or settings.listen_channels
        ),
        count_in=options.count_in,
        keeps_tempo=(options.tempo_bpm or settings.tempo_bpm) is not None,
        metronome=metronome,
        listen_low=low,
        listen_high=high,
        thru=settings.thru if options.thru is None else options.thru,
        pieces=tuple(_pieces(options, settings, engine)),
    )


def _devices() -> Iterator[Device]:
    """Yield all controllers that are known."""
    from improviser.config.device import load_device
    from improviser.config.resources import device_paths
    from improviser.errors import ConfigError

    for path in device_paths().values():
        with contextlib.suppress(ConfigError):  # improviser devices names its faults
            yield load_device(path)


def _bindings(settings: Settings, devices: Iterable[Device]) -> Iterator[Binding]:
    """Yield what the user's pedals and knobs do, then those of the controllers that are known."""
    for action, control in settings.controls().items():
        yield Binding((), ControlMessage.CONTROL_CHANGE, control, None, action)
    for device in devices:
        yield from device.bindings()


def _pieces(options: JamOptions, settings: Settings, engine: Mapping[str, object]) -> Iterator[PresetEntry]:
    """Return the presets that can be gone on with: of the same grid, with what is the jam's in any preset."""
    from improviser.config.preset import load_preset
    from improviser.config.resources import preset_paths
    from improviser.errors import ConfigError

    shared = {name: engine[name] for name in _THE_JAMS}
    for name, path in preset_paths().items():
        with contextlib.suppress(ConfigError):  # improviser presets names its faults
            preset = load_preset(name)
            if preset.grid.steps_per_beat == engine["steps_per_beat"]:
                values = preset.engine_values() | shared
                if values["role"] != engine["role"]:
                    values["taste"] = {}
                yield PresetEntry(
                    preset.name,
                    str(path),
                    str(preset.model_path),
                    values,
                    _program(options, settings, preset),
                )


def _program(options: JamOptions, settings: Settings, preset: Preset) -> int | None:
    """Return the MIDI program, 0-127, that a preset is played with; None: none is asked for."""
    program = options.program or settings.program or preset.playing.program
    return None if program is None else program - _PROGRAMS_FROM


def _zone(options: JamOptions, settings: Settings) -> tuple[int, int]:
    """Return the lowest and the highest note that are listened to. Raises UsageError where none is between."""
    lowest, highest = options.listen_from or settings.listen_from, options.listen_to or settings.listen_to
    if lowest is None and highest is None:
        return 0, DATA_MAX
    from improviser.music.pitch import note_name, parse_note

    low = parse_note(lowest) if lowest else 0
    high = parse_note(highest) if highest else DATA_MAX
    if low > high:
        raise UsageError(f"--from ({note_name(low)}) is above --to ({note_name(high)}). Swap them")
    return low, high


def _engine_values(options: JamOptions, settings: Settings, preset: Preset) -> dict[str, object]:
    """Return the engine's values: the preset's, but for what the options and the settings say otherwise."""
    values = preset.engine_values()
    if options.key is not None:
        values["key"] = options.key
    tempo_bpm = options.tempo_bpm or settings.tempo_bpm
    if tempo_bpm is not None:
        values["tempo_bpm"] = tempo_bpm
    channel = options.channel or settings.channel
    if channel is not None:
        values["channel"] = channel - _CHANNELS_FROM
    if options.meter is not None:
        meter = parse_meter(options.meter)
        values["meter"] = (meter.numerator, meter.denominator)
    if options.swing is not None:
        values["swing"] = options.swing
    if options.tune is not None:
        from improviser.performer.demo.tunes import find_tune

        values["meter"] = find_tune(options.tune).meter
    return values
