"""Builds the settings of the processes from options, the user's settings and presets."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.choices import AUTO_TEMPO, ClockUse
from improviser.errors import UsageError
from improviser.files import model_digest
from improviser.midi.message import DATA_MAX
from improviser.music.meter import parse_meter
from improviser.ports import AUTO
from improviser.protocol import (
    CLICK_CHANNEL,
    DIGITS,
    Binding,
    ControlMessage,
    PerformerSettings,
    PlayerUse,
    PortSettings,
    PresetEntry,
)
from improviser.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from improviser.choices import NoteTiming, PlayMode
    from improviser.config.device import Device
    from improviser.config.preset import Preset
    from improviser.config.user_settings import Settings

_SEEDS: Final = 2**31
_PROGRAMS_FROM: Final = 1
_CHANNELS_FROM: Final = 1
# Engine values that stay when the preset changes: those of the beat, and those of the player.
_THE_JAMS: Final = (
    "tempo_bpm",
    "meter",
    "swing",
    "follows_swing",
    "key",
    "chart",
    "channel",
    "timing",
    "mode",
    "offset_s",
    "panel",
    "taste",
)


@dataclass(frozen=True, slots=True)
class JamOptions:
    """Options of the command line for a jam; None: the value of the user's settings or of the preset.

    Attributes:
        preset: Name of a preset, or the path of its file.
        input_pattern: Inputs to listen to.
        excluded_inputs: Patterns of inputs to ignore; empty: those of the user's settings.
        output_pattern: Output to play on.
        name: Name in the names of our own ports.
        tempo_bpm: Quarter notes per minute to keep; AUTO_TEMPO: as the player plays.
        meter: Time signature, such as "7/8".
        key: "auto", or a key such as "C" or "Am".
        chart: File of the chords to play by; it also gives the meter, and perhaps the key.
        seed: Random seed.
        bars: Number of bars to play, counted from the first note.
        backend: Name of the MIDI system.
        player: When the built-in player plays.
        tune: Tune of the built-in player. It also sets the meter.
        swing: Share of a beat that its first eighth note takes.
        groove: Groove that is expected of the player.
        timing: When notes leave.
        mode: When improviser plays.
        offset_ms: How many milliseconds later notes leave; negative: earlier.
        clock: Clock to follow.
        clock_out: Whether to send MIDI clock.
        thru: Whether to send the input to the output too.
        listen_channels: Channels 1-16 to listen to; empty: those of the user's settings.
        listen_from: Lowest note to listen to, such as "C4".
        listen_to: Highest note to listen to.
        channel: Channel 1-16 to play on.
        program: MIDI program 1-128 to send at the start.
        count_in: Number of bars to count in.
        metronome: Whether to click each beat.
        mmc: Whether to obey MIDI Machine Control.
    """

    preset: str | None = None
    input_pattern: str | None = None
    excluded_inputs: tuple[str, ...] = ()
    output_pattern: str | None = None
    name: str | None = None
    tempo_bpm: float | str | None = None
    meter: str | None = None
    key: str | None = None
    chart: Path | None = None
    seed: int | None = None
    bars: int | None = None
    backend: str | None = None
    player: PlayerUse = PlayerUse.WHEN_ALONE
    tune: str | None = None
    swing: float | None = None
    groove: str | None = None
    timing: NoteTiming | None = None
    mode: PlayMode | None = None
    offset_ms: float | None = None
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
    mmc: bool | None = None


def port_settings(options: JamOptions) -> PortSettings:
    """Return the ports that the performer opens; quick, so that the performer can open them early.

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
            jam=options.name or "",
        )
    return PortSettings(
        backend=options.backend or settings.backend,
        input_pattern=options.input_pattern or settings.input_pattern,
        output_pattern=options.output_pattern or settings.output_pattern,
        player=options.player,
        excluded_inputs=options.excluded_inputs or settings.excluded_inputs,
        jam=options.name or "",
    )


def osc_port_of_settings() -> int | None:
    """Return the UDP port for OSC from the user's settings; None: no OSC. Raises ConfigError."""
    settings = _settings_file()
    return None if settings is None else settings.osc_port


class PageSettings(NamedTuple):
    """The user's settings for the page: its TCP port (None: the default), and whether to keep its address."""

    port: int | None = None
    keeps: bool = False


def page_settings() -> PageSettings:
    """Return the user's settings for the page. Raises ConfigError."""
    settings = _settings_file()
    return PageSettings() if settings is None else PageSettings(settings.web_port, settings.web_keep_address)


def _settings_file() -> Settings | None:
    """Return the user's settings; None if there is no file of them, which saves loading the parser."""
    from improviser.config.resources import config_folder

    if not any(config_folder().glob("*.toml")):
        return None
    from improviser.config.user_settings import load_settings

    return load_settings()


