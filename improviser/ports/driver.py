"""The libraries that drivers go through: which one is there, and in what version."""

from __future__ import annotations

from improviser.errors import PortError


class DriverMissingError(PortError):
    """The library of a driver does not load, so that another driver of the same MIDI system may be tried."""


def library(package: str) -> str:
    """Return the name and version of an installed package, its name alone where it tells no version."""
    from importlib import metadata  # noqa: PLC0415 - costs 20 ms, and only a listing asks

    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package
