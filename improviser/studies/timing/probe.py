"""The probe of a timing run, a process of its own: plays to the jam, and records what other clients receive.

`python -m improviser.studies.timing.probe SECONDS PORT...` waits for ports whose names contain the given texts. It
plays on 'Improviser In' for SECONDS seconds and then prints an empty line. It listens until its input ends, and then
prints one JSON line for each note and each clock tick: the port, the time by JACK's frames, the time by the machine's
clock, status, note. The notes that it plays itself have the port KEYS.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.ports.base import VIRTUAL_INPUT
from improviser.ports.jack import MARGIN_S, JackBackend, open_jack
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS: Final = "keys"
TICK: Final = 0xF8
BEAT_S: Final = 0.5
_SCALE: Final = (60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62)
# Keys are not on a grid, so that they fall on all places of a period.
_UNEVEN_S: Final = 0.02
_HELD: Final = 0.8
_PATIENCE_S: Final = 20.0
_LOOK_EVERY_S: Final = 0.05
# A jam's ports exist before its performer loop runs; what is sent in between is late, and is not measured here.
_READY_S: Final = 1.0
# Time for the last messages to arrive.
_LINGER_S: Final = 0.2

# port, time by JACK's frames in s, time by the machine's clock in s, status, note
Note = tuple[str, float, float, int, int]


class Probe:
    """Two JACK clients: a single client that both plays and receives would delay what follows by a period."""

    def __init__(self) -> None:
        """Connect to the server. Raises PortError where that fails."""
        self.notes: list[Note] = []
        self._plays, self._hears = open_jack(), open_jack()
        self._keys = self._plays.open_virtual_output("Bench Keys")

    def connect(self, ports: Sequence[str]) -> None:
        """Connect to all ports, and wait until the jam is ready. Raises PortError where a port does not appear."""
        self._hear(KEYS, _wait_for(self._hears, "Bench Keys", inputs=True))
        for part in ports:
            self._hear(part, _wait_for(self._hears, part, inputs=True))
        self._plays.connect(
            _wait_for(self._plays, "Bench Keys", inputs=True),
            _wait_for(self._plays, VIRTUAL_INPUT, inputs=False),
        )
        time.sleep(_READY_S)

    def play(self, seconds: float) -> None:
        """Play a scale up and down."""
        rng, clock = random.Random(0), self._plays.clock  # noqa: S311 - no secret
        lead_s = self._keys.ahead_s + MARGIN_S
        start_s = clock.now_s() + lead_s
        for beat in range(int(seconds / BEAT_S)):
            on_s = start_s + beat * BEAT_S + (rng.uniform(-_UNEVEN_S, _UNEVEN_S) if beat else 0.0)
            note = _SCALE[beat % len(_SCALE)]
            time.sleep(max(0.0, on_s - lead_s - clock.now_s()))
            self._keys.send((0x90, note, 80), on_s)
            self._keys.send((0x80, note, 0), on_s + BEAT_S * _HELD)
        time.sleep(BEAT_S + lead_s)

    def close(self) -> None:
        """Disconnect from the server."""
        self._plays.close()
        self._hears.close()

    def _hear(self, name: str, source: str) -> None:
        """Record what comes from a port."""

        def heard(data: Sequence[int], at_ns: int) -> None:
            """Record a note or a tick."""
            if data[0] >> 4 in {0x8, 0x9}:
                self.notes.append((name, at_ns / NS_PER_S, time.monotonic(), data[0], data[1]))
            elif data[0] == TICK:
                self.notes.append((name, at_ns / NS_PER_S, time.monotonic(), TICK, 0))

        self._hears.open_input(source, heard)


def main(arguments: Sequence[str]) -> int:
    """Run the probe, and print what was received."""
    seconds, *ports = arguments
    witness = Probe()
    try:
        witness.connect(ports)
        witness.play(float(seconds))
        sys.stdout.write("\n")
        sys.stdout.flush()
        sys.stdin.read()
        time.sleep(_LINGER_S)
    finally:
        witness.close()
    for note in witness.notes:
        sys.stdout.write(f"{json.dumps(note)}\n")
    return 0


def _wait_for(backend: JackBackend, part: str, *, inputs: bool) -> str:
    """Return the name of the port whose name contains `part`. Raises PortError where none appears."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_s:
        names = backend.input_names() if inputs else backend.output_names()
        found = next((name for name in names if part in name), None)
        if found is not None:
            return found
        time.sleep(_LOOK_EVERY_S)
    raise PortError(f"no port '{part}' has come")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
