"""Reading MIDI Machine Control."""

from __future__ import annotations

import pytest

from improviser.midi.machine_control import (
    MachineCommand,
    MachineLocate,
    MachinePlay,
    MachineStop,
    machine_commands,
)

ONE_HOUR = (0x44, 0x06, 0x01, 0x61, 0x02, 0x03, 0x0F, 0x32)
PLAY, STOP = MachinePlay(), MachineStop()


def message(*commands: int, device: int = 0x7F) -> tuple[int, ...]:
    """Return a message to a device."""
    return 0xF0, 0x7F, device, 0x06, *commands, 0xF7


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (message(0x02), [PLAY]),
        (message(0x03, device=3), [PLAY]),
        (message(0x01), [STOP]),
        (message(0x09), [STOP]),
        (message(0x01, *ONE_HOUR, 0x02), [STOP, MachineLocate(3723 + 15.5 / 30), PLAY]),
        (message(0x44, 0x06, 0x01, 0x20, 0x00, 0x00, 0x05, 0x00), [MachineLocate(0.2)]),
        (message(0x44, 0x06, 0x01, 0x00, 0x00, 0x00, 0x06, 0x00), [MachineLocate(0.25)]),
        (message(0x44, 0x06, 0x01, 0x40, 0x00, 0x00, 0x1E, 0x00), [MachineLocate(1.001)]),
    ],
)
def test_transport_commands_are_read(data: tuple[int, ...], expected: list[MachineCommand]) -> None:
    """Play, stop and locate are read in order, for any device; a locate gives seconds by its frame rate."""
    found = machine_commands(data)
    assert [type(command) for command in expected] == [type(command) for command in found]
    places = [[each.position_s for each in both if isinstance(each, MachineLocate)] for both in (expected, found)]
    assert places[0] == pytest.approx(places[1])


@pytest.mark.parametrize(
    "data",
    [
        (),
        (0xF0, 0x7F, 0x7F, 0x06, 0xF7),
        (0xF0, 0x7F, 0x7F, 0x05, 0x02, 0xF7),
        (0xF0, 0x7E, 0x7F, 0x06, 0x02, 0xF7),
        (0xF0, 0x7F, 0x7F, 0x06, 0x02, 0x02),
        message(0x06),
        message(0x44),
        message(0x44, 0x01, 0x01),
        message(0x44, 0x7F, 0x01),
    ],
)
def test_other_messages_have_no_commands(data: tuple[int, ...]) -> None:
    """Other system exclusive messages, record commands and cut-off locates are ignored."""
    assert [] == machine_commands(data)
