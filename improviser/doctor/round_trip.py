"""Measures how long a message takes from one of our outputs to one of our inputs."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from typing import TYPE_CHECKING, Final

from improviser.doctor.finding import failed, passed, warned
from improviser.doctor.midi import JACK, client_of_jack, has_virtual_ports
from improviser.errors import PortError
from improviser.ports import LOOPBACK, open_backend
from improviser.ports.advice import LATENCY
from improviser.ports.base import PROBE_PORT
from improviser.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.doctor.finding import Finding
    from improviser.doctor.midi import MidiSystem
    from improviser.ports.base import Backend, OutputPort

_NAME: Final = "round trip"
MESSAGES: Final = 50
# An undefined controller on channel 16 (MIDI 1.0, table of control changes).
_PROBE: Final = (0xBF, 119)
# Pauses grow from the first to the second value, so that messages start anywhere in an audio server's period.
_PAUSES_S: Final = (0.004, 0.009)
_PATIENCE_S: Final = 0.3
_LOOK_EVERY_S: Final = 0.01
# Maximum seconds for the whole measurement, however slow the server is.
_ALL_S: Final = 1.5
# Most people hear a delay of 10 ms between key and sound; drummers hear a shorter one.
SLOW_MS: Final = 10.0
_INSIDE: Final = "inside this program only"
_RESTART: Final = "restart the MIDI system (JACK: end jackd and start it again), then run this again"
_CALM: Final = "close other programs, and see real-time priority above"
_FASTER: Final = "use shorter periods, such as: jackd -d alsa -p 128; or "
_FASTER_PIPEWIRE: Final = f"use shorter periods: {LATENCY} pw-jack improviser jam; or "


class _Echo:
    """Records when the expected message arrives; called in the driver's thread."""

    def __init__(self) -> None:
        """Start without an expected message."""
        self._came = threading.Event()
        self._expected: tuple[int, ...] = ()
        self._at_s = 0.0

    def expect(self, data: tuple[int, ...]) -> None:
        """Set the message to wait for."""
        self._came.clear()
        self._expected = data

    def __call__(self, data: Sequence[int], _at_ns: int) -> None:
        """Record the time of the expected message."""
        if tuple(data) == self._expected:
            self._at_s = time.perf_counter()
            self._came.set()

    def wait(self, patience_s: float) -> float | None:
        """Return the time in seconds at which the message came; None if it did not come within `patience_s`."""
        return self._at_s if self._came.wait(patience_s) else None


def check_round_trip(midi: MidiSystem) -> Iterator[Finding]:
    """Measure the round trip: through the MIDI system if that has virtual ports, otherwise inside this program."""
    if midi.backend is None or not has_virtual_ports(midi.backend):
        with contextlib.closing(open_backend(LOOPBACK)) as inside:
            yield _judged(inside, _INSIDE)
        return
    yield _judged(midi.backend, f"through {midi.name}")


def _judged(backend: Backend, way: str) -> Finding:
    """Return a finding on the time that the messages took and on lost ones."""
    try:
        with contextlib.ExitStack() as stack:
            hears = backend
            if backend.name == JACK:  # a JACK client receives its own messages one period later than other clients do
                hears = stack.enter_context(contextlib.closing(client_of_jack("Probe")))
            took_s, lost = measure(backend, hears)
    except PortError as error:
        return failed(_NAME, f"{way}: {error}", _RESTART)
    if lost or not took_s:
        return failed(_NAME, f"{way}: {lost} of {lost + len(took_s)} messages did not come back", _RESTART)
    median_ms = statistics.median(took_s) * MS_PER_S
    found = f"{way}: {median_ms:.2f} ms at the median, {max(took_s) * MS_PER_S:.2f} ms at most ({len(took_s)} messages)"
    if median_ms < SLOW_MS:
        return passed(_NAME, found)
    return warned(_NAME, found, _faster(backend) + _CALM)


def _faster(backend: Backend) -> str:
    """Return the step that shortens the round trip through JACK or PipeWire; empty for other MIDI systems."""
    if backend.name != JACK:
        return ""
    return _FASTER_PIPEWIRE if "PipeWire" in backend.driver else _FASTER


def measure(backend: Backend, hears: Backend) -> tuple[list[float], int]:
    """Return the seconds that each returned message took, and the number of lost messages.

    Args:
        backend: Sends the messages.
        hears: Receives them. The same MIDI system, perhaps through another client.

    Raises:
        PortError: A port cannot be made.
    """
    echo, took_s, lost = _Echo(), [], 0
    with contextlib.ExitStack() as stack:
        before = set(backend.output_names())
        stack.callback(hears.open_virtual_input(PROBE_PORT, echo).close)
        name = _made(before, backend)
        output = backend.open_output(name, PROBE_PORT)
        stack.callback(output.close)
        _open_way(output, echo)
        until_s = time.perf_counter() + _ALL_S
        for number in range(MESSAGES):
            if time.perf_counter() > until_s:
                break
            data = (*_PROBE, number)
            echo.expect(data)
            sent_s = time.perf_counter()
            output.send(data)
            came_s = echo.wait(_PATIENCE_S)
            if came_s is None:
                lost += 1
            else:
                took_s.append(came_s - sent_s)
            time.sleep(_PAUSES_S[0] + (_PAUSES_S[1] - _PAUSES_S[0]) * number / MESSAGES)
    return took_s, lost


def _open_way(output: OutputPort, echo: _Echo) -> None:
    """Send until a message arrives: PipeWire shows a connection some periods before it carries messages."""
    data = (*_PROBE, MESSAGES)
    echo.expect(data)
    give_up_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < give_up_s:
        output.send(data)
        if echo.wait(_LOOK_EVERY_S) is not None:
            break


def _made(before: set[str], backend: Backend) -> str:
    """Return the name of the new port, which another client may see only some periods later."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while not (made := [name for name in backend.output_names() if name not in before and PROBE_PORT in name]):
        if time.monotonic() >= give_up_s:
            raise PortError(f"the new port '{PROBE_PORT}' does not appear")
        time.sleep(_LOOK_EVERY_S)
    return made[0]
