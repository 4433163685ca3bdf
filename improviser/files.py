"""Writing files whole or not at all, and telling one from another; imports nothing of improviser."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST_DIGITS = 16


def model_digest(model: Path) -> str:
    """Return a digest of a file's bytes, empty where it cannot be read: who uses it will say so."""
    try:
        return bytes_digest(model.read_bytes())
    except OSError:
        return ""


def bytes_digest(data: bytes) -> str:
    """Return a digest of some bytes."""
    return hashlib.sha256(data).hexdigest()[:_DIGEST_DIGITS]


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, even after a crash, sees the old file or the whole new one.

    A link stays a link. A pipe or a device is written to: it must not be replaced by a file.

    Raises:
        OSError: It cannot be written; the old file is as it was, and no part of the new one is left.
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
    """Write a file that only the user can read, in a folder that is made where it is missing.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
