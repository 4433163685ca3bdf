"""Standard MIDI Files byte by byte, for the tests of the file reader."""

from __future__ import annotations

import struct
from typing import Final

NOTE: Final = bytes([0, 0x90, 60, 90, 96, 0x80, 60, 0])
END: Final = bytes([0, 0xFF, 0x2F, 0])


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a MIDI file."""
    return kind + struct.pack(">L", len(data)) + data


def meta(kind: int, data: bytes, delta: int = 0) -> bytes:
    """Return a meta event of at most 127 bytes, `delta` ticks (0-127) after the event before it."""
    return bytes([delta, 0xFF, kind, len(data)]) + data


def file_bytes(*tracks: bytes, kind: int = 1, division: int = 96, counted: int | None = None) -> bytes:
    """Return a MIDI file with these tracks, each as its events without the end-of-track event.

    Args:
        tracks: The events of each track, as bytes.
        kind: The file's type.
        division: Ticks per quarter note.
        counted: The number of tracks in the header; the right number by default.
    """
    header = struct.pack(">HHh", kind, len(tracks) if counted is None else counted, division)
    return chunk(b"MThd", header) + b"".join(chunk(b"MTrk", track + END) for track in tracks)
