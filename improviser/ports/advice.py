"""Says how to get JACK on this machine: from a PipeWire that runs already, or from a JACK server."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Final

# The names come from PipeWire and its package pipewire-jack (Source: pipewire(1), pw-jack(1)).
_RUNTIME_DIRS: Final = ("PIPEWIRE_RUNTIME_DIR", "XDG_RUNTIME_DIR")
_REMOTE: Final = "PIPEWIRE_REMOTE"
_SOCKET: Final = "pipewire-0"
_PW_JACK: Final = "pw-jack"
# pw-jack adds this folder to the library path.
_LIBRARY_FOLDER: Final = "pipewire-0.3/jack"
_ANSWER_S: Final = 0.2

LATENCY: Final = "PIPEWIRE_LATENCY=128/48000"
_RUN: Final = "run: pw-jack improviser jam (in a checkout: pw-jack make jam)"
_SHORTER: Final = f"and for a short delay put {LATENCY} before it"
_JACKD: Final = "install jackd2 and start `jackd -d dummy` (or `jackd -d alsa` where there is a sound card)"


def get_jack() -> str:
    """Return what the user can do if no JACK server answers.

    Threads: Any thread may call this. It waits for at most 0.2 s.
    """
    if is_under_pw_jack():
        return "start PipeWire, whose JACK is used here: systemctl --user start pipewire wireplumber"
    if not runs_pipewire():
        return _JACKD
    if shutil.which(_PW_JACK) is None:
        package = "sudo apt install pipewire-jack (Debian, Ubuntu; elsewhere the package of that name)"
        return f"PipeWire runs here: {package}, then {_RUN}, {_SHORTER}"
    return f"PipeWire runs here: {_RUN}, {_SHORTER}"


def runs_pipewire() -> bool:
    """Return whether a PipeWire daemon answers."""
    if sys.platform != "linux":
        return False
    folder = next((os.environ[name] for name in _RUNTIME_DIRS if os.environ.get(name)), "")
    return bool(folder) and _answers(Path(folder, os.environ.get(_REMOTE) or _SOCKET))


def is_under_pw_jack() -> bool:
    """Return whether `pw-jack` started this program, so that its JACK library is PipeWire's."""
    return _LIBRARY_FOLDER in os.environ.get("LD_LIBRARY_PATH", "")


def _answers(path: Path) -> bool:
    """Return whether a process listens at a socket. A socket file that was left behind has no listener."""
    if sys.platform == "win32":  # pragma: no cover - runs_pipewire has checked the platform
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_ANSWER_S)
        try:
            caller.connect(str(path))
        except OSError:
            return False
    return True
