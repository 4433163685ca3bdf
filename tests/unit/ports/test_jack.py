"""The parts of the JACK backend that need no server: its clock, and a missing or broken library or server."""

from __future__ import annotations

import builtins
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from improviser.errors import PortError
from improviser.ports import jack
from improviser.ports.base import BackendNews, LookAheadChanged
from improviser.ports.jack import open_jack
from improviser.ports.jack_clock import JackClock
from improviser.ports.patience import within


class Client:
    """A client of a server whose frames are set by the test, and that may never call it."""

    samplerate, blocksize, realtime, name = 48_000, 128, True, "Improviser"

    def __init__(self, *_: object, **__: object) -> None:
        """Begin shortly before JACK's frame counter wraps."""
        self.frame_time = self.last_frame_time = (1 << 32) - 48_000

    def set_process_callback(self, callback: Callable[[int], None]) -> None:
        """Store the callback for the test."""
        self.process = callback

    def set_shutdown_callback(self, _callback: object, **_: object) -> None:
        """Ignore the callback."""

    set_port_connect_callback = set_shutdown_callback

    def activate(self) -> None:
        """Become active."""

    deactivate = close = activate


class Library(ModuleType):
    """A simulated JACK-Client library without a server."""

    class JackError(Exception):
        """The library's exception."""

    Client = Client

    def set_error_function(self, _function: object) -> None:
        """Ignore the function."""

    set_info_function = set_error_function


def test_frames_are_counted_beyond_jacks_count() -> None:
    """JACK counts modulo 2**32, which takes a day: neither the clock nor the frames jump there."""
    client = Client()
    clock, start = JackClock(client), client.frame_time
    start_s = clock.now_s()
    assert start / 48_000 == pytest.approx(start_s, abs=0.1)
    for second in range(1, 4):
        client.frame_time = client.last_frame_time = (client.frame_time + 48_000) % (1 << 32)
        assert start + 48_000 * second == clock.turn()
    assert 2.0 == pytest.approx(clock.now_s() - clock.s_at(start + 48_000), abs=0.1)
    assert clock.frame_at(clock.s_at(12_345)) == 12_345
    assert start_s <= clock.now_s()


def test_a_server_that_never_calls_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose thread JACK fails to start is opened again, up to a limit."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    monkeypatch.setattr(jack, "_STARTED_S", 0.001)
    backend = open_jack()
    monkeypatch.setattr(backend, "_names", lambda **_: ())
    with pytest.raises(PortError, match=r"does not run its clients\. Restart it"):
        backend.open_virtual_output("Out")


def test_no_server_and_no_library_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing server and a missing library are each reported with what to install."""

    class Refusing(Library):
        """A library where no server answers."""

        def Client(self, *_: object, **__: object) -> None:  # type: ignore[override]  # noqa: N802 - a class of theirs
            """Raise JackError."""
            raise self.JackError("no")

    monkeypatch.setitem(sys.modules, "jack", Refusing("jack"))
    with pytest.raises(PortError, match="no JACK server answers; install jackd2"):
        open_jack()
    monkeypatch.delitem(sys.modules, "jack")
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any module
        """Raise as where libjack is missing."""
        if name == "jack":
            raise OSError("no libjack")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PortError, match="finds no JACK library \\(no libjack\\)"):
        open_jack()


def test_a_port_that_vanishes_while_it_is_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that disappears while it is listed has a null name, for which JACK-Client raises RuntimeError."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    backend = open_jack()

    def vanished(*_: object, **__: object) -> None:
        """Raise as cffi does for a null pointer."""
        raise RuntimeError("cannot use string() on <cdata 'char *' NULL>")

    client = backend._client  # noqa: SLF001 - the library's
    client.get_ports = client.get_port_by_name = vanished
    with pytest.raises(PortError, match="cannot list the ports: cannot use string"):
        backend.input_names()
    assert () == backend._cables("Keys")  # noqa: SLF001 - every question about connections goes through this


def test_a_server_that_calls_no_more_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is gone after a second without a period, unless the program itself was asleep."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    now_s = [100.0]
    monkeypatch.setattr("improviser.ports.jack.time.monotonic", lambda: now_s[0])
    backend = open_jack()
    client = backend._client  # noqa: SLF001 - calls back

    def answers(passed_s: float, *, calls: bool) -> bool:
        """Advance the time, with or without a period; return whether the server answers."""
        now_s[0] += passed_s
        if calls:
            client.last_frame_time = (client.last_frame_time + 128) % (1 << 32)
            client.process(128)
        return backend.answers()

    assert answers(60.0, calls=False)  # it was never called: no port is open yet
    assert all(answers(1.0, calls=True) for _ in range(5))
    assert answers(0.5, calls=False)
    assert answers(30.0, calls=False)  # the machine slept
    assert backend.is_running is False
    assert answers(1.0, calls=True)
    assert backend.is_running
    assert not answers(1.0, calls=False)
    assert backend.is_gone
    assert not answers(1.0, calls=True)


def test_another_period_is_told_and_looked_ahead_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new period is reported and used as the look-ahead from its first period on."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    backend, told = open_jack(), list[BackendNews]()
    backend.notify(told.append)
    client = backend._client  # noqa: SLF001 - as above
    assert 128 / 48_000 == pytest.approx(backend.period_s)
    for frames in (128, 1024, 1024, 64):
        client.process(frames)
        assert frames / 48_000 == pytest.approx(backend.period_s)
    assert [LookAheadChanged()] * 2 == told


def test_a_server_that_stands_still_is_not_waited_for() -> None:
    """A call to a server that hangs times out; otherwise its result or exception is passed on."""
    wake = threading.Event()
    with pytest.raises(PortError, match=r"the MIDI system \(JACK\) does not answer"):
        within(0.01, wake.wait, "JACK")
    wake.set()
    assert 7 == within(1.0, lambda: 7, "JACK")
    with pytest.raises(ZeroDivisionError):
        within(1.0, lambda: 1 // 0, "JACK")
