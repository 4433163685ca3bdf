"""Silence for libraries that write to the process's stderr whatever is asked of them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR: Final = 2
_LOCK: Final = threading.RLock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Silence file descriptor 2 while the block runs; nothing but a line of C goes in it.

    Python's own stderr is heard meanwhile: what another thread prints must not be lost.

    Threads: any; one thread at a time, which may nest blocks.
    """
    with _LOCK:
        _part_from_python()
        try:
            kept = os.dup(_STDERR)
        except OSError:  # there is no stderr to keep quiet
            yield
            return
        try:
            with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
                os.dup2(nothing.fileno(), _STDERR)
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)


def _part_from_python() -> None:
    """Make Python's stderr write to a descriptor of its own, from now on.

    On Windows it writes to the console itself, which is no descriptor.
    """
    if sys.platform == "win32":
        return
    stream = sys.stderr
    with contextlib.suppress(AttributeError, OSError, ValueError):  # none, closed, or no file
        if stream.fileno() == _STDERR:
            own = io.FileIO(os.dup(_STDERR), "w", closefd=False)
            sys.stderr = io.TextIOWrapper(io.BufferedWriter(own), stream.encoding, stream.errors, line_buffering=True)
