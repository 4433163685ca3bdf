"""Silence for libraries that write to the process's stderr whatever is asked of them."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR: Final = 2
_LOCK: Final = threading.RLock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Let nothing reach file descriptor 2 while the block runs; nothing but a line of C goes in it.

    Threads: any; one thread at a time, which may nest blocks.
    """
    with _LOCK:
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
