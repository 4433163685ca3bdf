"""The driver over supriya-midi: opened only on its platforms; its interface is python-rtmidi's."""

from __future__ import annotations

import sys

import pytest

from improviser.errors import PortError
from improviser.ports import supriya as module
from improviser.ports.driver import DriverMissingError


@pytest.mark.skipif(sys.platform in {"darwin", "win32"}, reason="its systems are here")
def test_systems_of_other_platforms_are_refused() -> None:
    """The Linux build of the library has neither CoreMIDI nor WinMM."""
    pytest.importorskip("supriya_midi", reason="supriya-midi does not load: is ALSA's library here?")
    with pytest.raises(PortError, match="this supriya-midi is built without coremidi; CoreMIDI is part of"):
        module.open_coremidi()
    with pytest.raises(PortError, match="this supriya-midi is built without winmm; WinMM is part of"):
        module.open_winmm()


def test_a_missing_library_lets_another_driver_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library raises the exception that makes the registry try another driver."""
    monkeypatch.setattr(module, "_MISSING", "No module named 'supriya_midi'")
    with pytest.raises(DriverMissingError, match="supriya-midi does not load"):
        module.open_coremidi()
