"""MIDI messages and their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.errors import MidiError
from improviser.midi.message import (
    CLOCK,
    ChannelAftertouch,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    PitchBend,
    PolyAftertouch,
    ProgramChange,
    Realtime,
    SongPosition,
    SongSelect,
    SysEx,
    TimeCode,
    bytes_to_message,
    message_to_bytes,
)
from tests.strategies import messages

# From the tables of the MIDI 1.0 Detailed Specification.
EXAMPLES: list[tuple[bytes, Message]] = [
    (bytes([0x80, 60, 64]), NoteOff(0, 60, 64)),
    (bytes([0x9F, 60, 100]), NoteOn(15, 60, 100)),
    (bytes([0xA1, 60, 5]), PolyAftertouch(1, 60, 5)),
    (bytes([0xB2, 64, 127]), ControlChange(2, 64, 127)),
    (bytes([0xC3, 40]), ProgramChange(3, 40)),
    (bytes([0xD4, 33]), ChannelAftertouch(4, 33)),
    (bytes([0xE5, 0x00, 0x40]), PitchBend(5, 0)),
    (bytes([0xE0, 0x00, 0x00]), PitchBend(0, -8192)),
    (bytes([0xE0, 0x7F, 0x7F]), PitchBend(0, 8191)),
    (bytes([0xF0, 0x7E, 0x7F, 0xF7]), SysEx(bytes([0x7E, 0x7F]))),
    (bytes([0xF0, 0xF7]), SysEx(b"")),
    (bytes([0xF2, 0x01, 0x01]), SongPosition(129)),
    (bytes([0xF1, 0x73]), TimeCode(0x73)),
    (bytes([0xF3, 5]), SongSelect(5)),
    (bytes([0xF8]), CLOCK),
    (bytes([0xF6]), Realtime(0xF6)),
]
GARBAGE = [
    b"",
    bytes([60]),
    bytes([0x90]),
    bytes([0x90, 60]),
    bytes([0x90, 60, 1, 1]),
    bytes([0x90, 60, 128]),
    bytes([0xC0]),
    bytes([0xF0]),
    bytes([0xF0, 1, 2]),
    bytes([0xF0, 0x80, 0xF7]),
    bytes([0xF1]),
    bytes([0xF1, 128]),
    bytes([0xF2, 1]),
    bytes([0xF3, 1, 1]),
    bytes([0xF4]),
    bytes([0xF7]),
    bytes([0xF8, 1]),
]


@pytest.mark.parametrize(("data", "message"), EXAMPLES)
def test_bytes_stand_for_the_message_of_the_specification(data: bytes, message: Message) -> None:
    """The bytes of the specification's tables are read as its messages and written back unchanged."""
    assert message == bytes_to_message(data)
    assert data == message_to_bytes(message)


def test_a_note_on_without_velocity_is_a_note_off() -> None:
    """A note-on of velocity 0 is read as a note-off, as the specification says."""
    assert NoteOff(3, 60) == bytes_to_message([0x93, 60, 0])


@given(messages())
def test_every_message_survives_its_bytes(message: Message) -> None:
    """A message's bytes are read as the same message."""
    assert message == bytes_to_message(message_to_bytes(message))


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: data.hex() or "empty")
def test_garbage_is_refused(data: bytes) -> None:
    """Bytes that are not one whole message raise MidiError."""
    with pytest.raises(MidiError):
        bytes_to_message(data)


@given(st.binary(max_size=12))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    """Any bytes are either a message that has exactly these bytes, or raise MidiError and nothing else."""
    try:
        message = bytes_to_message(data)
    except MidiError:
        return
    silent_note_on = data[0] >> 4 == 0x9 and data[2] == 0
    assert (data if not silent_note_on else bytes([data[0] - 16, data[1], 0])) == message_to_bytes(message)


def test_the_error_shows_the_bytes_and_stays_short() -> None:
    """The error shows only the first eight bytes."""
    with pytest.raises(MidiError, match=r"^unknown MIDI message: (61 ){7}61 …$"):
        bytes_to_message(b"a" * 1000)


def test_what_is_no_message_has_no_bytes() -> None:
    """Converting anything but a message to bytes raises MidiError."""
    with pytest.raises(MidiError, match="not a MIDI message: None"):
        message_to_bytes(None)  # type: ignore[arg-type]  # the very fault that is tested
