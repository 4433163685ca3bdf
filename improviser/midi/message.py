"""MIDI messages as frozen values, and their bytes.

Invariant: `bytes_to_message(message_to_bytes(m)) == m` for every message `m` of this module.
Channels are 0-15 here and 1-16 in all user interfaces, which convert them.

Source: MIDI 1.0 Detailed Specification (document 4.2.1), tables I-VII.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from improviser.errors import MidiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SUSTAIN_PEDAL = 64
ALL_SOUND_OFF = 120
ALL_NOTES_OFF = 123
# These two, and the mode changes, which release all keys too (MIDI 1.0, channel mode messages).
ENDS_NOTES = frozenset({ALL_SOUND_OFF, *range(ALL_NOTES_OFF, 128)})
DATA_MAX = 127
# Channel 10, counted from 0. Its notes are drums, not pitches (General MIDI 1).
PERCUSSION_CHANNEL = 9
BEND_CENTRE = 8192
_SHOWN_BYTES = 8


@dataclass(frozen=True, slots=True)
class NoteOn:
    """A key goes down: channel 0-15, note 0-127, velocity 1-127."""

    channel: int
    note: int
    velocity: int


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A key comes up: channel 0-15, note 0-127, release velocity 0-127."""

    channel: int
    note: int
    velocity: int = 0


@dataclass(frozen=True, slots=True)
class PolyAftertouch:
    """Pressure on one key: channel 0-15, note and value 0-127."""

    channel: int
    note: int
    value: int


@dataclass(frozen=True, slots=True)
class ControlChange:
    """A controller moves: channel 0-15, control and value 0-127."""

    channel: int
    control: int
    value: int


@dataclass(frozen=True, slots=True)
class ProgramChange:
    """A sound is chosen: channel 0-15, program 0-127."""

    channel: int
    program: int


@dataclass(frozen=True, slots=True)
class ChannelAftertouch:
    """Pressure on the whole keyboard: channel 0-15, value 0-127."""

    channel: int
    value: int


@dataclass(frozen=True, slots=True)
class PitchBend:
    """The wheel moves: channel 0-15, pitch_bend -8192..8191 around the centre 0."""

    channel: int
    pitch_bend: int


@dataclass(frozen=True, slots=True)
class SongPosition:
    """Song position pointer, in sixteenth notes since the start, 0-16383."""

    position: int


@dataclass(frozen=True, slots=True)
class TimeCode:
    """A quarter frame of MIDI time code: value 0-127, made of the piece's number and the piece's four bits."""

    value: int


@dataclass(frozen=True, slots=True)
class SongSelect:
    """A song or sequence is chosen: song 0-127."""

    song: int


@dataclass(frozen=True, slots=True)
class Realtime:
    """A message of one status byte: clock, start, continue, stop, active sensing, reset, tune request."""

    status: int


@dataclass(frozen=True, slots=True)
class SysEx:
    """A system exclusive message; `data` holds the bytes between 0xF0 and 0xF7."""

    data: bytes


CLOCK = Realtime(0xF8)
START = Realtime(0xFA)
CONTINUE = Realtime(0xFB)
STOP = Realtime(0xFC)

# Messages without a channel. improviser uses only those of a clock, but it can read and write them all.
SystemMessage = SongPosition | TimeCode | SongSelect | Realtime | SysEx
Message = (
    NoteOn | NoteOff | PolyAftertouch | ControlChange | ProgramChange | ChannelAftertouch | PitchBend | SystemMessage
)


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """A message and the moment at which it is due, in monotonic seconds."""

    due_s: float
    message: Message


def _note_on(channel: int, data: Sequence[int]) -> Message:
    """Return a note-on, or a note-off if the velocity is 0."""
    note, velocity = data
    return NoteOn(channel, note, velocity) if velocity else NoteOff(channel, note)


def _pitch_bend(channel: int, data: Sequence[int]) -> Message:
    """Return the pitch bend that two 7-bit bytes encode, low byte first."""
    return PitchBend(channel, data[0] + (data[1] << 7) - BEND_CENTRE)


