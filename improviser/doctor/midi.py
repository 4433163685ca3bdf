"""Checks the MIDI system, its ports, and the loopback driver that Windows needs."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Final

from improviser.config.user_settings import load_settings
from improviser.doctor.finding import by_system, failed, fault_and_step, passed, warned
from improviser.errors import ConfigError, PortError
from improviser.ports import AUTO, LOOPBACK, advice, open_backend
from improviser.ports.name import is_own, is_through, loopback_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.doctor.finding import Finding
    from improviser.ports.base import Backend

NO_SYSTEM: Final = "not checked: there is no MIDI system"
SYSTEM_FIRST: Final = "first follow the step for the MIDI system"
JACK: Final = "jack"
_SYSTEM: Final = "MIDI system"
_PORTS: Final = "ports"
_DRIVER: Final = "loopback driver"
# MIDI systems of each platform, best first. RtMidi on JACK is left out: it only replaces JACK where that is missing.
_OURS: Final = {"darwin": ("coremidi", JACK), "win32": ("winmm",)}
_OURS_ELSEWHERE: Final = (JACK, "alsa")
_GET_SYSTEM: Final = {
    "darwin": "pip install --force-reinstall improviser-live",
    "win32": "pip install --force-reinstall improviser-live",
}
_GET_JACK: Final = (
    "sudo apt install jackd2 (Debian, Ubuntu; elsewhere the package jack2 or pipewire-jack), then: jackd -d "
    "alsa, or jackd -d dummy where there is no sound card"
)
_OR_ALSA: Final = "; or for ALSA's ports: sudo modprobe snd-seq"
_GET_KEYBOARD: Final = "connect a keyboard, start a program that plays MIDI, or try: improviser demo"
_UNSEEN: Final = "; JACK may not show USB keyboards: run a2jmidid -e beside it, or try --backend alsa"
_SHOWN_MAX: Final = 4


class MidiSystem:
    """The MIDI system that the checks share; check_system opens it.

    Attributes:
        wanted: Name of the MIDI system that the user asked for.
        backend: The open MIDI system; None if there is none.
    """

    def __init__(self, wanted: str | None) -> None:
        """Store which MIDI system to open; if `wanted` is empty, the user's settings name it."""
        self.wanted = wanted or _name_of_settings()
        self.backend: Backend | None = None

    @property
    def name(self) -> str:
        """The name of the open MIDI system; empty if none is open."""
        return "" if self.backend is None else self.backend.name

    def close(self) -> None:
        """Close the MIDI system."""
        if self.backend is not None:
            self.backend.close()


def foreign_inputs(backend: Backend) -> tuple[str, ...]:
    """Return the inputs that somebody plays on: not our own ports, and not those that repeat others."""
    return tuple(name for name in backend.input_names() if not is_own(name) and not is_through(name))


def check_system(midi: MidiSystem) -> Iterator[Finding]:
    """Open the MIDI system; report which one it is, and why the others are not used."""
    try:
        midi.backend = _renamed(open_backend(midi.wanted))
    except PortError as error:
        yield _no_system(midi.wanted, error)
        return
    reasons = [f"{name}: {_why_not(name)}" for name in _others(midi.name)] if midi.wanted == AUTO else []
    yield passed(_SYSTEM, "; ".join((_through(midi.backend), *reasons)))


def check_ports(midi: MidiSystem) -> Iterator[Finding]:
    """Report the inputs and outputs of other programs and devices."""
    if midi.backend is None:
        yield warned(_PORTS, NO_SYSTEM, SYSTEM_FIRST)
        return
    inputs = foreign_inputs(midi.backend)
    outputs = [name for name in midi.backend.output_names() if not is_own(name) and not is_through(name)]
    found = f"inputs: {_listed(inputs)}; outputs: {_listed(outputs)}"
    if inputs:
        yield passed(_PORTS, found)
    else:
        yield warned(_PORTS, found, _GET_KEYBOARD + (_UNSEEN if midi.name == JACK else ""))


