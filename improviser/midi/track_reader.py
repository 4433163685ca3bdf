"""Reads the events of one track; skips and reports what it cannot read.

If the length of a faulty event is known, only that event is skipped. If it is not known, the rest of the track is
skipped, because it could be anything.

Source: Standard MIDI Files 1.0 (RP-001): delta times, running status, system exclusive packets, meta events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.errors import MidiError
from improviser.midi.message import DATA_MAX, SysEx, bytes_to_message, channel_message
from improviser.midi.song import MAX_ACCIDENTALS, MetaEvent, MetaKind, TimedEvent

if TYPE_CHECKING:
    from improviser.midi.chunk import Skipped

# RP-001: a number has at most four bytes of seven bits. A hostile file may hold a longer one.
_NUMBER_BYTES: Final = 4
_STATUS: Final = 0x80
_SYSEX, _SYSEX_END, _META = 0xF0, 0xF7, 0xFF
# Number of data bytes after a status byte: by its upper half for channel messages, by all of it for system messages.
_CHANNEL_DATA: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_SYSTEM_DATA: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
# The fewest bytes that a meta event needs. For a meter two are enough: the others concern a metronome.
_META_BYTES: Final = {
    MetaKind.CHANNEL_PREFIX: 1,
    MetaKind.PORT: 1,
    MetaKind.TEMPO: 3,
    MetaKind.METER: 2,
    MetaKind.KEY_SIGNATURE: 2,
}
_META_NAMES: Final = {
    MetaKind.CHANNEL_PREFIX: "channel prefix",
    MetaKind.PORT: "port",
    MetaKind.TEMPO: "tempo",
    MetaKind.METER: "time signature",
    MetaKind.KEY_SIGNATURE: "key signature",
}


class _UnreadableError(Exception):
    """Raised when the rest of the track cannot be read."""


class TrackReader:
    """Reads one track."""

    def __init__(self, data: bytes, number: int, skipped: Skipped) -> None:
        """Start at the first byte of `data`; `number`, from 1, names the track in the report of what is skipped."""
        self._data = data
        self._at = 0
        self._where = f"track {number}"
        self._skipped = skipped
        self._status = 0
        self._open: tuple[int, bytearray] | None = None
        self._events: list[TimedEvent] = []

    def read(self) -> list[TimedEvent]:
        """Return all readable events in the order of ticks, without the end-of-track event."""
        tick = at = 0
        try:
            while self._at < len(self._data):
                at = self._at
                tick += self._number()
                if self._read_event(tick):
                    break
        except _UnreadableError as error:
            self._skipped.add(f"the rest of {self._where}, {len(self._data) - at} bytes, because of {error}")
        self._close()
        return self._events

    def _read_event(self, tick: int) -> bool:
        """Read the event at `tick`; return whether it ends the track."""
        status = self._peek()
        if status in {_SYSEX, _SYSEX_END}:
            self._read_packet(tick)
            return False
        if self._open is not None:
            self._close()
        if status == _META:
            return self._read_meta(tick)
        if status > _SYSEX:
            self._skip_system(status)
        else:
            self._read_channel(tick, status)
        return False

    def _read_channel(self, tick: int, status: int) -> None:
        """Read a channel message; running status still holds after a system exclusive or meta event."""
        if status >= _STATUS:
            self._at += 1
            self._status = status
        elif not self._status:
            msg = "a data byte without a status byte"
            raise _UnreadableError(msg)
        data = self._take(_CHANNEL_DATA[self._status & 0xF0])
        if not data.isascii():
            self._skipped.add(f"data bytes above {DATA_MAX} in {self._where}: read as {DATA_MAX}")
            data = bytes(min(byte, DATA_MAX) for byte in data)
        self._events.append(TimedEvent(tick, channel_message(self._status, data)))

    def _skip_system(self, status: int) -> None:
        """Skip a system common or real-time message, which has no place in a file."""
        if status not in _SYSTEM_DATA:
            msg = f"the undefined status byte 0x{status:02x}"
            raise _UnreadableError(msg)
        self._at += 1
        self._take(_SYSTEM_DATA[status])
        self._skipped.add(f"system message 0x{status:02x} in {self._where}, which has no place in a file")

    def _read_packet(self, tick: int) -> None:
        """Read a system exclusive message, a further packet of one, or escaped bytes."""
        is_start = self._take(1)[0] == _SYSEX
        data = self._take(self._number())
        if is_start:
            self._close()
            self._open = (tick, bytearray(data.removeprefix(b"\xf0")))
        elif self._open is None:
            self._read_escaped(tick, data)
        else:
            self._open[1].extend(data)
        if self._open is not None and self._open[1].endswith(b"\xf7"):
            self._close()

    def _close(self) -> None:
        """Record the open system exclusive message, if any, as a complete one."""
        if self._open is None:
            return
        (tick, data), self._open = self._open, None
        body = bytes(data.removesuffix(b"\xf7"))
        if not body.isascii():
            self._skipped.add(f"a system exclusive message in {self._where} with bytes above {DATA_MAX}")
            return
        self._events.append(TimedEvent(tick, SysEx(body)))

    def _read_escaped(self, tick: int, data: bytes) -> None:
        """Read an escaped message; skip it if a track cannot hold it."""
        try:
            message = bytes_to_message(data)
        except MidiError:
            message = None
        if message is None or data[0] > _SYSEX:
            self._skipped.add(f"escaped bytes in {self._where}")
        else:
            self._events.append(TimedEvent(tick, message))

    def _read_meta(self, tick: int) -> bool:
        """Read a meta event; return whether it ends the track."""
        self._at += 1
        kind = self._take(1)[0]
        data = self._take(self._number())
        fault = _meta_fault(kind, data)
        if kind == MetaKind.END_OF_TRACK:
            return True
        if fault:
            self._skipped.add(f"{fault} in {self._where}")
        else:
            self._events.append(TimedEvent(tick, MetaEvent(kind, data)))
        return False

    def _peek(self) -> int:
        """Return the next byte without moving past it."""
        if self._at >= len(self._data):
            raise _UnreadableError(_CUT)
        return self._data[self._at]

    def _take(self, count: int) -> bytes:
        """Return the next `count` bytes and move past them."""
        end = self._at + count
        if end > len(self._data):
            raise _UnreadableError(_CUT)
        data = self._data[self._at : end]
        self._at = end
        return data

    def _number(self) -> int:
        """Return the next variable-length number: seven bits per byte, at most four bytes."""
        number = 0
        for _ in range(_NUMBER_BYTES):
            byte = self._take(1)[0]
            number = number << 7 | byte & 0x7F
            if byte < _STATUS:
                return number
        msg = "a number that does not end"
        raise _UnreadableError(msg)


_CUT: Final = "an event that ends with the track"


def _meta_fault(kind: int, data: bytes) -> str:
    """Return what is wrong with a meta event, else ""; impossible tempos and meters are found later, in `smf`."""
    if kind > DATA_MAX:
        return f"a meta event of kind {kind}"
    if kind not in _META_BYTES:
        return ""
    known = MetaKind(kind)
    name = _META_NAMES[known]
    if len(data) < _META_BYTES[known]:
        return f"a {name} of {len(data)} bytes"
    first = data[0]
    if known is MetaKind.CHANNEL_PREFIX and first > 0x0F:  # noqa: PLR2004 - channels are 0-15
        return f"a {name} of {first + 1}"
    if known is MetaKind.KEY_SIGNATURE:
        return _key_fault(name, int.from_bytes(data[:1], "big", signed=True), data[1])
    return ""


def _key_fault(name: str, sharps: int, mode: int) -> str:
    """Return what is wrong with a key signature, else ""."""
    if abs(sharps) > MAX_ACCIDENTALS:
        return f"a {name} of {abs(sharps)} {'flats' if sharps < 0 else 'sharps'}"
    return f"a {name} of mode {mode}" if mode > 1 else ""
