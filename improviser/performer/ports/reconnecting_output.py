"""The output that the improviser plays on. It can be exchanged for another one during the music.

A device that is unplugged may come back, and so may a program that ends and starts again. Our own port does not.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from improviser.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.ports.base import OutputPort


class ReconnectingOutput:
    """An output port that can be exchanged. While there is no port, messages are dropped.

    Attributes:
        is_ours: Whether the improviser created the port.

    Threads: The performer's loop calls `send` and `exchange`. The drivers' threads call `relay` too. The hot-plug
    monitor calls `part`, `meet` and `close_left`.
    """

    def __init__(self, port: OutputPort, lost: Callable[[str], None], *, is_ours: bool = False) -> None:
        """Send through `port`. The performer's loop calls `lost` if another program's port accepts nothing more."""
        self.name = port.name
        self.is_ours = is_ours
        self._ahead_s = port.ahead_s
        self._port: OutputPort | None = port
        self._own: OutputPort | None = port if is_ours else None
        self._left: deque[tuple[float, OutputPort]] = deque()
        self._lost = lost

    @property
    def ahead_s(self) -> float:
        """The port's look-ahead in seconds; while there is no port, the last known one."""
        port = self._port
        if port is not None:
            self._ahead_s = port.ahead_s
        return self._ahead_s

    @property
    def is_plugged(self) -> bool:
        """Whether the port is still connected to what it was opened for. True if there is no port."""
        port = self._port
        return port is None or port.is_plugged

    @property
    def is_away(self) -> bool:
        """Whether there is no port now."""
        return self._port is None

    def send(self, data: Sequence[int], due_s: float | None = None) -> float | None:
        """Send one message, if there is a port. Raise PortError if our own port has gone."""
        port = self._port
        if port is None:
            return None
        try:
            return port.send(data, due_s)
        except PortError:
            if self.is_ours:
                raise
            self.part()
            self._lost(self.name)
            return None

    def relay(self, data: Sequence[int], at_s: float, /) -> None:
        """Send one message at once, if there is a port. The performer's loop notices a port that has gone."""
        port = self._port
        if port is not None:
            port.relay(data, at_s)

    def part(self) -> None:
        """Close and forget a port that has gone."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def meet(self, port: OutputPort) -> None:
        """Send through `port` from now on."""
        self.name, self._port = port.name, port

    @property
    def own(self) -> OutputPort | None:
        """The port that the improviser created, used or not; None if there is none."""
        return self._own

    def exchange(self, port: OutputPort, *, is_ours: bool) -> None:
        """Send through another port from now on. The old one is closed later, after all its messages have left."""
        before, self._port = self._port, port
        self.name, self.is_ours = port.name, is_ours
        if is_ours:
            self._own = port
        if before is not None and before is not self._own:
            self._left.append((time.monotonic(), before))

    def close_left(self, linger_s: float = 0.0) -> None:
        """Close the ports that were replaced at least `linger_s` seconds ago."""
        while self._left and self._left[0][0] + linger_s <= time.monotonic():
            self._left.popleft()[1].close()

    def close(self) -> None:
        """Close all ports. A second call does nothing."""
        self.part()
        self.close_left()
        if self._own is not None:
            self._own.close()
