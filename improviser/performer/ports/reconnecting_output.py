"""The output that is played on, whichever that is: another may be chosen while it plays.

A device that is unplugged, or a program that ends and starts again, may come back; our own port may not.
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
    """Another output, which can be exchanged; while there is none, what is sent goes nowhere.

    Attributes:
        is_ours: Whether the port is of our own making.

    Threads: the beat sends and exchanges; the watch parts, meets and closes.
    """

    def __init__(self, port: OutputPort, lost: Callable[[str], None], *, is_ours: bool = False) -> None:
        """Send through `port`; `lost` is called, from the beat, when another's takes no more messages."""
        self.name = port.name
        self.is_ours = is_ours
        self._ahead_s = port.ahead_s
        self._port: OutputPort | None = port
        self._own: OutputPort | None = port if is_ours else None
        self._left: deque[tuple[float, OutputPort]] = deque()
        self._lost = lost

    @property
    def ahead_s(self) -> float:
        """The port's look-ahead; the last one known while there is none."""
        port = self._port
        if port is not None:
            self._ahead_s = port.ahead_s
        return self._ahead_s

    @property
    def is_plugged(self) -> bool:
        """Whether the port, if there is one, still leads to what it was opened for."""
        port = self._port
        return port is None or port.is_plugged

    @property
    def is_away(self) -> bool:
        """Whether there is no port now."""
        return self._port is None

    def send(self, data: Sequence[int], due_s: float | None = None) -> float | None:
        """Send one message, if there is a port. Raises PortError where our own is gone."""
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
        """Send one message at once, if there is a port; one that is gone is left for the beat to find."""
        port = self._port
        if port is not None:
            port.relay(data, at_s)

    def part(self) -> None:
        """Forget a port that is gone."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def meet(self, port: OutputPort) -> None:
        """Send through `port` from now on."""
        self.name, self._port = port.name, port

    @property
    def own(self) -> OutputPort | None:
        """The port of our own making, played on or not; None where none was made."""
        return self._own

    def exchange(self, port: OutputPort, *, is_ours: bool) -> None:
        """Send through another port from now on; the one before is closed when it had time to send all."""
        before, self._port = self._port, port
        self.name, self.is_ours = port.name, is_ours
        if is_ours:
            self._own = port
        if before is not None and before is not self._own:
            self._left.append((time.monotonic(), before))

    def close_left(self, linger_s: float = 0.0) -> None:
        """Close the ports that were played on before, and left so long ago."""
        while self._left and self._left[0][0] + linger_s <= time.monotonic():
            self._left.popleft()[1].close()

    def close(self) -> None:
        """Close all ports; a second call does nothing."""
        self.part()
        self.close_left()
        if self._own is not None:
            self._own.close()
