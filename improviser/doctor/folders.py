"""Checks whether the folders of sessions and takes are writable and have room."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improviser.config.resources import STATE_DIR_VARIABLE, sessions_folder
from improviser.doctor.finding import failed, passed, warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.doctor.finding import Finding

_BYTES_PER_MB: Final = 1_000_000
# A journal takes about 10 MB per hour, a take about 0.1 MB.
_LITTLE_MB: Final = 200
_NOTHING_MB: Final = 20


def check_folders() -> Iterator[Finding]:
    """Try to write in the folders in which a jam writes."""
    yield _tried(
        "state folder",
        sessions_folder().parent,
        f"make it writable (chown, chmod u+w), or set {STATE_DIR_VARIABLE} to another folder",
    )
    yield _tried("current folder", Path.cwd(), "change to your own folder (cd ~) before you record or keep takes")


def _tried(name: str, folder: Path, step: str) -> Finding:
    """Return a finding on whether a folder, or the one it would be made in, is writable, and on its free space."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(bytes(1))
    except OSError as error:
        return failed(name, f"{folder} is not writable: {error.strerror}", step)
    free_mb = shutil.disk_usage(there).free // _BYTES_PER_MB
    found = f"{folder} is writable, {free_mb} MB free"
    if free_mb >= _LITTLE_MB:
        return passed(name, found)
    say = warned if free_mb >= _NOTHING_MB else failed
    return say(name, found, "free some space: a session takes about 10 MB per hour")
