"""Shared memory that one process writes and another reads, without a lock that a dead writer would keep.

The writer uses two slots in turn. Each slot stores the number of its content before and after the content, and a
checksum. So one complete content is always there, wherever the writer is interrupted. A reader never accepts a content
that is only half written.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import mmap

_HEAD: Final = struct.Struct("=qqIq")
_NUMBER: Final = struct.Struct("=q")


class SequenceLock:
    """Reads and writes the two slots, for one of the two sides.

    Threads: One thread writes. Any thread may read.
    """

    def __init__(self, memory: bytearray | mmap.mmap, start: int, capacity: int) -> None:
        """Use `size(capacity)` bytes of `memory` from offset `start`, for contents of up to `capacity` bytes."""
        self._memory, self._start, self._capacity = memory, start, capacity

    @staticmethod
    def size(capacity: int) -> int:
        """Return the number of bytes of memory needed for contents of up to `capacity` bytes."""
        return 2 * (_HEAD.size + capacity)

    def write(self, number: int, data: bytes) -> None:
        """Write a content. Its number starts at 1 and grows from call to call.

        Raises:
            ValueError: The content is longer than the capacity.
        """
        if len(data) > self._capacity:
            raise ValueError(f"{len(data)} bytes are too many: {self._capacity} fit")
        start, memory = self._slot(number), self._memory
        _NUMBER.pack_into(memory, start, -1)
        memory[start + _HEAD.size : start + _HEAD.size + len(data)] = data
        _HEAD.pack_into(memory, start, -1, len(data), zlib.crc32(data), number)
        _NUMBER.pack_into(memory, start, number)

    def read(self, number: int) -> bytes | None:
        """Return the content with a number, or None if it is not there yet or has been overwritten."""
        start = self._slot(number)
        first, length, checksum, last = _HEAD.unpack_from(self._memory, start)
        if not first == last == number or not 0 <= length <= self._capacity:
            return None
        data = bytes(self._memory[start + _HEAD.size : start + _HEAD.size + length])
        return data if zlib.crc32(data) == checksum else None

    def newest(self) -> bytes | None:
        """Return the newest content, or None before the first."""
        numbers = [_NUMBER.unpack_from(self._memory, self._slot(slot))[0] for slot in range(2)]
        for number in sorted(numbers, reverse=True):
            data = self.read(number) if number > 0 else None
            if data is not None:
                return data
        return None

    def _slot(self, number: int) -> int:
        """Return the offset at which the slot of a number begins."""
        return self._start + number % 2 * (_HEAD.size + self._capacity)