def check_loopback_driver() -> Iterator[Finding]:
    """Report whether programs can be connected on this platform; Windows needs a driver for that."""
    if sys.platform == "win32":
        yield _windows_driver()
    elif sys.platform == "darwin":
        yield passed(_DRIVER, "not needed: improviser makes its own ports, and the IAC driver may be off")
    else:
        yield passed(_DRIVER, "not needed: improviser makes its own ports")


def _no_system(wanted: str, error: PortError) -> Finding:
    """Report why no MIDI system was opened, and what to do next.

    A jam plays in the browser without one, so that is a failure only where a system was asked for by name.
    """
    if wanted != AUTO:
        found, step = fault_and_step(error)
        return failed(_SYSTEM, f"{wanted}: {found}", step or by_system(_GET_SYSTEM, _get_jack()))
    reasons = [f"{name}: {_why_not(name)}" for name in _others("")]
    found = "; ".join(("none works, so a jam plays in the browser only", *reasons))
    return warned(_SYSTEM, found, by_system(_GET_SYSTEM, _get_jack()))


def _get_jack() -> str:
    """Return how to get a MIDI system on Linux; with PipeWire, use that."""
    uses_pipewire = advice.runs_pipewire() or advice.is_under_pw_jack()
    return (advice.get_jack() if uses_pipewire else _GET_JACK) + _OR_ALSA


def _through(backend: Backend) -> str:
    """Return the name of a MIDI system with the library that reaches it."""
    return f"{backend.name} through {backend.driver}" if backend.driver else backend.name


def _windows_driver() -> Finding:
    """Report whether there is a loopback port, since Windows has no virtual ports."""
    try:
        with closing(open_backend("winmm")) as backend:
            name = loopback_name(backend.output_names())
    except PortError as error:
        return warned(_DRIVER, str(error), _GET_SYSTEM["win32"])
    if name is not None:
        return passed(_DRIVER, f"'{name}' carries its notes to other programs")
    return warned(
        _DRIVER,
        "none: Windows has no virtual ports, so no other program can hear improviser",
        "install loopMIDI (https://www.tobias-erichsen.de/software/loopmidi.html) and add a port called "
        "'Improviser'; with Windows MIDI Services, its loopback endpoints do",
    )


def _name_of_settings() -> str:
    """Return the MIDI system from the user's settings; AUTO if they have faults, which another check reports."""
    try:
        return load_settings().backend
    except ConfigError:
        return AUTO


def _renamed(backend: Backend) -> Backend:
    """Return the MIDI system; on JACK under another client name, so that a new jam can have the usual one."""
    if backend.name != JACK:
        return backend
    backend.close()
    return client_of_jack("Doctor")


def client_of_jack(what: str) -> Backend:
    """Connect to JACK under our own client name. Raises PortError if no server answers."""
    from improviser.ports.jack import open_jack  # noqa: PLC0415 - importing it raises where there is no JACK

    return open_jack(f"Improviser {what}")


def _others(chosen: str) -> list[str]:
    """Return the other MIDI systems of this platform."""
    return [name for name in _OURS.get(sys.platform, _OURS_ELSEWHERE) if name != chosen]


def _why_not(name: str) -> str:
    """Return why a MIDI system was not chosen."""
    try:
        with closing(open_backend(name)) as backend:
            return f"also works, through {backend.driver}"
    except PortError as error:
        return fault_and_step(error)[0]


def _listed(names: tuple[str, ...] | list[str]) -> str:
    """Return the first names as text, and the number of the others."""
    shown = [f"'{name}'" for name in names[:_SHOWN_MAX]]
    more = [f"{len(names) - _SHOWN_MAX} more"] if len(names) > _SHOWN_MAX else []
    return ", ".join(shown + more) or "none"


def has_virtual_ports(backend: Backend) -> bool:
    """Return whether other programs can reach the ports that a MIDI system makes for us."""
    return backend.name not in {"winmm", LOOPBACK}
