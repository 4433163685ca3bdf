"""MIDI through supriya-midi, which binds RtMidi too and has wheels where python-rtmidi has none.

It serves CoreMIDI and WinMM from Python 3.13 on. Its wheels hold one module for each Python, platform and
processor, which was looked at (docs/decisions/0006). All but its shape is python-rtmidi's: see ports.rtmidi.

Source: supriya-midi 26.10b4, supriya_midi/core.py.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from improviser.ports.rtmidi import COREMIDI, WINMM, RtMidiBinding, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.ports.rtmidi import RtMidiBackend

_MISSING = ""
try:
    import supriya_midi
except ImportError as error:  # pragma: no cover - where python-rtmidi has a wheel nobody needs it
    supriya_midi = None  # type: ignore[assignment] # as ports.rtmidi has it
    _MISSING = str(error)


def open_coremidi() -> RtMidiBackend:
    """Open CoreMIDI. Raises PortError where this is no macOS."""
    return opened(binding(), *COREMIDI)


def open_winmm() -> RtMidiBackend:
    """Open WinMM. Raises PortError where this is no Windows."""
    return opened(binding(), *WINMM)


def binding() -> RtMidiBinding:
    """Return supriya-midi, loaded or not, in the shape of python-rtmidi."""
    shaped = None if _MISSING else _shaped(supriya_midi)
    return RtMidiBinding("supriya-midi", shaped, _MISSING)


def _shaped(module: Any) -> SimpleNamespace:  # noqa: ANN401 - it comes without types where it is not installed
    """Return what python-rtmidi's module has, made of supriya-midi's."""

    class MidiIn(module.MidiIn):  # type: ignore[misc] # a class of Any
        """An input whose callback takes the message and the time since the last one as a pair."""

        def set_callback(self, callback: Callable[..., None], data: object = None) -> None:
            """Call `callback` for each message, in the driver's thread."""
            super().set_callback(lambda message, delta_s, data: callback((message, delta_s), data), data)

    api = module.RtMidiAPI
    return SimpleNamespace(
        MidiIn=MidiIn,
        MidiOut=module.MidiOut,
        get_compiled_api=module.get_compiled_apis,
        API_LINUX_ALSA=api.LINUX_ALSA,
        API_UNIX_JACK=api.UNIX_JACK,
        API_MACOSX_CORE=api.MACOSX_CORE,
        API_WINDOWS_MM=api.WINDOWS_MM,
    )
