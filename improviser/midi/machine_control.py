"""MIDI Machine Control: the transport commands of another device, as system exclusive messages.

Source: MIDI Machine Control 1.0 (RP-013): F0 7F device 06 commands F7. A locate gives hours, minutes, seconds, frames
and hundredths of a frame of time code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SYSEX, _END, _REAL_TIME, _COMMANDS = 0xF0, 0xF7, 0x7F, 0x06
_LENGTH_MIN: Final = 6
# Commands from this number on are followed by the number of bytes that belong to them (RP-013, section 3).
_COUNTED_FROM, _COUNTED_TO = 0x40, 0x77
# Frames per second by bits 5 and 6 of the hour.
_RATES: Final = (24.0, 25.0, 30000 / 1001, 30.0)


@dataclass(frozen=True, slots=True)
class MachinePlay:
    """Play from the present position."""


@dataclass(frozen=True, slots=True)
class MachineStop:
    """Stop, and stay at the present position."""


@dataclass(frozen=True, slots=True)
class MachineLocate:
    """Go to a position, in seconds."""

    position_s: float


MachineCommand = MachinePlay | MachineStop | MachineLocate


def machine_commands(data: Sequence[int]) -> list[MachineCommand]:
    """Return the transport commands in the bytes of a message, in order; none if it is another message."""
    is_ours = len(data) >= _LENGTH_MIN and (data[0], data[1], data[3]) == (_SYSEX, _REAL_TIME, _COMMANDS)
    if not is_ours or data[-1] != _END:
        return []
    found: list[MachineCommand | None] = []
    rest = list(data[4:-1])
    while rest:
        length = 2 + rest[1] if _COUNTED_FROM <= rest[0] <= _COUNTED_TO and len(rest) > 1 else 1
        found.append(_command(rest[:length]))
        rest = rest[length:]
    return [command for command in found if command is not None]


def _command(data: Sequence[int]) -> MachineCommand | None:
    """Return one command; None if it does not concern the transport."""
    match data:
        case [0x02 | 0x03]:  # play, deferred play
            return MachinePlay()
        case [0x01 | 0x09]:  # stop, pause
            return MachineStop()
        case [0x44, 0x06, 0x01, hours, minutes, seconds, frames, hundredths]:
            rate = _RATES[hours >> 5 & 3]
            whole_s = (hours & 0x1F) * 3600 + minutes * 60 + seconds
            return MachineLocate(whole_s + ((frames & 0x1F) + hundredths / 100) / rate)
        case _:
            return None
