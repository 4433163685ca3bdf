"""Says which libraries of MIDI drivers are installed, and in what version."""

from __future__ import annotations

from improviser.errors import PortError


class DriverMissingError(PortError):
    """A driver's library does not load, so another driver of the same MIDI system may be tried."""


def library(package: str) -> str:
    """Return the name and version of an installed package, or only its name if the version is unknown."""
    from importlib import metadata  # noqa: PLC0415 - the import costs 20 ms, and only listings need it

    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package
