"""improviser: a deep Q-network that plays along, live, on a virtual MIDI port.

`__all__` lists the public interface; docs/extending.md has an example. The interface keeps its meaning within a
minor version; everything else may change. Each name is imported on first use, so that a jam starts quickly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from improviser.version import __version__ as __version__

if TYPE_CHECKING:
    from improviser.app.preset_policy import load_preset
    from improviser.engine import Engine, EngineSettings
    from improviser.errors import ImproviserError
    from improviser.midi.message import ControlChange, NoteOff, NoteOn, TimedMessage
    from improviser.midi.smf import read_file, write_file
    from improviser.offline import compose_song, render_song

__all__ = [
    "ControlChange",
    "Engine",
    "EngineSettings",
    "ImproviserError",
    "NoteOff",
    "NoteOn",
    "TimedMessage",
    "compose_song",
    "load_preset",
    "read_file",
    "render_song",
    "write_file",
]

_HOMES: Final = {
    "improviser.app.preset_policy": ("load_preset",),
    "improviser.engine": ("Engine", "EngineSettings"),
    "improviser.errors": ("ImproviserError",),
    "improviser.midi.message": ("ControlChange", "NoteOff", "NoteOn", "TimedMessage"),
    "improviser.midi.smf": ("read_file", "write_file"),
    "improviser.offline": ("compose_song", "render_song"),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type depends on the name
    """Import and return a public name on first use."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'improviser' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
