"""Opens MIDI systems: there is one backend for each MIDI system, found by name.

To add a driver, write one module with a function that returns its `Backend` or raises `PortError`. Add the function to
a row of `BACKENDS`. A new MIDI system also needs a name in `choices.BackendName`. If its library does not load, the
function raises `DriverMissingError`, and the next driver in the row is tried.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Final

from improviser.choices import BackendName
from improviser.errors import PortError, UsageError
from improviser.ports.driver import DriverMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.ports.base import Backend

AUTO: Final = BackendName.AUTO
LOOPBACK: Final = BackendName.LOOPBACK
# Maps a name to the module and the function of each driver that opens it. The preferred driver comes first.
BACKENDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    BackendName.JACK: (("improviser.ports.jack", "open_jack"),),
    BackendName.ALSA: (("improviser.ports.rtmidi", "open_alsa"), ("improviser.ports.alsa", "open_alsa")),
    BackendName.COREMIDI: (("improviser.ports.rtmidi", "open_coremidi"), ("improviser.ports.supriya", "open_coremidi")),
    BackendName.WINMM: (("improviser.ports.rtmidi", "open_winmm"), ("improviser.ports.supriya", "open_winmm")),
    BackendName.RTMIDI_JACK: (("improviser.ports.rtmidi", "open_jack"),),
    LOOPBACK: (("improviser.ports.loopback", "open_loopback"),),
}
# How to install a row's library, if reinstalling improviser does not do it.
_GET_DRIVER: Final[dict[str, str]] = {
    BackendName.ALSA: "pip install alsa-midi, and on Debian: sudo apt install libasound2 (Debian 13: libasound2t64)",
    BackendName.RTMIDI_JACK: "use --backend jack, or build it: pip install 'improviser-live[rtmidi]'",
}
_GET_ANY_DRIVER: Final = "run: pip install --force-reinstall improviser-live"
# What "auto" tries, in order, by sys.platform.
_TRIED: Final = {"darwin": ("coremidi", "jack"), "win32": ("winmm",)}
_TRIED_ELSEWHERE: Final = ("jack", "alsa", "rtmidi-jack")
# Backends that replace another one of the list. They fail for the same reasons, so these are not repeated.
_STAND_INS: Final = ("rtmidi-jack",)


def open_backend(name: str = AUTO) -> Backend:
    """Open the MIDI system `name`, or with "auto" the first that works on this machine.

    Raises:
        PortError: The MIDI system is not available. The message says how to get it.
        UsageError: There is no backend of that name.
    """
    if name == AUTO:
        return _open_first(_TRIED.get(sys.platform, _TRIED_ELSEWHERE))
    if name not in BACKENDS:
        raise UsageError(f"unknown backend '{name}'; choose one of {', '.join((AUTO, *BACKENDS))}")
    missing = []
    for module, function in BACKENDS[name]:
        opener: Callable[[], Backend] = getattr(importlib.import_module(module), function)
        try:
            return opener()
        except DriverMissingError as error:
            missing.append(str(error))
    raise DriverMissingError(f"{' and '.join(missing)}; {_GET_DRIVER.get(name, _GET_ANY_DRIVER)}")


def _open_first(names: tuple[str, ...]) -> Backend:
    """Open the first of `names` that works. If none works, raise PortError with all reasons."""
    reasons = []
    for name in names:
        try:
            return open_backend(name)
        except PortError as error:
            if name not in _STAND_INS:
                reasons.append(str(error))
    raise PortError("no MIDI system works here: " + "; or ".join(reasons))
