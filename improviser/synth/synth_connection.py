"""Starts a synthesizer with the drivers of a MIDI system, and connects it with the improviser there.

On JACK its MIDI port is connected to 'Improviser Out', and its sound goes to the system's speakers. On ALSA `aconnect`
connects it. If `aconnect` is not installed, the synthesizer connects itself with every port that sends, including your
keyboard. On CoreMIDI it does the same when it starts. On Windows it listens to the loopback port.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports import open_backend
from improviser.ports.name import own_ports, plain_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from improviser.ports.jack import JackBackend
    from improviser.protocol import Ready

_ON_JACK: Final = ("jack", "rtmidi-jack")
_ALSA: Final = "alsa"
# This program is part of alsa-utils.
_TOOL: Final = "aconnect"
_TOOL_S: Final = 2.0


def drivers(ready: Ready, client: str) -> list[str]:
    """Return the MIDI and audio options of fluidsynth that fit the performer's MIDI system.

    Source: the settings' reference of FluidSynth, https://www.fluidsynth.org/api/fluidsettings.html.
    """
    if ready.backend in _ON_JACK:
        ids = [f"{kind}.jack.id={client}" for kind in ("audio", "midi")]
        return ["-a", "jack", "-m", "jack", *_settings(*ids, "audio.jack.autoconnect=1")]
    if ready.backend == _ALSA:
        itself = [] if shutil.which(_TOOL) else ["midi.autoconnect=1"]
        return ["-a", _alsa_audio(), "-m", "alsa_seq", *_settings(f"midi.alsa_seq.id={client}", *itself)]
    if ready.backend == "coremidi":
        return ["-a", "coreaudio", "-m", "coremidi", *_settings("midi.autoconnect=1")]
    return ["-m", "winmidi", *_settings(f"midi.winmidi.device={_windows_device(ready.sends_on)}")]


def is_connected_anew(ready: Ready) -> bool:
    """Return whether a running synthesizer can be connected. Other systems connect it only when it starts."""
    return ready.backend in {*_ON_JACK, _ALSA}


@contextlib.contextmanager
def connecting(ready: Ready) -> Iterator[Callable[[str], bool]]:
    """Return a function that connects the synthesizer with the given client name and returns whether it is connected.

    The function returns False as long as the synthesizer's port is not there.

    Threads: The context and its function belong to one thread.
    """
    if ready.backend not in _ON_JACK:
        yield partial(_by_tool, ready) if ready.backend == _ALSA and shutil.which(_TOOL) else _by_itself
        return
    from improviser.ports.jack import open_jack  # noqa: PLC0415 - this import raises an error without JACK

    try:
        graph = open_jack()
    except PortError:
        yield lambda _: False
        return
    try:
        yield lambda client: _by_cable(graph, own_ports(ready.jam)[1], client)
    finally:
        graph.close()


def _by_cable(graph: JackBackend, output: str, client: str) -> bool:
    """Connect the port `output` to the synthesizer in JACK. Return whether they are connected."""
    ports = [name for name in graph.output_names() if name.startswith(f"{client}:")]
    graph.restore(output, ports[:1])
    return bool(ports) and ports[0] in (graph.cables(output) or ())


def _by_tool(ready: Ready, client: str) -> bool:
    """Connect with ALSA's `aconnect`. Return whether the ports are connected."""
    command = [_TOOL, f"{own_ports(ready.jam)[1]}:0", f"FLUID Synth ({client}):0"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or "already" in done.stderr


def _by_itself(_client: str) -> bool:
    """Do nothing, because the synthesizer connects itself."""
    return True


def _settings(*pairs: str) -> list[str]:
    """Return the options that set fluidsynth's settings, given as NAME=VALUE."""
    return [word for pair in pairs for word in ("-o", pair)]


def _alsa_audio() -> str:
    """Return the audio driver for ALSA: "pulseaudio" if the desktop runs PulseAudio or PipeWire, else "alsa"."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return "pulseaudio" if runtime and Path(runtime, "pulse", "native").exists() else "alsa"


def _windows_device(name: str) -> str:
    """Return the number of the input at the other end of the loopback port that the performer sends to."""
    names: list[str] = []
    with contextlib.suppress(PortError), contextlib.closing(open_backend("winmm")) as backend:
        names = [plain_name(each) for each in backend.input_names()]
    return str(names.index(plain_name(name))) if plain_name(name) in names else "default"
