"""Choosing a MIDI system."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import pytest

from improviser import ports
from improviser.errors import PortError, UsageError
from improviser.ports import BACKENDS, open_backend
from improviser.ports.driver import DriverMissingError
from improviser.ports.loopback import LoopbackBackend


def test_a_backend_is_opened_by_name() -> None:
    """A backend's name selects the function that opens it."""
    assert isinstance(open_backend("loopback"), LoopbackBackend)


def test_an_unknown_backend_is_a_usage_error() -> None:
    """The error lists the available backends."""
    with pytest.raises(
        UsageError, match="unknown backend 'x'; choose one of auto, jack, alsa, coremidi, winmm, rtmidi-jack, loop"
    ):
        open_backend("x")


@pytest.mark.parametrize(
    ("platform", "tried"),
    [("linux", ["jack", "alsa", "rtmidi-jack"]), ("darwin", ["coremidi", "jack"]), ("win32", ["winmm"])],
)
def test_auto_tries_what_the_platform_has(platform: str, tried: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With auto each backend is tried in order; if none works, all reasons are reported, except for stand-ins."""
    monkeypatch.setattr(sys, "platform", platform)
    opened: list[str] = []

    def refuse(name: str) -> None:
        """Raise PortError."""
        opened.append(name)
        raise PortError(f"no {name}")

    original = ports.open_backend
    monkeypatch.setattr(ports, "open_backend", refuse)
    with pytest.raises(
        PortError,
        match="no MIDI system works here: "
        + "; or ".join(f"no {name}" for name in tried if name != "rtmidi-jack")
        + "$",
    ):
        original("auto")
    assert tried == opened


def test_auto_takes_the_first_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """With auto the first backend that works is returned."""
    monkeypatch.setitem(BACKENDS, "jack", BACKENDS["loopback"])
    monkeypatch.setattr(sys, "platform", "linux")
    assert isinstance(open_backend("auto"), LoopbackBackend)


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception | None]:
    """Drivers of the ALSA sequencer by module; each raises its exception, or opens."""
    outcomes: dict[str, Exception | None] = {}

    def opener_of(module: str) -> SimpleNamespace:
        """Return a driver's module."""

        def open_alsa() -> LoopbackBackend:
            """Return a backend, or raise."""
            error = outcomes[module]
            if error is not None:
                raise error
            backend = LoopbackBackend()
            backend.driver = module
            return backend

        return SimpleNamespace(open_alsa=open_alsa)

    monkeypatch.setattr(importlib, "import_module", opener_of)
    return outcomes


RTMIDI, ALSA_MIDI = "improviser.ports.rtmidi", "improviser.ports.alsa"


def test_the_next_driver_opens_what_the_first_has_no_library_for(
    drivers: dict[str, Exception | None],
) -> None:
    """The first driver with an installed library opens the system."""
    drivers |= {RTMIDI: None, ALSA_MIDI: None}
    assert RTMIDI == open_backend("alsa").driver
    drivers[RTMIDI] = DriverMissingError("python-rtmidi does not load (none)")
    assert ALSA_MIDI == open_backend("alsa").driver


def test_a_system_that_is_not_there_is_not_tried_again(drivers: dict[str, Exception | None]) -> None:
    """An error of the system itself ends the search, because another library would fail too."""
    drivers |= {RTMIDI: PortError("no sequencer"), ALSA_MIDI: None}
    with pytest.raises(PortError, match=r"^no sequencer$"):
        open_backend("alsa")


def test_without_any_library_all_are_named(drivers: dict[str, Exception | None]) -> None:
    """Without any library each one is reported with its reason and how to install one."""
    drivers |= {RTMIDI: DriverMissingError("a does not load (x)"), ALSA_MIDI: DriverMissingError("b (y)")}
    with pytest.raises(PortError, match=r"^a does not load \(x\) and b \(y\); pip install alsa-midi, and"):
        open_backend("alsa")


def test_every_row_can_be_imported() -> None:
    """Each driver in the registry is a function of an existing module."""
    for drivers_of_row in BACKENDS.values():
        for module, function in drivers_of_row:
            assert callable(getattr(importlib.import_module(module), function))
