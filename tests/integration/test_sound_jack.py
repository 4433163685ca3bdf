"""`fluidsynth` beside a jam, on a JACK server: notes become sound."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from improviser.ports.jack import JackBackend, open_jack
from improviser.protocol import Event, Notice
from improviser.synth.fluidsynth import Fluidsynth
from improviser.synth.soundfont import find_soundfont
from tests.live import CHECKOUT, Run, wait_for
from tests.performing import ready

pytestmark = [pytest.mark.jack, pytest.mark.sound]
# A note of a soundfont is a hundred times as loud; the reverb noise of an idle synthesizer is far below.
HEARD_RMS = 1e-4
# A jam's synthesizer on its own, started as the command does it; then the program waits.
ALONE = """
import sys, time
from improviser.synth.fluidsynth import Fluidsynth
from tests.performing import ready
sound = Fluidsynth(lambda event: print(event.text, flush=True))
sound.follow(ready())
time.sleep(60)
"""


class Ears:
    """A client that measures the sound of other clients."""

    def __init__(self) -> None:
        """Register a client with one audio input."""
        import jack  # noqa: PLC0415 - importing it raises where there is no JACK

        self.squares: list[float] = []
        self._client: Any = jack.Client("Test Ears", no_start_server=True)
        self._port = self._client.inports.register("in")
        self._client.set_process_callback(self._hear)
        self._client.activate()

    def plug(self, port: str) -> None:
        """Connect to a port."""
        self._client.connect(port, self._port)

    def ports(self) -> list[str]:
        """Return fluidsynth's audio outputs."""
        found = self._client.get_ports("fluidsynth-", is_audio=True, is_output=True)
        return [port.name for port in found]

    @property
    def rms(self) -> float:
        """The loudness so far, 1.0 being full scale."""
        return float(np.sqrt(np.mean(self.squares))) if self.squares else 0.0

    def _hear(self, _frames: int) -> None:
        """Record the loudness of a period."""
        self.squares.append(float(np.mean(np.square(self._port.get_array()))))

    def close(self) -> None:
        """Disconnect properly."""
        self._client.deactivate()
        self._client.close()


@pytest.fixture
def graph(jack_server: str) -> Iterator[JackBackend]:
    """A client that reads the connections."""
    del jack_server
    backend = open_jack("Test Graph")
    yield backend
    backend.close()


@pytest.fixture
def ears(jack_server: str) -> Iterator[Ears]:
    """A client that listens."""
    del jack_server
    client = Ears()
    yield client
    client.close()


@pytest.fixture
def told() -> list[Event]:
    """The synthesizer's messages."""
    return []


@pytest.fixture
def sound(told: list[Event]) -> Iterator[Fluidsynth]:
    """The synthesizer of a jam."""
    with Fluidsynth(told.append) as synthesizer:
        yield synthesizer


def synthesizers(graph: JackBackend) -> set[str]:
    """Return the synthesizers that are connected to the improviser."""
    return {name for name in graph.cables("Improviser Out") or () if name.startswith("fluidsynth-")}


def test_what_is_played_is_heard(
    run: Run, ears: Ears, graph: JackBackend, sound: Fluidsynth, told: list[Event]
) -> None:
    """The program fluidsynth sounds while a demo plays, and its soundfont is reported."""
    demo = run("demo", "--json", "--seed", "1")
    demo.wait_until_told("ready")
    sound.follow(ready())
    wait_for(lambda: told, "fluidsynth")
    soundfont = find_soundfont()
    assert soundfont is not None
    assert [Notice(f"fluidsynth sounds with {soundfont.name}")] == told
    assert 1 == len(synthesizers(graph))
    wait_for(ears.ports, "ports that sound")
    for port in ears.ports():
        ears.plug(port)
    wait_for(lambda: ears.rms > HEARD_RMS, "sound")
    sound.close()
    assert [] == ears.ports()


def test_another_performer_is_heard_by_the_same_synthesizer(
    run: Run, graph: JackBackend, sound: Fluidsynth, told: list[Event]
) -> None:
    """A new performer is connected to the same synthesizer, without a further notice."""
    first = run("demo", "--json", "--seed", "1")
    first.wait_until_told("ready")
    sound.follow(ready())
    wait_for(lambda: synthesizers(graph), "cable")
    before = synthesizers(graph)
    first.process.terminate()
    first.end()
    run("demo", "--json", "--seed", "1").wait_until_told("ready")
    sound.follow(ready())
    wait_for(lambda: synthesizers(graph), "cable of the successor")
    assert before == synthesizers(graph)
    assert 1 == len(told)


def test_it_goes_where_the_jam_is_killed(
    tmp_path: Path, run: Run, ears: Ears, graph: JackBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the command is killed, the program fluidsynth ends by itself."""
    run("demo", "--json", "--seed", "1").wait_until_told("ready")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    with (tmp_path / "out").open("w") as out:
        command = subprocess.Popen([sys.executable, "-c", ALONE], cwd=tmp_path, stdout=out)
        wait_for(lambda: synthesizers(graph), "cable")
        command.send_signal(signal.SIGKILL)
        command.wait()
    began_s = time.monotonic()
    wait_for(lambda: not ears.ports(), "end of fluidsynth")
    assert time.monotonic() - began_s < 10
