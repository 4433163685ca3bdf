"""What the tests of the doctor share: MIDI systems that are none, and findings."""

from __future__ import annotations

from collections.abc import Iterator

from improviser.doctor import Finding
from improviser.doctor.midi import MidiSystem
from improviser.ports.loopback import LoopbackBackend


class Renamed(LoopbackBackend):
    """A patchbay that passes for another MIDI system."""

    def __init__(self, name: str = "alsa", driver: str = "") -> None:
        """Be that system, reached through that library."""
        super().__init__()
        self.name = name
        self.driver = driver


def opened(backend: LoopbackBackend | None) -> MidiSystem:
    """Return a MIDI system that has been opened, or was not there."""
    system = MidiSystem("auto")
    system.backend = backend
    return system


def only(findings: Iterator[Finding]) -> Finding:
    """Return the one finding of a check."""
    (finding,) = findings
    return finding
