"""Memory that the performer and the supervisor share. It remains when the performer is killed.

There is one byte for each channel and note. It is 1 from just before a note-on is sent until just after its note-off is
sent. One more byte is the heartbeat: the performer's loop changes it whenever it wakes. A sequence lock with the
position in the music follows.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from typing import Final, NamedTuple

from improviser.ipc.sequence_lock import SequenceLock

NOTE_CELLS: Final = 128 * 16
_NOTES: Final = 128
_PULSE: Final = NOTE_CELLS
_POSITION_AT: Final = NOTE_CELLS + 8
_POSITION: Final = struct.Struct("=4d")
SIZE: Final = _POSITION_AT + SequenceLock.size(_POSITION.size)
Cells = bytearray | mmap.mmap


class JamPosition(NamedTuple):
    """A position in the music: the performance began at `start_s` (seconds) and reaches `beat` at `at_s`."""

    start_s: float
    at_s: float
    beat: float
    tempo_bpm: float


def mark(cells: Cells, channel: int, note: int, *, sounds: bool) -> None:
    """Record whether a note (0-127) on a channel (0-15) sounds."""
    cells[channel * _NOTES + note] = int(sounds)


def mark_heartbeat(cells: Cells, count: int) -> None:
    """Set the heartbeat to `count` modulo 256. A new value shows that the performer's loop is awake."""
    cells[_PULSE] = count % 256


def mark_position(cells: Cells, number: int, place: JamPosition) -> None:
    """Record a position in the music. `number` starts at 1 and grows from call to call."""
    SequenceLock(cells, _POSITION_AT, _POSITION.size).write(number, _POSITION.pack(*place))


def open_shared(descriptor: int | None) -> Cells:
    """Return the shared bytes behind a file descriptor of the parent, or private bytes if they cannot be opened."""
    if descriptor is not None:
        with contextlib.suppress(OSError, ValueError):
            return mmap.mmap(descriptor, SIZE)
    return bytearray(SIZE)


class SharedState:
    """The supervisor's side: creates the shared memory, and reads it after the performer has gone."""

    def __init__(self) -> None:
        """Create the memory. If that fails, the state reads as empty."""
        self.descriptor: int | None = None
        self._cells: mmap.mmap | None = None
        with contextlib.suppress(OSError, ValueError):
            self.descriptor = _anonymous_file()
            os.ftruncate(self.descriptor, SIZE)
            self._cells = mmap.mmap(self.descriptor, SIZE)

    def sounding(self) -> list[tuple[int, int]]:
        """Return the (channel, note) pairs that sound."""
        cells = self._cells[:] if self._cells is not None else b""
        return [divmod(index, _NOTES) for index, cell in enumerate(cells[:NOTE_CELLS]) if cell]

    def pulse(self) -> int:
        """Return the heartbeat's number, which stays the same while the performer's loop stands still."""
        return self._cells[_PULSE] if self._cells is not None else 0

    def position(self) -> JamPosition | None:
        """Return the newest position, or None before the first."""
        if self._cells is None:
            return None
        data = SequenceLock(self._cells, _POSITION_AT, _POSITION.size).newest()
        return None if data is None else JamPosition(*_POSITION.unpack(data))

    def close(self) -> None:
        """Unmap the memory and close its file descriptor."""
        if self._cells is not None:
            self._cells.close()
            self._cells = None
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _anonymous_file() -> int:
    """Return the descriptor of a file without a name, which is in memory if the system supports that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("improviser-state")
    import tempfile  # noqa: PLC0415 - not needed on Linux

    descriptor, path = tempfile.mkstemp(prefix="improviser-")
    os.unlink(path)  # noqa: PTH108 - pathlib would have to be imported for this alone
    return descriptor
