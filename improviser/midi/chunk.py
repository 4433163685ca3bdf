"""Finds the header and the track chunks in a Standard MIDI File, even in a damaged one.

The header's track count and the chunk lengths are only hints. Where they contradict the bytes, the bytes count and
the contradiction is reported. So no track is lost silently.

Source: Standard MIDI Files 1.0 (RP-001): chunks; RP-029: MIDI files in RIFF.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

AGAIN: Final = "save or download it again"
END_OF_TRACK: Final = b"\xff\x2f\x00"
# The report on a damaged file is cut off after this many lines.
LINES_MAX: Final = 20
_HEADER, _TRACK = b"MThd", b"MTrk"
_HEADER_BYTES: Final = 6
_CHUNK_BYTES: Final = 8
# The header is searched for in this many bytes: MacBinary and mail programs put up to 128 bytes before it.
_LONGEST_PREFIX: Final = 512
_SINGLE_TRACK, _MULTI_TRACK, _INDEPENDENT = range(3)


class Skipped:
    """Collects what could not be read, one line each; equal lines are counted."""

    def __init__(self) -> None:
        """Start without lines."""
        self._counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """Record something that was skipped, or that was read differently from what the file says."""
        self._counts[what] += 1

    def lines(self) -> tuple[str, ...]:
        """Return the first LINES_MAX lines in the order of recording, and a line with the number of the others."""
        lines = [what if count == 1 else f"{what} ({count} times)" for what, count in self._counts.items()]
        more = len(lines) - LINES_MAX
        return (*lines[:LINES_MAX], *([f"{more} more things of this kind"] if more > 0 else ()))


@dataclass(frozen=True, slots=True)
class Header:
    """Facts from the header that the tracks do not show."""

    is_single_track: bool
    ticks_per_beat: int


def read_chunks(data: bytes, skipped: Skipped) -> tuple[Header, list[bytes]]:
    """Return the header and the bytes of each track in `data`, the content of a file.

    Raises:
        MidiFileError: The data is not a MIDI file, or of an unsupported kind (several songs, SMPTE time).
    """
    content = _from_header(_unwrapped(data), skipped)
    if len(content) < _CHUNK_BYTES + _HEADER_BYTES:
        raise MidiFileError(f"truncated within its header; {AGAIN}")
    kind, counted, division = struct.unpack_from(">HHh", content, _CHUNK_BYTES)
    if division <= 0:
        raise MidiFileError("counts time in SMPTE frames; save it with ticks per quarter note")
    tracks = _tracks(content, _after_header(content, skipped), skipped)
    if not tracks:
        raise MidiFileError(f"holds no track; {AGAIN}")
    if kind == _INDEPENDENT and len(tracks) > 1:
        raise MidiFileError(f"a MIDI file of type {kind}, of {len(tracks)} songs; save it as type 0 or 1")
    if counted != len(tracks):
        skipped.add(f"the header's track count, {counted}: the file has {len(tracks)}, and all are read")
    if kind > _INDEPENDENT:
        skipped.add(f"the header's type, {kind}: it is read as {_MULTI_TRACK}")
    return Header(kind != _MULTI_TRACK and len(tracks) == 1, division), tracks


def _unwrapped(data: bytes) -> bytes:
    """Return the MIDI file inside a RIFF file; return any other data unchanged."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + _CHUNK_BYTES <= len(data):
        size = int.from_bytes(data[at + 4 : at + _CHUNK_BYTES], "little")
        if data[at : at + 4] == b"data":  # a size of 0 means that it was never filled in
            return data[at + _CHUNK_BYTES :][: size or None]
        at += _CHUNK_BYTES + size + size % 2
    return data


def _from_header(data: bytes, skipped: Skipped) -> bytes:
    """Return `data` from its header on."""
    at = data.find(_HEADER, 0, _LONGEST_PREFIX)
    if at < 0:
        raise MidiFileError("not a MIDI file (it does not start with MThd); give another one")
    if at:
        skipped.add(f"{at} bytes before the header")
    return data[at:]


def _after_header(data: bytes, skipped: Skipped) -> int:
    """Return the offset at which the chunks after the header begin."""
    length = int.from_bytes(data[4:_CHUNK_BYTES], "big")
    if length < _HEADER_BYTES or _CHUNK_BYTES + length > len(data):
        skipped.add(f"the header's length, {length} bytes: it is read as {_HEADER_BYTES}")
        length = _HEADER_BYTES
    return _CHUNK_BYTES + length


def _tracks(data: bytes, at: int, skipped: Skipped) -> list[bytes]:
    """Return the bytes of each track chunk from `at` on."""
    marks = [found.start() for found in re.finditer(_TRACK, data)]
    after_end = [mark for mark in marks if data[mark - len(END_OF_TRACK) : mark] == END_OF_TRACK]
    tracks: list[bytes] = []
    while at < len(data):
        start = at + _CHUNK_BYTES
        end = start + int.from_bytes(data[at + 4 : start], "big")
        if data[at : at + 4] == _TRACK and start <= len(data):
            within = _next_of(after_end, start + len(END_OF_TRACK), end)
            at = within if within < end else _track_end(data, start, end, marks)
            if at != end:
                skipped.add(f"the length of track {len(tracks) + 1}: what is there is read")
            tracks.append(data[start:at])
        else:
            at = _next_chunk(data, at, end, marks, skipped)
    return tracks


def _track_end(data: bytes, start: int, end: int, marks: Sequence[int]) -> int:
    """Return the offset at which a track's events really end.

    Args:
        data: The file.
        start: Offset at which the events begin.
        end: Offset at which they end according to the chunk's length.
        marks: Offsets of all track chunks, ascending.
    """
    if end <= len(data) and (end == len(data) or data[end - 3 : end] == END_OF_TRACK or _is_kind(data, end)):
        return end
    return _next_of(marks, start if end > len(data) else end, len(data))


def _next_chunk(data: bytes, at: int, end: int, marks: Sequence[int], skipped: Skipped) -> int:
    """Return the offset at which to continue, if what stands at `at` is another kind of chunk or no chunk."""
    if _is_kind(data, at) and end <= len(data):
        skipped.add(f"a chunk {data[at : at + 4].decode('ascii')}, which is no track")
        return end
    found = _next_of(marks, at + 1, len(data))
    skipped.add(f"{found - at} bytes between or after the tracks")
    return found


def _next_of(places: Sequence[int], at: int, otherwise: int) -> int:
    """Return the first of the ascending `places` that is at least `at`; if there is none, `otherwise`."""
    index = bisect_left(places, at)
    return places[index] if index < len(places) else otherwise


def _is_kind(data: bytes, at: int) -> bool:
    """Return whether four printable characters, like the kind of a chunk, stand at `at`."""
    kind = data[at : at + 4]
    return len(kind) == 4 and kind.isascii() and kind.decode("ascii").isprintable()  # noqa: PLR2004 - letters
