"""Memory through which the learner passes weights to the performer without waiting for it.

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

# Weights in the shape of the shipped models take 0.4 MB.
CAPACITY: Final = 4 * 1024 * 1024
_PULSE: Final = SequenceLock.size(CAPACITY)
_SIZE: Final = _PULSE + 1
# On Linux, files in this folder are in memory.
_SHARED: Final = Path("/dev/shm")  # noqa: S108 - tempfile chooses the file's name


class WeightMailbox:
    """Reads and writes the memory, for one of the two sides.

    Threads: One thread writes. Any thread may read.
    """

    def __init__(self, path: Path) -> None:
        """Open the memory at `path`.

        Raises:
            ImproviserError: The memory cannot be opened.
        """
        self.path = path
        try:
            with path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), _SIZE)
            self._weights = SequenceLock(self._memory, 0, CAPACITY)
        except (OSError, ValueError) as error:
            raise ImproviserError(f"cannot open shared memory at {path}: {error}; learning is off") from error

    @classmethod
    def make(cls) -> Self:
        """Create the memory.

        Raises:
            ImproviserError: The memory cannot be created.
        """
        import tempfile  # noqa: PLC0415 - the performer only reads, so it need not load tempfile

        folder = str(_SHARED) if _SHARED.is_dir() and os.access(_SHARED, os.W_OK) else None
        try:
            descriptor, name = tempfile.mkstemp(prefix="improviser-", dir=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(_SIZE))  # a sparse file would crash any process that touches it once memory is full
        except OSError as error:
            raise ImproviserError(f"cannot create shared memory: {error.strerror}; learning is off") from error
        return cls(Path(name))

    def write(self, number: int, data: bytes) -> None:
        """Write weights. Their number starts at 1 and grows from call to call.

        Raises:
            ValueError: The weights are larger than `CAPACITY` bytes.
        """
        self._weights.write(number, data)

    def read(self, number: int) -> bytes | None:
        """Return the weights with a number, or None if they are not there yet or have been overwritten."""
        return self._weights.read(number)

    def beat(self) -> None:
        """Change the heartbeat, which shows that the learner is awake."""
        self._memory[_PULSE] = (self._memory[_PULSE] + 1) % 256

    def pulse(self) -> int:
        """Return the heartbeat's number, which stays the same while the learner stands still."""
        return self._memory[_PULSE]

    def close(self) -> None:
        """Unmap the memory. The other side keeps it for as long as it needs it."""
        self._memory.close()

    def remove(self) -> None:
        """Remove the memory's file, so that nobody can open the memory any more."""
        with contextlib.suppress(OSError):
            self.path.unlink()
