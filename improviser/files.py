"""Atomic file writes and file digests. This module imports nothing from improviser."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST_DIGITS = 16


def model_digest(model: Path) -> str:
    """Return the digest of a model file, or "" if it cannot be read: whoever loads it reports that."""
    try:
        return bytes_digest(model.read_bytes())
    except OSError:
        return ""


def bytes_digest(data: bytes) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()[:_DIGEST_DIGITS]


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, even after a crash, sees the old file or the whole new one.

    A symbolic link stays a link. A pipe or a device is written to directly, because a file must not replace it.

    Raises:
        OSError: The file cannot be written. The old file is unchanged, and no part of the new one is left.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def write_private(path: Path, text: str) -> None:
    """Write a file that only the user can read; create its folder if it is missing.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
