"""Checks whether MIDI clock arrives, and at which tempo."""

from __future__ import annotations

import contextlib
import statistics
import time
from typing import TYPE_CHECKING, Final

from improviser.doctor.finding import passed, warned
from improviser.doctor.midi import NO_SYSTEM, SYSTEM_FIRST, foreign_inputs
from improviser.errors import PortError
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.doctor.finding import Finding
    from improviser.doctor.midi import MidiSystem

_CLOCK_IN: Final = "clock in"
# MIDI 1.0, System Real-Time Messages: F8 is sent 24 times per quarter note.
_TICK: Final = 0xF8
_TICKS_A_BEAT: Final = 24
# At 20 bpm, the slowest tempo, nine ticks arrive in this time.
LISTEN_S: Final = 1.2
_TICKS_MIN: Final = 4
_S_PER_MIN: Final = 60.0


class Ticks:
    """Records the clock ticks of one input.

    Threads: called in the driver's thread.
    """

    def __init__(self) -> None:
        """Start without ticks."""
        self._at_ns: list[int] = []

    def __call__(self, data: Sequence[int], at_ns: int) -> None:
        """Store the time of a tick."""
        if data[0] == _TICK:
            self._at_ns.append(at_ns)

    @property
    def tempo_bpm(self) -> float | None:
        """The tempo in quarter notes per minute, by linear regression over all ticks; None with too few ticks."""
        at_ns = list(self._at_ns)
        if len(at_ns) < _TICKS_MIN or at_ns[-1] <= at_ns[0]:
            return None
        tick_ns = statistics.linear_regression(range(len(at_ns)), at_ns).slope
        return _S_PER_MIN * NS_PER_S / tick_ns / _TICKS_A_BEAT


def check_clock(midi: MidiSystem) -> Iterator[Finding]:
    """Listen for MIDI clock on all inputs for LISTEN_S."""
    if midi.backend is None:
        yield warned(_CLOCK_IN, NO_SYSTEM, SYSTEM_FIRST)
        return
    heard: dict[str, Ticks] = {}
    with contextlib.ExitStack() as stack:
        for name in foreign_inputs(midi.backend):
            ticks = Ticks()
            with contextlib.suppress(PortError):  # the port has gone, or another program holds it
                stack.callback(midi.backend.open_input(name, ticks).close)
                heard[name] = ticks
        time.sleep(LISTEN_S if heard else 0.0)
    tempos = [
        f"{tempo_bpm:.1f} bpm from '{name}'"
        for name, ticks in heard.items()
        if (tempo_bpm := ticks.tempo_bpm) is not None
    ]
    if len(tempos) > 1:
        yield warned(_CLOCK_IN, ", ".join(tempos), "let only one port send a clock, or choose it: --in NAME")
    else:
        yield passed(_CLOCK_IN, tempos[0] if tempos else "no MIDI clock arrives; improviser uses its own")
