"""Memory in which the learner hands sets of weights to the performer, without waiting for it.

The memory holds a sequence lock with the weights, and a byte that the learner changes as its heartbeat.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from pathlib import Path
from typing import Final, Self

from improviser.errors import ImproviserError
from improviser.ipc.sequence_lock import SequenceLock

# A set of the shipped models' shape takes 0.4 MB.
CAPACITY: Final = 4 * 1024 * 1024
_PULSE: Final = SequenceLock.size(CAPACITY)
_SIZE: Final = _PULSE + 1
# Where files are memory, on Linux.
_SHARED: Final = Path("/dev/shm")  # noqa: S108 - the file's name is made up by tempfile


class WeightMailbox:
    """One side's view of the memory.

    Threads: one writer; any reads.
    """

    def __init__(self, path: Path) -> None:
        """Open the memory at `path`. Raises ImproviserError where there is none."""
        self.path = path
        try:
            with path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), _SIZE)
            self._weights = SequenceLock(self._memory, 0, CAPACITY)
        except (OSError, ValueError) as error:
            raise ImproviserError(f"cannot open shared memory at {path}: {error}; learning is off") from error

    @classmethod
    def make(cls) -> Self:
        """Make the memory. Raises ImproviserError where that cannot be done."""
        import tempfile  # noqa: PLC0415 - the performer, which only reads, need not load it

        folder = str(_SHARED) if _SHARED.is_dir() and os.access(_SHARED, os.W_OK) else None
        try:
            descriptor, name = tempfile.mkstemp(prefix="improviser-", dir=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(_SIZE))  # a file with holes ends whoever looks at it where memory is full
        except OSError as error:
            raise ImproviserError(f"cannot create shared memory: {error.strerror}; learning is off") from error
        return cls(Path(name))

    def write(self, number: int, data: bytes) -> None:
        """Write weights; numbers grow from 1 on. Raises ValueError where they are too large."""
        self._weights.write(number, data)

    def read(self, number: int) -> bytes | None:
        """Return the weights of a number; None where they are not there, or not any more."""
        return self._weights.read(number)

    def beat(self) -> None:
        """Show that the learner is awake."""
        self._memory[_PULSE] = (self._memory[_PULSE] + 1) % 256

    def pulse(self) -> int:
        """Return a number that stays the same where the learner stands still."""
        return self._memory[_PULSE]

    def close(self) -> None:
        """Unmap the memory; the other side keeps it as long as it needs it."""
        self._memory.close()

    def remove(self) -> None:
        """Remove the memory, so that nobody can open it."""
        with contextlib.suppress(OSError):
            self.path.unlink()
