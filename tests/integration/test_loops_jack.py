"""A program that sends back what the improviser plays, as a DAW's monitoring does: the loop must die out."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import pytest

from improviser.ports.jack import JackBackend, open_jack
from tests.live import PLUGGED_S, Partner, Run, wait_for

pytestmark = pytest.mark.jack

BEAT_S = 0.4
NOTE_ON = 0x9


@pytest.fixture
def mirror(jack_server: str) -> Iterator[JackBackend]:
    """A client that sends back what it receives; not connected yet."""
    del jack_server
    backend = open_jack("Test Mirror")
    yield backend
    backend.close()


def close_loop(mirror: JackBackend, channel: int | None = None) -> list[Sequence[int]]:
    """Connect the mirror to the improviser's output and input; return the list of messages it passes on."""
    passed: list[Sequence[int]] = []
    back = mirror.open_output(next(name for name in mirror.output_names() if "Improviser In" in name))

    def reflect(data: Sequence[int], at_ns: int) -> None:
        """Send back a message."""
        changed = (*data,) if channel is None else (data[0] & 0xF0 | channel, *data[1:])
        passed.append(changed)
        back.relay(changed, at_ns / 1e9)

    mirror.open_input(next(name for name in mirror.input_names() if "Improviser Out" in name), reflect)
    time.sleep(PLUGGED_S)
    return passed


def rate(passed: Sequence[object], seconds: float = 1.0) -> int:
    """Return how many messages pass in the next `seconds` seconds."""
    before = len(passed)
    time.sleep(seconds)
    return len(passed) - before


@pytest.mark.parametrize("channel", [None, 5])
@pytest.mark.parametrize("thru", ["--no-thru", "--thru"])
def test_a_panic_in_a_loop_dies_out(
    run: Run, partner: Partner, mirror: JackBackend, channel: int | None, thru: str
) -> None:
    """A panic, a transport stop and a player's controls do not circulate in a loop, and the jam plays on."""
    jam = run(
        "jam",
        "--json",
        "--in",
        "Improviser In",
        "--key",
        "C",
        "--tempo",
        "150",
        "--seed",
        "3",
        "--no-web",
        thru,
    )
    jam.wait_until_told("ready")
    passed = close_loop(mirror, channel)
    partner.connect()
    partner.play([60, 64, 67, 72] * 4, BEAT_S, until=lambda: len(partner.ons) > 1)
    subprocess.run([sys.executable, "-m", "improviser", "ctl", "panic"], check=True, env=jam.environment)
    assert rate(passed) < 500
    partner.send(0xFA)
    for _ in range(48):
        partner.send(0xF8)
        time.sleep(BEAT_S / 24)
    partner.send(0xFC)
    for number in range(16):
        for control in (64, 123, 120):
            partner.send(0xB0 | number, control, 0)
    assert rate(passed) < 500
    partner.send(0xFA)
    before = len(partner.ons)
    for tick in range(24 * 8):
        if tick % 24 == 0:
            partner.send(0x90, 60 + tick // 24, 80)
        partner.send(0xF8)
        time.sleep(BEAT_S / 24)
    assert len(partner.ons) > before + 4
    jam.process.send_signal(signal.SIGINT)
    assert 0 == jam.end()[0]
    assert jam.told("warning")
    wait_for(lambda: not partner.sounding, "the end of what sounded")


def test_a_port_that_returns_our_output_is_let_go(run: Run, partner: Partner, mirror: JackBackend) -> None:
    """An input that returns the improviser's output is closed with a warning, and the player is still heard."""
    returning = mirror.open_virtual_output("Track Out")
    partner.offer()
    jam = run("jam", "--json", "--key", "C", "--tempo", "200", "--seed", "3", "--no-web")
    jam.wait_until_told("ready")
    mirror.open_input(
        next(name for name in mirror.input_names() if "Improviser Out" in name),
        lambda data, at_ns: returning.relay(data, at_ns / 1e9),
    )
    partner.listen()

    def is_let_go() -> bool:
        """Return whether the warning was reported."""
        return any("no longer listened to" in told["text"] for told in jam.told("warning"))

    partner.play([60, 64, 67, 72] * 20, 0.3, until=is_let_go)
    wait_for(is_let_go, "word of the port")
    heard, ours = len(jam.told("heard")), len(partner.ons)
    partner.play([60, 64, 67, 72], 0.3)
    wait_for(lambda: len(jam.told("heard")) == heard + 4, "the player's notes and no others")
    assert len(partner.ons) > ours
    jam.process.send_signal(signal.SIGINT)
    assert 0 == jam.end()[0]
