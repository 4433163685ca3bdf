"""Steering by OSC, over real datagrams; invalid messages are counted, reported once and ignored."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from improviser.choices import PlayMode
from improviser.protocol import Act, Action, Command, Knob, SetMode, Turn
from improviser.remote import osc
from improviser.remote.osc import OscServer

PATIENCE_S = 5.0


class Listener:
    """A server that records its commands, and a client."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.commands: list[Command] = []
        self.warnings: list[str] = []
        self.ignored = 0
        self.server = OscServer(("127.0.0.1", 0), self.commands.append, self.warnings.append, self.count_ignored)

    def count_ignored(self) -> None:
        """Count a message that was ignored."""
        self.ignored += 1

    def message(self, address: str, *values: Any) -> None:  # noqa: ANN401 - whatever is sent
        """Send a message."""
        builder = OscMessageBuilder(address)
        for value in values:
            builder.add_arg(value)
        self.send(builder.build().dgram)

    def send(self, data: bytes) -> None:
        """Send a datagram unchanged."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(data, ("127.0.0.1", self.server.port))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        until_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until_s, (self.commands, self.warnings, self.ignored)
            time.sleep(0.005)


@pytest.fixture
def slow_listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """A listener with a limit of 50 messages a second."""
    monkeypatch.setattr(osc, "RATE_MAX", 50.0)
    listener = Listener()
    yield listener
    listener.server.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener for the test."""
    listener = Listener()
    yield listener
    listener.server.close()


def test_every_name_has_its_address(listener: Listener) -> None:
    """Knobs take a position; actions take nothing or a 1, and a 0, as a button sends at release, does nothing."""
    for knob in Knob:
        listener.message(f"/improviser/{knob}", 60 if knob is Knob.TEMPO else 0.5)
    for action in Action:
        listener.message(f"/improviser/{action}")
        listener.message(f"/improviser/{action}", 0.0)
    listener.message("/improviser/like", 1)
    expected: list[Command] = [Turn(knob, 60.0 if knob is Knob.TEMPO else 0.5) for knob in Knob]
    expected += [*map(Act, Action), Act(Action.LIKE)]
    listener.wait_for(lambda: len(listener.commands) >= len(expected))
    assert expected == listener.commands
    assert [] == listener.warnings
    assert 0 == listener.ignored


def test_the_mode_has_a_name(listener: Listener) -> None:
    """A mode is chosen by its name; another word, a number or none is ignored, and told once with the names."""
    for value in ("trade-4", "never", 4, None, "alone"):
        listener.message("/improviser/mode", value)
    listener.wait_for(lambda: len(listener.commands) >= 2)
    assert [SetMode(PlayMode.TRADE_4), SetMode(PlayMode.ALONE)] == listener.commands
    assert (3, 1) == (listener.ignored, len(listener.warnings))
    assert "trade-4" in listener.warnings[0]


def test_bundles_are_taken_apart(listener: Listener) -> None:
    """The messages of a bundle are processed one by one."""
    bundle = OscBundleBuilder(IMMEDIATELY)
    for name in ("harmony", "density"):
        message = OscMessageBuilder(f"/improviser/{name}")
        message.add_arg(1.25)
        bundle.add_content(message.build())
    listener.send(bundle.build().dgram)
    listener.wait_for(lambda: len(listener.commands) == 2)
    assert [Turn(Knob.HARMONY, 1.25), Turn(Knob.DENSITY, 1.25)] == listener.commands


@pytest.mark.parametrize("value", ["loud", math.nan, None])
def test_a_button_says_a_number(listener: Listener, value: float | str | None) -> None:
    """An action accepts 1 or true, ignores 0 or false as a release, and refuses other values."""
    for each in (value, False, 0, True, 1):
        listener.message("/improviser/mute", each)
    listener.wait_for(lambda: len(listener.commands) >= 2)
    assert [Act(Action.MUTE)] * 2 == listener.commands
    assert 1 == listener.ignored


def test_a_bundle_counts_by_its_messages(slow_listener: Listener) -> None:
    """The rate limit counts each message of a bundle."""
    listener = slow_listener
    message = OscMessageBuilder("/improviser/harmony")
    message.add_arg(1.0)
    data = message.build().dgram
    listener.send(b"#bundle\0" + bytes(8) + (len(data).to_bytes(4, "big") + data) * 100)
    listener.wait_for(lambda: listener.ignored > 0)
    listener.send(b"#bundle\0" + bytes(8) + (len(data).to_bytes(4, "big") + data) * 100)
    listener.wait_for(lambda: listener.ignored > 1)
    assert len(listener.commands) < 150


@pytest.mark.parametrize("value", [-0.1, 2.1, math.nan, math.inf, "loud", None, True])
def test_out_of_range_is_ignored(listener: Listener, value: float | str | None) -> None:
    """A position out of range, or that is no number, is ignored; True is not a number."""
    listener.message("/improviser/harmony", value)
    listener.message("/improviser/harmony", value)
    listener.message("/improviser/density", 1.0)
    listener.wait_for(lambda: len(listener.commands) >= 1)
    assert [Turn(Knob.DENSITY, 1.0)] == listener.commands
    assert (2, 1) == (listener.ignored, len(listener.warnings))


def test_unknown_addresses_are_ignored(listener: Listener) -> None:
    """An unknown address is reported once, with where the table is."""
    for address in ("/improviser/volume", "/harmony", "/improviser", "/improviser/like/twice", "/x" * 400):
        listener.message(address, 1.0)
    listener.wait_for(lambda: listener.ignored == 5)
    assert [] == listener.commands
    (warning,) = listener.warnings
    assert "docs/controllers.md" in warning


def test_broken_packets_are_ignored(listener: Listener) -> None:
    """Invalid datagrams of any kind are ignored, and the server listens on."""
    rng = np.random.default_rng(0)
    message = OscMessageBuilder("/improviser/harmony")
    message.add_arg(1.0)
    whole = message.build().dgram
    packets = [whole[:cut] for cut in range(len(whole))]
    packets += [rng.bytes(int(rng.integers(1, 200))) for _ in range(300)]
    packets += [b"#bundle\0" + rng.bytes(int(rng.integers(0, 60))) for _ in range(300)]
    head = b"#bundle\0" + bytes(8)
    packets += [head + size.to_bytes(4, "big", signed=True) for size in (-4, 0, 3, 4, 2**31 - 1)]
    packets += [head + b"".join([bytes(4)] * 900), (head + b"\0\0\1\0") * 8]
    packets += [b"", b"/", b"/improviser/harmony\0,\0\0\0", b"#bundle\0" * 100, bytes(4000)]
    for packet in packets:
        listener.send(packet)
        time.sleep(0.0005)
    listener.message("/improviser/like")
    listener.wait_for(lambda: Act(Action.LIKE) in listener.commands)
    assert listener.ignored > 300
    assert len(listener.warnings) <= 3


def test_a_flood_is_held_up(slow_listener: Listener) -> None:
    """Messages beyond the rate limit are dropped, which is reported once."""
    listener = slow_listener
    for _ in range(2000):
        listener.message("/improviser/harmony", 1.0)
    listener.wait_for(lambda: bool(listener.warnings))
    time.sleep(0.3)
    assert len(listener.commands) < 500
    assert 1 == len(listener.warnings)
    listener.message("/improviser/like")
    listener.wait_for(lambda: Act(Action.LIKE) in listener.commands)


def test_a_taken_port_is_told() -> None:
    """A port that is in use raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            OscServer(other.getsockname(), print, print, print)
