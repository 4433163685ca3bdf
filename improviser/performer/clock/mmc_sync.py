"""Follows the start, stop and locate of MIDI Machine Control, at the improviser's own tempo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.midi.machine_control import (
    MachineCommand,
    MachineLocate,
    MachinePlay,
    MachineStop,
    machine_commands,
)
from improviser.performer.clock.clock_sync import MMC
from improviser.protocol import DIGITS
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.engine import Engine
    from improviser.performer.clock.clock_sync import ClockSync
    from improviser.performer.input.arrivals import Arrival
    from improviser.performer.transport import Transport

_SYSEX: Final = 0xF0


def is_sysex(data: Sequence[int]) -> bool:
    """Return whether the bytes are a system exclusive message."""
    return bool(data) and data[0] == _SYSEX


class MmcSync:
    """Starts, stops and locates the performance. A clock that is followed does that itself, so it wins.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, clock_sync: ClockSync, transport: Transport) -> None:
        """Begin at the start of the song."""
        self._clock_sync, self._transport = clock_sync, transport
        self._beat = 0.0

    @property
    def _engine(self) -> Engine:
        """The engine that plays now."""
        return self._transport.engine

    def receive(self, arrival: Arrival) -> None:
        """Carry out the commands of a message."""
        if not self._clock_sync.is_led(arrival.at_s):
            for command in machine_commands(arrival.data):
                self._obey(command, arrival.at_s)

    def _obey(self, command: MachineCommand, at_s: float) -> None:
        """Carry out a command."""
        is_rolling = self._engine.is_rolling
        match command:
            case MachinePlay() if not is_rolling:
                self._clock_sync.begin(at_s, self._beat)
            case MachineStop() if is_rolling:
                self._beat = round(self._engine.beat_at(at_s), DIGITS)
                self._clock_sync.halt(at_s, MMC)
            case MachineLocate(position_s):
                self._beat = round(position_s * self._transport.tempo_bpm / S_PER_MINUTE, DIGITS)
                if is_rolling:
                    self._transport.recount(at_s, self._beat, self._engine.meter)
            case _:
                pass
