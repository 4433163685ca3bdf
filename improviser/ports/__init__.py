"""MIDI to and from the world: one backend per MIDI system, found by name.

To add a driver: write one module with a function that gives its `Backend` or raises `PortError`, and add a
row to `BACKENDS`.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.ports.base import Backend

AUTO: Final = "auto"
LOOPBACK: Final = "loopback"
# Name -> module and function that opens it.
BACKENDS: Final = {
    "jack": ("improviser.ports.jack", "open_jack"),
    "alsa": ("improviser.ports.rtmidi", "open_alsa"),
    "coremidi": ("improviser.ports.rtmidi", "open_coremidi"),
    "winmm": ("improviser.ports.rtmidi", "open_winmm"),
    "rtmidi-jack": ("improviser.ports.rtmidi", "open_jack"),
    LOOPBACK: ("improviser.ports.loopback", "open_loopback"),
}
# What "auto" tries, in order, by sys.platform.
_TRIED: Final = {"darwin": ("coremidi", "jack"), "win32": ("winmm",)}
_TRIED_ELSEWHERE: Final = ("jack", "alsa", "rtmidi-jack")


def open_backend(name: str = AUTO) -> Backend:
    """Open the MIDI system `name`, or with "auto" the first that works on this machine.

    Raises:
        PortError: It is not there; the text says how to get it.
        UsageError: There is no backend of that name.
    """
    if name == AUTO:
        return _open_first(_TRIED.get(sys.platform, _TRIED_ELSEWHERE))
    if name not in BACKENDS:
        raise UsageError(f"no backend '{name}'; choose one of {', '.join((AUTO, *BACKENDS))}")
    module, function = BACKENDS[name]
    opener: Callable[[], Backend] = getattr(importlib.import_module(module), function)
    return opener()


def _open_first(names: tuple[str, ...]) -> Backend:
    """Open the first of `names` that works; raise PortError with the reasons of all where none does."""
    reasons = []
    for name in names:
        try:
            return open_backend(name)
        except PortError as error:
            reasons.append(str(error))
    raise PortError("no MIDI system works here: " + "; or ".join(reasons))
