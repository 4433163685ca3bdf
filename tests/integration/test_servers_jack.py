"""A JACK server that stops answering, changes its period, or loses a connection during a jam."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.ports.jack import JackBackend, open_jack
from tests.live import CHECKOUT, Partner, Run, StartServer, wait_for

pytestmark = pytest.mark.jack

FRAME_S = 1 / 48_000
HELD_UP = 2  # notes that a machine that stands still may hold up
SYNCHRONOUS = "-S"  # no event is lost


@pytest.fixture
def listener(jackd: StartServer) -> Iterator[JackBackend]:
    """A client that only listens, on a server of its own: no loop of clients delays what it hears."""
    jackd(SYNCHRONOUS, period=256)
    backend = open_jack("Test Ears")
    yield backend
    backend.close()


def test_notes_stay_in_their_frames_when_the_period_changes(run: Run, listener: JackBackend) -> None:
    """From the second period of a new length on notes are in their frames; the session replays identically."""
    jack = pytest.importorskip("jack", reason="no JACK library")
    jam = run("demo", "--json", "--tempo", "180", "--key", "C", "--seed", "3")
    jam.wait_until_told("ready")
    heard: list[float] = []
    name = next(name for name in listener.input_names() if "Improviser Out" in name)
    listener.open_input(name, lambda data, at_ns: heard.append(at_ns / 1e9) if data[0] >> 4 == 9 else None)
    wait_for(lambda: heard, "notes")
    changed_s = []
    other = jack.Client("Test Other", no_start_server=True)
    for period in (2048, 64, 1024):
        changed_s.append(listener.clock.now_s())
        other.blocksize = period  # as `jack_bufsize` and DAWs do
        time.sleep(2.5)
    other.close()
    jam.process.send_signal(signal.SIGINT)
    assert 0 == jam.end()[0]
    assert [0.048667, 0.007333, 0.027333] == [told["ahead_s"] for told in jam.told("look_ahead")]
    played = jam.told("played")
    # What was sent before the change may leave with the first period after it.
    # What mends a clash leaves as soon as it can.
    unsettled_s = changed_s + [told["at_s"] for told in jam.told("mended")]
    settled_s = [at_s for at_s in heard if not any(0 < at_s - then < 0.1 for then in unsettled_s)]
    assert len(settled_s) > 20
    # A machine that stands still may hold up a note, which leaves in the frame that the jam tells.
    assert max(_off_s(at_s, [told["actual_s"] for told in played]) for at_s in settled_s) <= FRAME_S
    in_time = [at_s for at_s in settled_s if _off_s(at_s, [told["due_s"] for told in played]) <= FRAME_S]
    assert len(in_time) >= len(settled_s) - HELD_UP
    replay = [sys.executable, "-m", "improviser", "replay", jam.told("session")[0]["path"], "--json"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    subprocess.run(replay, check=True, stdout=subprocess.DEVNULL, env=environment)


def _off_s(at_s: float, expected_s: list[float]) -> float:
    """Return how far `at_s` is from the nearest of `expected_s`."""
    return min(abs(at_s - one) for one in expected_s)


@pytest.mark.parametrize("still_s", [0.1, 0.7, 6.0])
def test_ctrl_c_ends_a_jam_whose_server_stands_still(jackd: StartServer, run: Run, still_s: float) -> None:
    """Ctrl-C ends the jam with code 0 and a warning, however long the server has stood still."""
    server = jackd()
    jam = run("demo", "--json", "--key", "C")
    wait_for(lambda: jam.told("played"), "a note")
    server.send_signal(signal.SIGSTOP)
    time.sleep(still_s)
    jam.process.send_signal(signal.SIGINT)
    code, error = jam.end()
    assert (0, "") == (code, error)
    assert any("the MIDI system" in told["text"] for told in jam.told("warning"))


def test_a_jam_plays_on_when_the_server_goes_on(jackd: StartServer, run: Run) -> None:
    """A server that stands still for 4 s is reported, and the jam plays on when it continues."""
    server = jackd()
    jam = run("demo", "--json", "--key", "C", "--tempo", "150")
    wait_for(lambda: jam.told("played"), "a note")
    server.send_signal(signal.SIGSTOP)
    time.sleep(4.0)
    assert re.search("does not answer|no longer answers", jam.told("warning")[0]["text"])
    before = len(jam.told("played"))
    server.send_signal(signal.SIGCONT)
    wait_for(lambda: len(jam.told("played")) > before, "a note after it")
    jam.process.send_signal(signal.SIGINT)
    assert 0 == jam.end()[0]


def test_a_key_is_up_when_its_cable_goes(run: Run, partner: Partner) -> None:
    """When the player's port disappears with a key down, the key is released."""
    jam = run("jam", "--json", "--in", "Improviser In", "--key", "C", "--no-web")
    jam.wait_until_told("ready")
    partner.connect()
    partner.send(0x90, 60, 80)
    jam.wait_until_told("heard")
    partner.unplug()
    assert 60 == jam.wait_until_told("lifted")["note"]
    jam.process.send_signal(signal.SIGINT)
    assert 0 == jam.end()[0]


def test_two_commands_find_no_server_that_hangs(jackd: StartServer, run: Run, tmp_path: Path) -> None:
    """`improviser ports` does not wait for ever for a server that stands still."""
    del tmp_path
    server = jackd()
    server.send_signal(signal.SIGSTOP)
    code, error = run("ports", "--backend", "jack").end()
    assert 1 == code
    assert "does not answer" in error
