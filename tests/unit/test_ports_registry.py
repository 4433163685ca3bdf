"""Choosing a MIDI system."""

from __future__ import annotations

import sys

import pytest

from improviser import ports
from improviser.errors import PortError, UsageError
from improviser.ports import BACKENDS, open_backend
from improviser.ports.loopback import LoopbackBackend


def test_a_backend_is_opened_by_name() -> None:
    """The row of a name says what opens it."""
    assert isinstance(open_backend("loopback"), LoopbackBackend)


def test_an_unknown_backend_is_a_usage_error() -> None:
    """The error lists what there is."""
    with pytest.raises(
        UsageError, match="no backend 'x'; choose one of auto, jack, alsa, coremidi, winmm, rtmidi-jack, loop"
    ):
        open_backend("x")


@pytest.mark.parametrize(
    ("platform", "tried"),
    [("linux", ["jack", "alsa", "rtmidi-jack"]), ("darwin", ["coremidi", "jack"]), ("win32", ["winmm"])],
)
def test_auto_tries_what_the_platform_has(
    platform: str, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is tried in order; when none works all reasons are told."""
    monkeypatch.setattr(sys, "platform", platform)
    opened: list[str] = []

    def refuse(name: str) -> None:
        """Refuse."""
        opened.append(name)
        raise PortError(f"no {name}")

    original = ports.open_backend
    monkeypatch.setattr(ports, "open_backend", refuse)
    with pytest.raises(
        PortError, match="no MIDI system works here: " + "; or ".join(f"no {name}" for name in tried)
    ):
        original("auto")
    assert tried == opened


def test_auto_takes_the_first_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """What works is what is given."""
    monkeypatch.setitem(BACKENDS, "jack", BACKENDS["loopback"])
    monkeypatch.setattr(sys, "platform", "linux")
    assert isinstance(open_backend("auto"), LoopbackBackend)
