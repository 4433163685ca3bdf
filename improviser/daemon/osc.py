"""Steering a jam by OSC, as TouchOSC, a DAW or another program sends it, over UDP.

| address | argument | |
|---|---|---|
| /improviser/KNOB | 0 to 2 | turns any other of control.Knob: harmony, density, echo and so on |
| /improviser/tempo | 20 to 400 | sets the tempo in quarter notes a minute |
| /improviser/ACTION | none or 1 | does what control.Action names: like, dislike, undo, mute and so on |

An action's argument of 0, as a button sends it when it is let go, does nothing. What is not understood, out
of range or too much is counted, told once and ignored. Source: OSC 1.0.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from improviser.control import TEMPO_BPM, TURNS_MAX, Act, Action, Command, Knob, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX: Final = "/improviser/"
DATAGRAM_MAX: Final = 4096
# A hand turns two knobs at 100 messages a second; what is more than ten times that is a flood.
RATE_MAX: Final = 2000.0
_LOOK_EVERY_S: Final = 0.2
_KNOBS: Final = frozenset(Knob)
_ACTIONS: Final = frozenset(Action)


class OscServer:
    """Takes OSC messages on a UDP port.

    Attributes:
        ignored: How many messages were not understood, out of range or too many.

    Threads: one of its own; `obey` and `warn` are called in it.
    """

    def __init__(
        self, address: tuple[str, int], obey: Callable[[Command], None], warn: Callable[[str], None]
    ) -> None:
        """Listen on a host and port. Raises OSError where they are taken."""
        self.ignored = 0
        self._obey, self._warn = obey, warn
        self._warned: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(_LOOK_EVERY_S)
        self._has_ended = threading.Event()
        self._left, self._filled_s = RATE_MAX, time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="osc", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Listen no longer."""
        self._has_ended.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        """Take datagrams until it is closed."""
        while not self._has_ended.is_set():
            try:
                data = self._socket.recv(DATAGRAM_MAX)
            except TimeoutError:
                continue
            except OSError:  # an answer that somebody unreachable gave
                continue
            if self._is_too_much():
                self._ignore("OSC comes faster than anybody turns knobs; what is too much is ignored")
            else:
                for command in self._understood(data):
                    self._obey(command)

    def _is_too_much(self) -> bool:
        """Count a datagram; tell whether there are too many."""
        now_s = time.monotonic()
        self._left = min(RATE_MAX, self._left + (now_s - self._filled_s) * RATE_MAX) - 1
        self._filled_s = now_s
        if self._left < 0:
            self._left = 0.0
            return True
        return False

    def _understood(self, data: bytes) -> Iterator[Command]:
        """Give the commands of a datagram."""
        from pythonosc.osc_packet import OscPacket, ParseError  # noqa: PLC0415 - where OSC is wanted

        try:
            messages = [timed.message for timed in OscPacket(data).messages]
        except (ParseError, ValueError, IndexError, UnicodeDecodeError, OverflowError):
            self._ignore("OSC packets come that are broken; they are ignored")
            return
        for message in messages:
            command = self._command(message.address, list(message.params))
            if command is not None:
                yield command

    def _command(self, address: str, values: list[object]) -> Command | None:
        """Give the command of a message; None where there is none."""
        name = address.removeprefix(PREFIX)
        value = values[0] if values else None
        number = _number(value)
        if address.startswith(PREFIX) and name in _ACTIONS:
            return None if number == 0 else Act(Action(name))
        if not address.startswith(PREFIX) or name not in _KNOBS:
            self._ignore(f"there is no OSC address {address[:60]!r}; see the table in docs/controllers.md")
            return None
        low, high = TEMPO_BPM if name == Knob.TEMPO else (0.0, TURNS_MAX)
        if number is None or not low <= number <= high:
            self._ignore(f"OSC turns {name} out of its range, {low:g} to {high:g}; that is ignored")
            return None
        return Turn(Knob(name), number)

    def _ignore(self, text: str) -> None:
        """Count what is ignored, and tell of each kind once."""
        self.ignored += 1
        kind = text.split(" ")[2]
        if kind not in self._warned:
            self._warned.add(kind)
            self._warn(text)


def _number(value: object) -> float | None:
    """Give a finite number as one; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
