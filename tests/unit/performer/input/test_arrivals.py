"""Which messages of the inputs reach the engine."""

from __future__ import annotations

import pytest

from improviser.midi.message import Message, NoteOn, message_to_bytes
from improviser.performer.input.arrivals import Arrival, ArrivalParser

ON = NoteOn(0, 60, 80)


def listen(ear: ArrivalParser, message: Message, at_s: float, port: str = "A") -> Message | None:
    """Pass a message to a MIDI input."""
    return ear.parse(Arrival(message_to_bytes(message), at_s, port))


def test_messages_pass() -> None:
    """A valid message is heard unchanged."""
    assert ON == listen(ArrivalParser(), ON, 1.0)


@pytest.mark.parametrize("data", [(), (0x90,), (0x90, 60), (0x90, 200, 1), (0xF4,), (60, 60, 60)])
def test_garbage_is_counted(data: tuple[int, ...]) -> None:
    """Bytes that are no message are counted and not heard."""
    ear = ArrivalParser()
    assert ear.parse(Arrival(data, 1.0, "A")) is None
    assert 1 == ear.bad_messages


MTC_FULL_FRAME = (0xF0, 0x7F, 0x7F, 0x01, 0x01, 0x20, 0, 0, 0, 0xF7)
MMC_PLAY = (0xF0, 0x7F, 0x7F, 0x06, 0x02, 0xF7)


@pytest.mark.parametrize(
    "data",
    [(0xF8,), (0xFA,), (0xF0, 0x7D, 0xF7), (0xF1, 0x73), (0xF3, 5), (0xF6,), MTC_FULL_FRAME, MMC_PLAY],
)
def test_what_is_no_music_passes_by(data: tuple[int, ...]) -> None:
    """Messages without musical content, such as clock and system exclusive, are neither heard nor counted as bad."""
    ear = ArrivalParser()
    assert ear.parse(Arrival(data, 1.0, "A")) is None
    assert 0 == ear.bad_messages


def test_twins_are_heard_once() -> None:
    """The same message on another port within 10 ms is the same key; on the same port it is a new one."""
    ear = ArrivalParser()
    assert ON == listen(ear, ON, 1.0, "A")
    assert listen(ear, ON, 1.005, "B") is None
    assert ON == listen(ear, ON, 1.006, "B")
    assert ON == listen(ear, ON, 2.0, "A")
    assert ON == listen(ear, ON, 2.001, "A")
    assert ON == listen(ear, ON, 2.02, "B")
    assert 1 == ear.twins
