"""Port names: matches them with patterns, and recognises the improviser's own ports and loopback ports."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports.base import (
    LISTENER_PORT,
    PLAYER_PORT,
    PROBE_PORT,
    SENDER_PORT,
    VIRTUAL_INPUT,
    VIRTUAL_OUTPUT,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# ALSA appends "client:port" and WinMM a number. JACK adds "-01" to the client of a second program with the same name.
_NUMBERS: Final = re.compile(r"(\s+\d+(:\d+)?|-\d+)$")
_TWIN: Final = " #"
# improviser never listens to a port with one of these names, nor to one of a jam with a name.
_OWN: Final = {VIRTUAL_INPUT, VIRTUAL_OUTPUT, PLAYER_PORT, LISTENER_PORT, SENDER_PORT, PROBE_PORT}
# Ports that only pass on what others send. Whoever listens to them hears everything twice.
_THROUGH: Final = "midi through"
# Ports that make sound but pass nothing on, so they cannot serve as a virtual output.
_SYNTH: Final = "gs wavetable"
# Loopback ports of Windows, the preferred ones first.
_LOOPBACKS: Final = ("improviser*", "default app loopback (a)*", "loopmidi*")


def plain_name(name: str) -> str:
    """Return `name` without the numbers that a driver appends and that change from start to start."""
    return _NUMBERS.sub("", name)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each of them unique: the second device of the same name is called "... #2"."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name}{_TWIN}{seen[name]}")
    return tuple(told)


def twins_of(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that belong to devices with the same name as `name`, including `name`."""
    model = name.partition(_TWIN)[0]
    return tuple(other for other in names if other.partition(_TWIN)[0] == model)


def own_ports(jam: str) -> tuple[str, str]:
    """Return the names of the virtual input and output of the jam with this name; empty: no name."""
    between = f" {jam} " if jam else " "
    return VIRTUAL_INPUT.replace(" ", between), VIRTUAL_OUTPUT.replace(" ", between)


def is_own(name: str) -> bool:
    """Return whether this is the name of an improviser port: its client, its port or both; of any jam."""
    parts = {plain_name(part.strip()) for part in plain_name(name).split(":")}
    return not parts.isdisjoint(_OWN) or any(_OF_JAM.fullmatch(part) for part in parts)


def is_probe(name: str) -> bool:
    """Return whether the port only serves improviser's own tests of a MIDI system. Users never need it."""
    return PROBE_PORT in name


def is_through(name: str) -> bool:
    """Return whether the port only passes on what others send."""
    return _THROUGH in name.lower()


def is_match(pattern: str, name: str) -> bool:
    """Return whether `pattern` is a part of `name`, or a shell pattern that matches it. Case does not matter."""
    wanted, full = pattern.lower(), name.lower()
    return wanted in full or fnmatchcase(full, wanted) or fnmatchcase(plain_name(full), wanted)


def match_names(pattern: str, names: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return the `names` that match `pattern`: an identical name first, improviser's own ports last.

    Raises:
        PortError: No name matches. The message lists the available ones. `kind` is "input" or "output".
    """
    found = sorted(
        (name for name in names if is_match(pattern, name)),
        key=lambda name: (name.lower() != pattern.lower(), is_own(name)),
    )
    if not found:
        available = ", ".join(f"'{name}'" for name in names) or "none"
        msg = f"no MIDI {kind} matches '{pattern}' (available: {available}); see: improviser ports"
        raise PortError(msg)
    return tuple(found)


def loopback_name(names: Sequence[str]) -> str | None:
    """Return the loopback port to use if virtual ports cannot be created, or None if there is no such port.

    Source: WinMM on Windows has no virtual ports. loopMIDI and Windows MIDI Services create pairs of loopback ports.
    """
    usable = [name for name in names if _SYNTH not in name.lower()]
    for pattern in _LOOPBACKS:
        for name in usable:
            if fnmatchcase(name.lower(), pattern):
                return name
    return None


_OF_JAM: Final = re.compile("|".join(own_ports(".+")))
