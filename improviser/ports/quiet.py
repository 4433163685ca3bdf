"""Silences libraries that write to the process's stderr and have no option against that."""

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
    """Silence file descriptor 2 while the block runs. The block should only call a library written in C.

    Python's own stderr stays open meanwhile, so output of other threads is not lost.

    Threads: Any thread may use this, one at a time. A thread may nest the blocks.
    """
    with _LOCK:
        _part_from_python()
        try:
            kept = os.dup(_STDERR)
        except OSError:  # there is no stderr to silence
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
    """Make Python's stderr write to a descriptor of its own from now on.

    On Windows this is not needed, because stderr writes to the console itself and not to a descriptor.
    """
    if sys.platform == "win32":
        return
    stream = sys.stderr
    with contextlib.suppress(AttributeError, OSError, ValueError):  # stderr does not exist, is closed or is not a file
        if stream.fileno() == _STDERR:
            own = io.FileIO(os.dup(_STDERR), "w", closefd=False)
            sys.stderr = io.TextIOWrapper(io.BufferedWriter(own), stream.encoding, stream.errors, line_buffering=True)