def performer_settings(options: JamOptions) -> PerformerSettings:
    """Return the settings of the performer.

    Raises:
        ConfigError: The preset does not exist, or a file has faults.
        UsageError: A tune, note or meter does not exist.
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
        clock=_clock(options, settings),
        sends_clock=settings.clock_out if options.clock_out is None else options.clock_out,
        model_digest=model_digest(preset.model_path),
        listen_channels=tuple(
            channel - _CHANNELS_FROM for channel in options.listen_channels or settings.listen_channels
        ),
        count_in=options.count_in,
        keeps_tempo=_tempo_bpm(options, settings) is not None or options.player is PlayerUse.ALWAYS,
        keeps_meter=any(chosen is not None for chosen in (options.meter, options.tune, options.chart)),
        metronome=metronome,
        mmc=settings.mmc if options.mmc is None else options.mmc,
        listen_low=low,
        listen_high=high,
        thru=settings.thru if options.thru is None else options.thru,
        pieces=tuple(_pieces(options, settings, engine)),
    )


def _devices() -> Iterator[Device]:
    """Yield all known controllers."""
    from improviser.config.device import load_device
    from improviser.config.resources import device_paths
    from improviser.errors import ConfigError

    for path in device_paths().values():
        with contextlib.suppress(ConfigError):  # improviser devices reports the faults
            yield load_device(path)


def _bindings(settings: Settings, devices: Iterable[Device]) -> Iterator[Binding]:
    """Yield the bindings of the user's pedals and knobs, then those of the known controllers."""
    for action, control in settings.controls().items():
        yield Binding((), ControlMessage.CONTROL_CHANGE, control, None, action)
    for device in devices:
        yield from device.bindings()


def _pieces(options: JamOptions, settings: Settings, engine: Mapping[str, object]) -> Iterator[PresetEntry]:
    """Yield the presets that the jam can switch to: those with the same time grid, with the values of this jam."""
    from improviser.config.preset import load_preset
    from improviser.config.resources import preset_paths
    from improviser.errors import ConfigError

    shared = {name: engine[name] for name in _THE_JAMS if name in engine}
    for name, path in preset_paths().items():
        with contextlib.suppress(ConfigError):  # improviser presets reports the faults
            preset = load_preset(name)
            if preset.grid.steps_per_beat == engine["steps_per_beat"]:
                values = preset.engine_values() | shared
                if options.groove is not None:
                    values["groove"] = options.groove
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
    """Return the MIDI program of a preset, 0-127; None: send none."""
    program = options.program or settings.program or preset.playing.program
    return None if program is None else program - _PROGRAMS_FROM


def _zone(options: JamOptions, settings: Settings) -> tuple[int, int]:
    """Return the lowest and the highest note to listen to. Raises UsageError if the first is above the second."""
    lowest, highest = options.listen_from or settings.listen_from, options.listen_to or settings.listen_to
    if lowest is None and highest is None:
        return 0, DATA_MAX
    from improviser.music.pitch import note_name, parse_note

    low = parse_note(lowest) if lowest else 0
    high = parse_note(highest) if highest else DATA_MAX
    if low > high:
        raise UsageError(f"--from ({note_name(low)}) is above --to ({note_name(high)}). Swap them")
    return low, high


def _tempo_bpm(options: JamOptions, settings: Settings) -> float | None:
    """Return the tempo that the user chose; None if they chose none."""
    tempo_bpm = options.tempo_bpm or settings.tempo_bpm
    return tempo_bpm if isinstance(tempo_bpm, float | int) else None


def _clock(options: JamOptions, settings: Settings) -> ClockUse:
    """Return the clock to follow. A tempo that is to be found follows the player whatever else is chosen."""
    clock = options.clock or settings.clock
    is_found = (options.tempo_bpm or settings.tempo_bpm) == AUTO_TEMPO
    return ClockUse.FOLLOW if is_found and clock is ClockUse.AUTO else clock


def _engine_values(options: JamOptions, settings: Settings, preset: Preset) -> dict[str, object]:
    """Return the engine's values: the preset's, replaced by those of the options and the user's settings."""
    values = preset.engine_values() | _harmony(options)
    tempo_bpm = _tempo_bpm(options, settings)
    if tempo_bpm is not None:
        values["tempo_bpm"] = tempo_bpm
    channel = options.channel or settings.channel
    if channel is not None:
        values["channel"] = channel - _CHANNELS_FROM
    if options.swing is not None:
        values |= {"swing": options.swing, "follows_swing": False}
    if options.groove is not None:
        from improviser.listening.pocket.groove import find_groove

        find_groove(options.groove)
        values["groove"] = options.groove
    values.update(_leaving(options, settings))
    if options.tune is not None:
        from improviser.performer.demo.tunes import find_tune

        values["meter"] = find_tune(options.tune).meter
    return values


def _harmony(options: JamOptions) -> dict[str, object]:
    """Return the engine's values for meter, key and chords that the options choose; a key goes before the chart's."""
    values: dict[str, object] = {}
    if options.meter is not None:
        meter = parse_meter(options.meter)
        values["meter"] = (meter.numerator, meter.denominator)
    if options.chart is not None:
        from improviser.app.chart_values import chart_values

        values |= chart_values(options.chart, options.meter)
    if options.key is not None:
        values["key"] = options.key
    return values


def _leaving(options: JamOptions, settings: Settings) -> dict[str, object]:
    """Return the engine's values for when it plays and notes leave; empty: those of the preset."""
    values: dict[str, object] = {}
    timing = options.timing or settings.timing
    if timing is not None:
        values["timing"] = str(timing)
    if options.mode is not None:
        values["mode"] = str(options.mode)
    offset_ms = settings.offset_ms if options.offset_ms is None else options.offset_ms
    if offset_ms:
        values["offset_s"] = round(offset_ms / MS_PER_S, DIGITS)
    return values
