"""`improviser` processes beside another client on the same JACK server, for the integration tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from improviser.ports.base import OutputPort
from improviser.ports.jack import open_jack
from improviser.studies.timing.run import ORDINARY
from tests.event_names import checked

if TYPE_CHECKING:
    from tests.pipewire import PipeWire

CHECKOUT = Path(__file__).parents[1]
PATIENCE_S = 20.0
PLUGGED_S = 0.05
NOTE_ON, NOTE_OFF = 0x9, 0x8


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds; fail the test after PATIENCE_S seconds."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > give_up_s:
            pytest.fail(f"waited in vain for: {what}")
        time.sleep(0.01)


@dataclass
class Partner:
    """Another client on the same server: plays to the improviser and records what comes back.

    It does not use python-rtmidi. libjack cancels the thread of a client that leaves, and where RtMidi is the client,
    this corrupts the memory of the test process.

    Attributes:
        received: The messages received, each with its time in monotonic seconds.
    """

    received: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Register with the server, without connecting any port."""
        self._backend = open_jack("Test Keys")
        self._keys: OutputPort | None = None

    def connect(self) -> None:
        """Connect to both ports of the improviser; the server passes notes on from its next cycles."""
        self._keys = self._backend.open_output(_find("Improviser In", self._backend.output_names()), "Test Keys")
        self.listen()
        time.sleep(PLUGGED_S)

    def listen(self, port: str = "Improviser Out") -> None:
        """Connect to the port that an improviser plays on."""
        self._backend.open_input(_find(port, self._backend.input_names()), self._hear, "Test Ears")

    def offer(self) -> None:
        """Open the port of a keyboard that was there before."""
        self._keys = self._backend.open_virtual_output("Test Keys")

    def receive(self, name: str) -> None:
        """Open the port of a synthesizer that can be played on."""
        self._backend.open_virtual_input(name, self._hear)

    def frame_at(self, at_s: float) -> int:
        """Return the server's frame of a time that the jam tells."""
        return self._backend.clock.frame_at(at_s)

    @property
    def now_s(self) -> float:
        """The time of now, as the jam tells it."""
        return self._backend.clock.now_s()

    def unplug(self) -> None:
        """Close the keyboard's port until `offer` opens it again."""
        if self._keys is not None:
            self._keys.close()

    def _hear(self, data: Sequence[int], _at_ns: int) -> None:
        """Record a message."""
        self.received.append((time.monotonic(), tuple(data)))

    def send(self, *data: int) -> None:
        """Send the bytes of one message."""
        assert self._keys is not None
        self._keys.send(data)

    def play(self, notes: list[int], beat_s: float, until: Callable[[], object] = lambda: False) -> None:
        """Play quarter notes in time until `until` holds."""
        start_s = time.monotonic()
        for place, note in enumerate(notes):
            self.send(0x90, note, 80)
            while time.monotonic() < start_s + (place + 1) * beat_s and not until():
                time.sleep(0.002)
            self.send(0x80, note, 0)
            if until():
                return

    def perform(self, score: list[tuple[float, int, float]], start_frame: int | None = None) -> None:
        """Play notes of (seconds from the start, note, duration in seconds) exactly by the server's clock.

        On a busy machine that clock is slower than the wall's, and the jam goes by it. The start is now, or the
        server's `start_frame`.
        """
        assert self._keys is not None
        clock, ahead_s = self._backend.clock, self._keys.ahead_s
        start_s = clock.now_s() + ahead_s if start_frame is None else clock.s_at(start_frame)
        moments = [(onset_s, (0x90, note, 80)) for onset_s, note, _ in score]
        moments += [(onset_s + held_s, (0x80, note, 0)) for onset_s, note, held_s in score]
        for at_s, data in sorted(moments):
            time.sleep(max(0.0, start_s + at_s - ahead_s - clock.now_s()))
            self._keys.send(data, start_s + at_s)

    @property
    def ons(self) -> list[tuple[float, int]]:
        """The note-ons received, as (time, note)."""
        return [(at_s, data[1]) for at_s, data in self.received if data[0] >> 4 == NOTE_ON and data[2]]

    @property
    def sounding(self) -> set[int]:
        """The notes received and not released; a note-on with velocity 0 also releases."""
        sounding: set[int] = set()
        for _, data in list(self.received):
            if data[0] >> 4 == NOTE_ON and data[2]:
                sounding.add(data[1])
            elif data[0] >> 4 in {NOTE_ON, NOTE_OFF}:
                sounding.discard(data[1])
        return sounding

    def close(self) -> None:
        """Disconnect from the server properly; a client that just disappears blocks all others."""
        self._backend.close()


def _find(name: str, ports: Sequence[str]) -> str:
    """Return the full name of the first port whose name contains `name`."""
    return next(port for port in ports if name in port)


class Command:
    """An `improviser` command in a process of its own, whose JSON lines are read."""

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        home: Path,
        pipewire: PipeWire | None = None,
        *,
        is_ordinary: bool = False,
    ) -> None:
        """Start the command in `folder`; with `pipewire`, as a client of that daemon; perhaps without real time."""
        self.environment = dict(os.environ if pipewire is None else pipewire.env) | {
            "IMPROVISER_CONFIG_DIR": str(home),
            "IMPROVISER_STATE_DIR": str(folder / "state"),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "improviser", *arguments]
        if is_ordinary:
            command = [sys.executable, "-c", ORDINARY, *command]
        self.process = subprocess.Popen(
            command if pipewire is None else pipewire.command(*command),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=self.environment,
        )
        self.lines: list[str] = []
        self._hangs_up = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Record the lines of stdout."""
        stream = self.process.stdout
        for line in stream or ():
            self.lines.append(line)
            if self._hangs_up and stream is not None:
                stream.close()
                return

    def hang_up(self) -> None:
        """Close its stdout after the next line, as `head` does."""
        self._hangs_up = True

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind."""
        events = [json.loads(line) for line in list(self.lines)]
        return [event for event in events if event["event"] == checked(kind)]

    def wait_until_told(self, kind: str) -> dict[str, Any]:
        """Wait for the first event of one kind, and return it."""
        wait_for(lambda: self.told(kind) or self.process.poll() is not None, kind)
        assert self.told(kind), self.end()
        return self.told(kind)[0]

    def end(self) -> tuple[int, str]:
        """Wait until the process has ended; return exit code and stderr."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code, self.process.stderr.read() if self.process.stderr else ""

    def performer(self) -> int:
        """Return the process id of the performer."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
        return int(children.split()[0])


Run = Callable[..., Command]
# Starts a JACK server with options before its driver, and returns its process.
StartServer = Callable[..., "subprocess.Popen[bytes]"]
