"""What of the JACK backend needs no server: its clock, and a library or server that is missing or broken."""

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
    """A client of a server whose frames are set by hand, and that may never call."""

    samplerate, blocksize, realtime, name = 48_000, 128, True, "Improviser"

    def __init__(self, *_: object, **__: object) -> None:
        """Begin shortly before JACK's count starts anew."""
        self.frame_time = self.last_frame_time = (1 << 32) - 48_000

    def set_process_callback(self, callback: Callable[[int], None]) -> None:
        """Let the test call."""
        self.process = callback

    def set_shutdown_callback(self, _callback: object, **_: object) -> None:
        """Never call."""

    set_port_connect_callback = set_shutdown_callback

    def activate(self) -> None:
        """Be active."""

    deactivate = close = activate


class Library(ModuleType):
    """A JACK-Client without a server behind it."""

    class JackError(Exception):
        """What it raises."""

    Client = Client

    def set_error_function(self, _function: object) -> None:
        """Be quiet."""

    set_info_function = set_error_function


def test_frames_are_counted_beyond_jacks_count() -> None:
    """JACK counts modulo 2**32, a day: neither the clock nor the frames jump there."""
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
    """JACK fails to start a client's thread once in a while: it joins anew, and gives up after some times."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    monkeypatch.setattr(jack, "_STARTED_S", 0.001)
    backend = open_jack()
    monkeypatch.setattr(backend, "_names", lambda **_: ())
    with pytest.raises(PortError, match=r"does not run its clients\. Restart it"):
        backend.open_virtual_output("Out")


def test_no_server_and_no_library_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each names what to install."""

    class Refusing(Library):
        """Where no server answers."""

        def Client(self, *_: object, **__: object) -> None:  # type: ignore[override]  # noqa: N802 - a class of theirs
            """Refuse."""
            raise self.JackError("no")

    monkeypatch.setitem(sys.modules, "jack", Refusing("jack"))
    with pytest.raises(PortError, match="no JACK server answers; install jackd2"):
        open_jack()
    monkeypatch.delitem(sys.modules, "jack")
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any module
        """Fail as where libjack is missing."""
        if name == "jack":
            raise OSError("no libjack")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PortError, match="finds no JACK library \\(no libjack\\)"):
        open_jack()


def test_a_port_that_vanishes_while_it_is_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is a null pointer by then, of which JACK-Client makes a RuntimeError."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    backend = open_jack()

    def vanished(*_: object, **__: object) -> None:
        """Be as cffi is with a null pointer."""
        raise RuntimeError("cannot use string() on <cdata 'char *' NULL>")

    client = backend._client  # noqa: SLF001 - the library's
    client.get_ports = client.get_port_by_name = vanished
    with pytest.raises(PortError, match="cannot list the ports: cannot use string"):
        backend.input_names()
    assert () == backend._cables("Keys")  # noqa: SLF001 - what every question about cables goes through


def test_a_server_that_calls_no_more_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second without a period, when it was asked all the while; who was away himself waits once more."""
    monkeypatch.setitem(sys.modules, "jack", Library("jack"))
    now_s = [100.0]
    monkeypatch.setattr("improviser.ports.jack.time.monotonic", lambda: now_s[0])
    backend = open_jack()
    client = backend._client  # noqa: SLF001 - what calls back

    def answers(passed_s: float, *, calls: bool) -> bool:
        """Let time pass, with a period in it or not; return whether the server answers."""
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
    """From the first period of the new length on."""
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
    """It would hold up whoever joins it; what it raises is raised, what it returns returned."""
    wake = threading.Event()
    with pytest.raises(PortError, match=r"the MIDI system \(JACK\) does not answer"):
        within(0.01, wake.wait, "JACK")
    wake.set()
    assert 7 == within(1.0, lambda: 7, "JACK")
    with pytest.raises(ZeroDivisionError):
        within(1.0, lambda: 1 // 0, "JACK")
