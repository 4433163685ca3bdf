"""Whether MIDI clock comes in, and how fast."""

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
# MIDI 1.0, System Real-Time Messages: F8 comes 24 times a quarter note.
_TICK: Final = 0xF8
_TICKS_A_BEAT: Final = 24
# At 20 bpm, the slowest tempo, nine ticks come meanwhile.
LISTEN_S: Final = 1.2
_TICKS_MIN: Final = 4
_S_PER_MIN: Final = 60.0


class Ticks:
    """Hears the clock of one input.

    Threads: called in the driver's.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._at_ns: list[int] = []

    def __call__(self, data: Sequence[int], at_ns: int) -> None:
        """Keep when a tick came."""
        if data[0] == _TICK:
            self._at_ns.append(at_ns)

    @property
    def tempo_bpm(self) -> float | None:
        """The tempo in quarter notes a minute, by the line that fits all ticks; None where too few came."""
        at_ns = list(self._at_ns)
        if len(at_ns) < _TICKS_MIN or at_ns[-1] <= at_ns[0]:
            return None
        tick_ns = statistics.linear_regression(range(len(at_ns)), at_ns).slope
        return _S_PER_MIN * NS_PER_S / tick_ns / _TICKS_A_BEAT


def check_clock(midi: MidiSystem) -> Iterator[Finding]:
    """Listen on all inputs for a while."""
    if midi.backend is None:
        yield warned(_CLOCK_IN, NO_SYSTEM, SYSTEM_FIRST)
        return
    heard: dict[str, Ticks] = {}
    with contextlib.ExitStack() as stack:
        for name in foreign_inputs(midi.backend):
            ticks = Ticks()
            with contextlib.suppress(PortError):  # it has gone, or another program holds it
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
