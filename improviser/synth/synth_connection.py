"""How a synthesizer is started for a MIDI system, and connected with the improviser there.

On JACK its port gets a cable from 'Improviser Out', and its sound goes to the system's speakers. On ALSA
`aconnect` connects it; where that is not installed it connects itself with all that plays, your keyboard too.
On CoreMIDI likewise with all that plays when it starts; on Windows it listens to the loopback port.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports import open_backend
from improviser.ports.base import VIRTUAL_OUTPUT
from improviser.ports.name import plain_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from improviser.ports.jack import JackBackend
    from improviser.protocol import Ready

_ON_JACK: Final = ("jack", "rtmidi-jack")
_ALSA: Final = "alsa"
# The tool of alsa-utils.
_TOOL: Final = "aconnect"
_TOOL_S: Final = 2.0


def drivers(ready: Ready, client: str) -> list[str]:
    """Return the options for MIDI and audio that fit the MIDI system which the performer plays on.

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
    """Return whether a synthesizer that runs can be connected; elsewhere it is only when it starts."""
    return ready.backend in {*_ON_JACK, _ALSA}


@contextlib.contextmanager
def connecting(ready: Ready) -> Iterator[Callable[[str], bool]]:
    """Return what connects the synthesizer of a name, and tells whether it is; before it is there it is not.

    Threads: one.
    """
    if ready.backend not in _ON_JACK:
        yield _by_tool if ready.backend == _ALSA and shutil.which(_TOOL) else _by_itself
        return
    from improviser.ports.jack import open_jack  # noqa: PLC0415 - importing it raises where there is no JACK

    try:
        graph = open_jack()
    except PortError:
        yield lambda _: False
        return
    try:
        yield lambda client: _by_cable(graph, client)
    finally:
        graph.close()


def _by_cable(graph: JackBackend, client: str) -> bool:
    """Lay the cable from the improviser's newest output; return whether it is there."""
    ports = [name for name in graph.output_names() if name.startswith(f"{client}:")]
    graph.restore(VIRTUAL_OUTPUT, ports[:1])
    return bool(ports) and ports[0] in (graph.cables(VIRTUAL_OUTPUT) or ())


def _by_tool(client: str) -> bool:
    """Connect by ALSA's own tool; return whether it is."""
    command = [_TOOL, f"{VIRTUAL_OUTPUT}:0", f"FLUID Synth ({client}):0"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or "already" in done.stderr


def _by_itself(_client: str) -> bool:
    """Leave it to the synthesizer."""
    return True


def _settings(*pairs: str) -> list[str]:
    """Return options that set settings."""
    return [word for pair in pairs for word in ("-o", pair)]


def _alsa_audio() -> str:
    """Return the audio driver beside ALSA's MIDI: the desktop's sound server where one runs, PipeWire's too."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return "pulseaudio" if runtime and Path(runtime, "pulse", "native").exists() else "alsa"


def _windows_device(name: str) -> str:
    """Return the number of the input at the other end of the loopback port that is played on."""
    names: list[str] = []
    with contextlib.suppress(PortError), contextlib.closing(open_backend("winmm")) as backend:
        names = [plain_name(each) for each in backend.input_names()]
    return str(names.index(plain_name(name))) if plain_name(name) in names else "default"
