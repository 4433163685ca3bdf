"""Lets TouchOSC, a DAW or another program steer a jam by OSC over UDP.

| address | argument | effect |
|---|---|---|
| /improviser/KNOB | 0 to 2 | turns any other knob of protocol.Knob: harmony, density, echo and so on |
| /improviser/tempo | 20 to 400 | sets the tempo in quarter notes a minute |
| /improviser/mode | a name of choices.PlayMode, such as "trade-4" | chooses when improviser plays |
| /improviser/ACTION | none or 1 | does what protocol.Action names: like, dislike, undo, mute and so on |

An action with the argument 0 does nothing: a button sends 0 when it is released. Messages that are not understood, out
of range or above the rate limit are ignored. They are counted, and each kind is reported once. Source: OSC 1.0.
"""

from __future__ import annotations

import logging
import math
import socket
import threading
from typing import TYPE_CHECKING, Final

from improviser.choices import PlayMode
from improviser.protocol import Act, Action, Command, Knob, SetMode, Turn
from improviser.protocol.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFIX: Final = "/improviser/"
DATAGRAM_MAX: Final = 4096
# Two knobs turned by hand send 100 messages a second each. Ten times as many are a flood.
RATE_MAX: Final = 2000.0
_LOOK_EVERY_S: Final = 0.2
_PATIENCE_S: Final = 2.0
# A bundle starts with its name and a time tag. Each element has its size before it. Bundles nest at most 4 deep.
_BUNDLE: Final = b"#bundle\0"
_HEAD, _SIZE, _DEPTH_MAX = 16, 4, 4
_MODE: Final = f"{PREFIX}mode"
_KNOBS: Final = frozenset(Knob)
_ACTIONS: Final = frozenset(Action)


class OscServer:
    """Receives OSC messages on a UDP port.

    Threads: The server has a thread of its own, and calls `obey`, `warn` and `ignored` in it.
    """

    def __init__(
        self,
        address: tuple[str, int],
        obey: Callable[[Command], None],
        warn: Callable[[str], None],
        ignored: Callable[[], None],
    ) -> None:
        """Listen on a host and port.

        Args:
            address: Host and port.
            obey: Takes each command.
            warn: Takes a warning, once for each kind of mistake.
            ignored: Called for each message that is not understood, out of range or too much.

        Raises:
            OSError: The port is taken.
        """
        # python-osc logs a warning for each type that it does not know. Here such messages are counted.
        logging.getLogger().addHandler(logging.NullHandler())
        self._obey, self._warn, self._ignored = obey, warn, ignored
        self._warned: set[str] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(_LOOK_EVERY_S)
        self._has_ended = threading.Event()
        self._rate = RateLimit(RATE_MAX)
        self._thread = threading.Thread(target=self._serve, name="osc", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening and close the socket."""
        self._has_ended.set()
        self._thread.join(_PATIENCE_S)
        self._socket.close()

    def _serve(self) -> None:
        """Process datagrams until the server is closed."""
        while not self._has_ended.is_set():
            try:
                data = self._socket.recv(DATAGRAM_MAX)
            except TimeoutError:
                continue
            except OSError:  # the system reports that a peer is unreachable
                continue
            for command in self._understood(data):
                self._obey(command)

    def _understood(self, data: bytes) -> Iterator[Command]:
        """Return the commands in a datagram."""
        from pythonosc.osc_message import OscMessage, ParseError  # noqa: PLC0415 - needed only if OSC is used

        try:
            messages = [OscMessage(each) for each in _messages(data)]
        except (ParseError, ValueError, IndexError, OverflowError):
            self._ignore("broken", "broken OSC packets are ignored")
            return
        for message in messages:
            if not self._rate.allows():
                self._ignore("fast", "OSC comes faster than anybody turns knobs; what is too much is ignored")
                return
            command = self._command(message.address, list(message.params))
            if command is not None:
                yield command

    def _command(self, address: str, values: list[object]) -> Command | None:
        """Return the command of a message, or None if it has none."""
        name = address.removeprefix(PREFIX)
        if address.startswith(PREFIX) and name in _ACTIONS:
            return self._act(Action(name), values)
        if address.startswith(PREFIX) and name in _KNOBS:
            return self._turn(Knob(name), values)
        if address == _MODE:
            return self._set_mode(values)
        self._ignore("address", f"there is no OSC address {address[:60]!r}; see the table in docs/controllers.md")
        return None

    def _act(self, action: Action, values: list[object]) -> Command | None:
        """Return an action's command, or None if a button is released or the value is not a number."""
        value = values[0] if values else True
        if not isinstance(value, bool) and _number(value) is None:
            self._ignore(action, f"OSC {action} has a value that is not a number; ignored")
            return None
        return Act(action) if value else None

    def _turn(self, knob: Knob, values: list[object]) -> Command | None:
        """Return a knob's command, or None if the value is missing, not a number or out of range."""
        number = _number(values[0]) if values else None
        try:
            return Turn(knob, math.nan if number is None else number)
        except ValueError as error:
            self._ignore(knob, f"OSC turns {knob} out of its range: {error}; that is ignored")
            return None

    def _set_mode(self, values: list[object]) -> Command | None:
        """Return the command of a mode, or None if there is none of this name."""
        try:
            return SetMode(PlayMode(str(*values[:1])))
        except ValueError:
            self._ignore("mode", f"the OSC address {_MODE} takes one of {', '.join(PlayMode)}; that is ignored")
            return None

    def _ignore(self, kind: str, text: str) -> None:
        """Count an ignored message, and warn once for each kind."""
        self._ignored()
        if kind not in self._warned:
            self._warned.add(kind)
            self._warn(text)


def _messages(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """Return the messages of a datagram; those of bundles come in order.

    This function replaces python-osc's bundles, because a negative size makes those loop for ever.

    Raises:
        ValueError: The datagram is broken.
    """
    if not data.startswith(_BUNDLE):
        yield data
        return
    place = _HEAD
    if depth == _DEPTH_MAX or len(data) < _HEAD:
        raise ValueError("a bundle that is cut off, or too deep")
    while place < len(data):
        size = int.from_bytes(data[place : place + _SIZE], "big", signed=True)
        place += _SIZE
        if size <= 0 or size % _SIZE or place + size > len(data):
            raise ValueError("a bundle whose element has no such size")
        yield from _messages(data[place : place + size], depth + 1)
        place += size


def _number(value: object) -> float | None:
    """Return a finite number as a float, or None for any other value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
