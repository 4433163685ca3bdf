"""MIDI through supriya-midi, which binds RtMidi too and has wheels where python-rtmidi has none.

It serves CoreMIDI and WinMM from Python 3.13 on. Its wheels hold one module for each Python, platform and processor,
which was checked (docs/decisions/0006). Only its interface differs from python-rtmidi's: see ports.rtmidi.

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
except ImportError as error:  # pragma: no cover - not needed if python-rtmidi has a wheel
    supriya_midi = None  # type: ignore[assignment] # as in ports.rtmidi
    _MISSING = str(error)


def open_coremidi() -> RtMidiBackend:
    """Open CoreMIDI, or raise PortError if the system is not macOS."""
    return opened(binding(), *COREMIDI)


def open_winmm() -> RtMidiBackend:
    """Open WinMM, or raise PortError if the system is not Windows."""
    return opened(binding(), *WINMM)


def binding() -> RtMidiBinding:
    """Return the binding supriya-midi, loaded or not, with the interface of python-rtmidi."""
    shaped = None if _MISSING else _shaped(supriya_midi)
    return RtMidiBinding("supriya-midi", shaped, _MISSING)


def _shaped(module: Any) -> SimpleNamespace:  # noqa: ANN401 - without an installation it has no types
    """Return supriya-midi's module with the interface of python-rtmidi."""

    class MidiIn(module.MidiIn):  # type: ignore[misc] # the base class is Any
        """An input whose callback gets a pair: the message and the time since the last one."""

        def set_callback(self, callback: Callable[..., None], data: object = None) -> None:
            """Call `callback` for each message.

            Threads: The driver's thread calls `callback`.
            """
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
