"""A jam beside Ardour, both with default settings; Ardour monitors, records and plays back the improviser."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.ports.jack import JackBackend, open_jack
from tests.live import PATIENCE_S, Partner, Run, StartServer, wait_for
from tests.programs import needed

pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(300)]

SCRIPT = Path(__file__).with_name("ardour.lua")
TRACK_IN, TRACK_OUT = "ardour:MIDI 1/midi_in 1", "ardour:MIDI 1/midi_out 1"
STARTS, PORTS_S = 4, 3.0
TUNE = [60, 64, 67, 72, 71, 67, 65, 62]


def ardour_command() -> str:
    """Return Ardour's command for scripts."""
    return needed("ardour", *(f"ardour{version}-lua" for version in range(6, 12)))


class Ardour:
    """An Ardour session without a screen."""

    def __init__(self, folder: Path) -> None:
        """Start Ardour, and wait until the track exists."""
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [ardour_command(), str(SCRIPT), str(folder)],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"HOME": str(folder.parent)},
        )
        self._wait_for("ready")

    def do(self, command: str) -> None:
        """Run an action and wait until it is done."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        self._wait_for(f"did {command}")

    def close(self) -> None:
        """End the session."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _wait_for(self, answer: str) -> None:
        """Read the output until the answer comes."""
        for line in self.process.stdout or ():
            if line.strip() == answer:
                return
        pytest.fail(f"Ardour ended before it said: {answer}")


@pytest.fixture
def ardour(jackd: StartServer, tmp_path: Path) -> Iterator[Ardour]:
    """Ardour on a JACK server of its own, which loses no event.

    About one start in five makes a session whose ports JACK does not have: then Ardour is started again.
    """
    jackd("-S", "-t", "10000", period=256)
    for attempt in range(STARTS):
        session = Ardour(tmp_path / f"ardour{attempt}")
        if has_ports():
            break
        session.close()
    else:
        pytest.fail(f"JACK had no port '{TRACK_IN}' in {STARTS} starts of Ardour")
    yield session
    session.close()


def has_ports() -> bool:
    """Return whether JACK has the ports of Ardour's track; wait a short time for them."""
    with contextlib.closing(open_jack("Test Look")) as look:
        give_up_s = time.monotonic() + PORTS_S
        while time.monotonic() < give_up_s:
            if TRACK_IN in look.output_names() and TRACK_OUT in look.input_names():
                return True
            time.sleep(0.1)
    return False


@pytest.fixture
def patchbay(ardour: Ardour) -> Iterator[JackBackend]:
    """A client that connects ports."""
    del ardour
    backend = open_jack("Test Patchbay")
    yield backend
    backend.close()


@pytest.fixture
def keys(ardour: Ardour) -> Iterator[Partner]:
    """A keyboard."""
    del ardour
    keyboard = Partner()
    yield keyboard
    keyboard.close()


def answers(keys: Partner) -> int:
    """Return how many notes the improviser plays while a player plays two bars."""
    before = len(keys.ons)
    keys.play(TUNE, 0.3)
    return len(keys.ons) - before


@pytest.mark.parametrize("thru", ["--no-thru", "--thru"])
@pytest.mark.parametrize("goes_back", [False, True])
def test_recording_twice_silences_nothing(
    run: Run, ardour: Ardour, patchbay: JackBackend, keys: Partner, thru: str, *, goes_back: bool
) -> None:
    """The improviser answers the player while Ardour records twice, also when Ardour's output goes back to it.

    In the second after each stop fewer than 500 messages pass.
    """
    keys.offer()
    jam = run("jam", "--json", "--key", "C", "--tempo", "200", "--seed", "3", "--no-web", thru)
    jam.wait_until_told("ready")
    keys.listen()
    ours = next(name for name in patchbay.input_names() if "Improviser Out" in name)
    patchbay.connect(ours, TRACK_IN)
    if goes_back:
        patchbay.connect(TRACK_OUT, next(name for name in patchbay.output_names() if "Improviser In" in name))
    for _ in range(2):
        ardour.do("rewind")
        ardour.do("record")
        assert answers(keys) > 4
        ardour.do("stop")
        passed = len(keys.received)
        time.sleep(1.0)
        assert len(keys.received) < passed + 500
        assert answers(keys) > 4
    ardour.do("rewind")
    ardour.do("play")
    heard = len(jam.told("heard"))
    keys.play(TUNE, 0.3)
    wait_for(lambda: len(jam.told("heard")) >= heard + len(TUNE), "the player's notes")
    # Ardour plays back what the improviser played before, which must not count as the player's notes.
    assert len(jam.told("heard")) <= heard + len(TUNE) + (40 if goes_back else 0)
    jam.process.send_signal(signal.SIGINT)
    assert 0 == jam.end()[0]
    wait_for(lambda: not keys.sounding, "the end of what sounded")
