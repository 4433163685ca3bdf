"""Helpers for the tests of the doctor: simulated MIDI systems, and findings."""

from __future__ import annotations

from collections.abc import Iterator

from improviser.doctor import Finding
from improviser.doctor.midi import MidiSystem
from improviser.ports.loopback import LoopbackBackend


class Renamed(LoopbackBackend):
    """A loopback backend that reports the name of another MIDI system."""

    def __init__(self, name: str = "alsa", driver: str = "") -> None:
        """Report the MIDI system `name`, reached through the library `driver`."""
        super().__init__()
        self.name = name
        self.driver = driver


def opened(backend: LoopbackBackend | None) -> MidiSystem:
    """Return a MIDI system with this backend already open, or with none."""
    system = MidiSystem("auto")
    system.backend = backend
    return system


def only(findings: Iterator[Finding]) -> Finding:
    """Return the single finding of a check."""
    (finding,) = findings
    return finding
