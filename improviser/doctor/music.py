"""Checks the presets, the model of the chosen preset, and whether other jams are running."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.config.preset import load_preset, preset_path
from improviser.config.resources import control_folder, preset_paths
from improviser.config.user_settings import load_settings
from improviser.doctor.finding import failed, fault_and_step, passed, warned
from improviser.engine import Engine, EngineSettings
from improviser.errors import ConfigError, ImproviserError
from improviser.files import model_digest
from improviser.listening.window import DEFAULT_VELOCITY
from improviser.midi.message import NoteOn
from improviser.music.pitch import MIDDLE_C
from improviser.performer.actor import load_actor
from improviser.ports.base import VIRTUAL_OUTPUT
from improviser.ports.name import is_own
from improviser.protocol import PresetEntry
from improviser.remote.control_socket import ask
from improviser.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from improviser.doctor.finding import Finding
    from improviser.doctor.midi import MidiSystem

_PRESETS: Final = "presets"
_MODEL: Final = "model"
_JAMS: Final = "other jams"
# The engine listens for one bar first. In each of its meters a bar has fewer steps than this.
_STEPS_MAX: Final = 64
_ASK: Final = '{"event": "state"}'
_END: Final = "end that jam (Ctrl-C in its terminal), or start another on another port: --out NAME"
_MEND: Final = "correct that line, or remove the file to use the shipped one"


def check_presets() -> Iterator[Finding]:
    """Report faults in the user's settings and in all presets."""
    reads: list[Callable[[], object]] = [load_settings]
    reads += [partial(load_preset, name) for name in preset_paths()]
    faults = []
    for read in reads:
        try:
            read()
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        yield warned(_PRESETS, "; ".join(faults), _MEND)
    else:
        yield passed(_PRESETS, f"settings and {len(preset_paths())} presets: {', '.join(preset_paths())}")


def check_model() -> Iterator[Finding]:
    """Load the model of the preset that a jam uses by default, and measure one decision."""
    try:
        name = load_settings().preset
        preset = load_preset(name)
        piece = PresetEntry(preset.name, str(preset_path(name)), str(preset.model_path), preset.engine_values(), None)
        decides_ms = _decides_s(piece) * MS_PER_S
    except ImproviserError as error:
        yield failed(_MODEL, str(error), "choose another preset (--preset fiddle), or reinstall improviser")
        return
    digest = model_digest(preset.model_path)
    yield passed(_MODEL, f"{preset.name}: {preset.model_path.name} ({digest}) decides in {decides_ms:.2f} ms")


def check_jams(midi: MidiSystem) -> Iterator[Finding]:
    """Report whether a jam of this user or another one is running."""
    try:
        state = ask(control_folder(), _ASK)
    except ImproviserError as error:
        if _has_output(midi):
            yield warned(_JAMS, f"there is a port '{VIRTUAL_OUTPUT}', but {fault_and_step(error)[0]}", _END)
        else:
            yield passed(_JAMS, "none is running")
        return
    yield passed(
        _JAMS,
        f"one is running (preset {state.get('preset')}). Steer it with improviser ctl; start a second one on "
        "ports of its own with --name bass",
    )


def _has_output(midi: MidiSystem) -> bool:
    """Return whether another improviser has made its output port."""
    names = () if midi.backend is None else midi.backend.input_names()
    return any(is_own(name) and VIRTUAL_OUTPUT in name for name in names)


def _decides_s(piece: PresetEntry) -> float:
    """Return the seconds that the first decision took. Raises ImproviserError if there is none."""
    settings = EngineSettings(**piece.engine)
    engine = Engine(settings, load_actor(Path(piece.model), settings), np.random.default_rng(0))
    engine.hear(NoteOn(0, MIDDLE_C, DEFAULT_VELOCITY), 0.0)
    for _ in range(_STEPS_MAX):
        began_s = time.perf_counter()
        engine.step(0.0)
        took_s = time.perf_counter() - began_s
        if engine.decision is not None and engine.decision.choice is not None:
            return took_s
    raise ImproviserError("the model returns no decision")