# Channel voice messages: status nibble -> (number of data bytes, reader).
_VOICE: dict[int, tuple[int, Callable[[int, Sequence[int]], Message]]] = {
    0x80: (2, lambda channel, data: NoteOff(channel, data[0], data[1])),
    0x90: (2, _note_on),
    0xA0: (2, lambda channel, data: PolyAftertouch(channel, data[0], data[1])),
    0xB0: (2, lambda channel, data: ControlChange(channel, data[0], data[1])),
    0xC0: (1, lambda channel, data: ProgramChange(channel, data[0])),
    0xD0: (1, lambda channel, data: ChannelAftertouch(channel, data[0])),
    0xE0: (2, _pitch_bend),
}
_ONE_BYTE = frozenset({0xF6, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF})
_SYSEX, _SYSEX_END = 0xF0, 0xF7
_TIME_CODE, _SONG_POSITION, _SONG_SELECT = 0xF1, 0xF2, 0xF3
# System common messages: status -> (number of data bytes, reader).
_COMMON: dict[int, tuple[int, Callable[[Sequence[int]], Message]]] = {
    _TIME_CODE: (1, lambda data: TimeCode(data[0])),
    _SONG_POSITION: (2, lambda data: SongPosition(data[0] + (data[1] << 7))),
    _SONG_SELECT: (1, lambda data: SongSelect(data[0])),
}


def bytes_to_message(data: Sequence[int]) -> Message:
    """Return the message that `data` encodes: one complete MIDI message, without running status.

    Raises:
        MidiError: The bytes are not such a message.
    """
    if not data:
        msg = "an empty MIDI message"
        raise MidiError(msg)
    status, rest = data[0], data[1:]
    voice = _VOICE.get(status & 0xF0)
    if voice is not None:
        _check_data(data, voice[0])
        return channel_message(status, rest)
    return _system_message(status, data)


def channel_message(status: int, data: Sequence[int]) -> Message:
    """Return the channel message of a status byte and its data bytes: the full number, each 0-127."""
    return _VOICE[status & 0xF0][1](status & 0x0F, data)


def _system_message(status: int, data: Sequence[int]) -> Message:
    """Return the system message that `data` encodes."""
    if status in _ONE_BYTE and len(data) == 1:
        return Realtime(status)
    if status in _COMMON:
        length, reader = _COMMON[status]
        _check_data(data, length)
        return reader(data[1:])
    if status == _SYSEX and len(data) > 1 and data[-1] == _SYSEX_END:
        _check_data(data[:-1], len(data) - 2)
        return SysEx(bytes(data[1:-1]))
    raise MidiError(_described(data))


def _check_data(data: Sequence[int], length: int) -> None:
    """Raise MidiError unless `length` data bytes of 0-127 follow the status byte."""
    if len(data) != length + 1 or any(not 0 <= byte <= DATA_MAX for byte in data[1:]):
        raise MidiError(_described(data))


def _described(data: Sequence[int]) -> str:
    """Return the error text for bytes that are not a message."""
    shown = " ".join(f"{byte:02x}" for byte in data[:_SHOWN_BYTES])
    return f"unknown MIDI message: {shown}{' …' if len(data) > _SHOWN_BYTES else ''}"


def message_to_bytes(message: Message) -> bytes:
    """Return the bytes of `message`, without running status."""
    match message:
        case NoteOn(channel, note, velocity):
            return bytes((0x90 | channel, note, velocity))
        case NoteOff(channel, note, velocity):
            return bytes((0x80 | channel, note, velocity))
        case ControlChange(channel, control, value):
            return bytes((0xB0 | channel, control, value))
        case Realtime(status):
            return bytes((status,))
        case SongPosition() | TimeCode() | SongSelect() | SysEx():
            return _system_to_bytes(message)
        case _:
            return _rarer_to_bytes(message)


def _rarer_to_bytes(message: Message) -> bytes:
    """Return the bytes of a channel message that is neither a note nor a control change."""
    match message:
        case PolyAftertouch(channel, note, value):
            return bytes((0xA0 | channel, note, value))
        case ProgramChange(channel, program):
            return bytes((0xC0 | channel, program))
        case ChannelAftertouch(channel, value):
            return bytes((0xD0 | channel, value))
        case PitchBend(channel, pitch_bend):
            bend = pitch_bend + BEND_CENTRE
            return bytes((0xE0 | channel, bend & DATA_MAX, bend >> 7))
        case _:
            msg = f"not a MIDI message: {message!r}"
            raise MidiError(msg)


def _system_to_bytes(message: SongPosition | TimeCode | SongSelect | SysEx) -> bytes:
    """Return the bytes of a system message that is not real-time."""
    match message:
        case SongPosition(position):
            return bytes((_SONG_POSITION, position & DATA_MAX, position >> 7))
        case TimeCode(value):
            return bytes((_TIME_CODE, value))
        case SongSelect(song):
            return bytes((_SONG_SELECT, song))
        case _:
            return bytes((_SYSEX, *message.data, _SYSEX_END))
