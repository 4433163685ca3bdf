"""Names of ports: which fit a pattern, which are our own, which lead back to us."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports.base import OWN_NAMES, PROBE_PORT

if TYPE_CHECKING:
    from collections.abc import Sequence

# ALSA appends "client:port", WinMM a number, JACK "-01" to the client of a second program of one name.
_NUMBERS: Final = re.compile(r"(\s+\d+(:\d+)?|-\d+)$")
_TWIN: Final = " #"
# Ports that only pass on what others send; to listen to them is to hear everything twice.
_THROUGH: Final = "midi through"
# Ports that make sound but carry nothing on: no place for a virtual output.
_SYNTH: Final = "gs wavetable"
# Loopback ports of Windows, in the order in which they are preferred.
_LOOPBACKS: Final = ("improviser*", "default app loopback (a)*", "loopmidi*")


def plain_name(name: str) -> str:
    """Return `name` without the numbers that a driver puts behind it and that change from start to start."""
    return _NUMBERS.sub("", name)


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which none is like another: the second device of one name is called "... #2"."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name}{_TWIN}{seen[name]}")
    return tuple(told)


def twins_of(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of `names` that are of devices called as `name` is, itself included."""
    model = name.partition(_TWIN)[0]
    return tuple(other for other in names if other.partition(_TWIN)[0] == model)


def is_own(name: str) -> bool:
    """Return whether a port of improviser has this name, as a client, as a port or as both."""
    parts = {plain_name(part.strip()) for part in plain_name(name).split(":")}
    return not parts.isdisjoint(OWN_NAMES)


def is_probe(name: str) -> bool:
    """Return whether the port only serves improviser's own tests of a MIDI system: nobody means to use it."""
    return PROBE_PORT in name


def is_through(name: str) -> bool:
    """Return whether the port only passes on what others send."""
    return _THROUGH in name.lower()


def is_match(pattern: str, name: str) -> bool:
    """Return whether `pattern` is a part of `name`, or a shell pattern for it; case does not count."""
    wanted, full = pattern.lower(), name.lower()
    return wanted in full or fnmatchcase(full, wanted) or fnmatchcase(plain_name(full), wanted)


def match_names(pattern: str, names: Sequence[str], kind: str) -> tuple[str, ...]:
    """Return the `names` that fit `pattern`: the one that is called so first, ports of improviser last.

    Raises:
        PortError: None fits; the text lists those that there are. `kind` is "input" or "output".
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
    """Return the loopback port to use where virtual ports cannot be made; None where there is none.

    Source: Windows has no virtual ports in WinMM; loopMIDI and Windows MIDI Services make such pairs.
    """
    usable = [name for name in names if _SYNTH not in name.lower()]
    for pattern in _LOOPBACKS:
        for name in usable:
            if fnmatchcase(name.lower(), pattern):
                return name
    return None
