"""Memory in which the learner hands sets of weights to the performer, without waiting for it.

Two slots are written in turn, each with the set's number before and after its bytes, and a checksum; so a
whole set is always there, whenever the writer is interrupted, and a reader never takes half of one.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import Final, Self

from improviser.errors import ImproviserError

# A set of the shipped models' shape takes 0.4 MB.
CAPACITY: Final = 4 * 1024 * 1024
_HEAD: Final = struct.Struct("=qqIq")
_NUMBER: Final = struct.Struct("=q")
_SLOT: Final = _HEAD.size + CAPACITY
_PULSE: Final = 2 * _SLOT
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
        except (OSError, ValueError) as error:
            raise ImproviserError(f"no memory is shared at {path}: {error}; nothing is learned") from error

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
            raise ImproviserError(f"no memory can be shared: {error.strerror}; nothing is learned") from error
        return cls(Path(name))

    def write(self, number: int, data: bytes) -> None:
        """Put in a set; numbers grow from 1 on. Raises ValueError where it is too large."""
        if len(data) > CAPACITY:
            raise ValueError(f"a set of {len(data)} bytes is too large")
        start = number % 2 * _SLOT
        _NUMBER.pack_into(self._memory, start, -1)
        self._memory[start + _HEAD.size : start + _HEAD.size + len(data)] = data
        _HEAD.pack_into(self._memory, start, -1, len(data), zlib.crc32(data), number)
        _NUMBER.pack_into(self._memory, start, number)

    def read(self, number: int) -> bytes | None:
        """Return set `number`; None where it is not there, or not any more."""
        start = number % 2 * _SLOT
        first, length, checksum, last = _HEAD.unpack_from(self._memory, start)
        if not first == last == number or not 0 <= length <= CAPACITY:
            return None
        data = bytes(self._memory[start + _HEAD.size : start + _HEAD.size + length])
        return data if zlib.crc32(data) == checksum else None

    def beat(self) -> None:
        """Show that the learner is awake."""
        self._memory[_PULSE] = (self._memory[_PULSE] + 1) % 256

    def pulse(self) -> int:
        """Return a number that stays the same where the learner stands still."""
        return self._memory[_PULSE]

    def close(self) -> None:
        """Return the memory back; the other side keeps it as long as it needs it."""
        self._memory.close()

    def remove(self) -> None:
        """Remove the memory, so that nobody can open it."""
        with contextlib.suppress(OSError):
            self.path.unlink()
