"""An output that may go and come back: a device that is unplugged, a program that ends and starts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.ports.base import OutputPort


class SteadyOutput:
    """Another output, which can be exchanged; while there is none, what is sent goes nowhere.

    Threads: the beat sends; the watch parts and meets.
    """

    def __init__(self, port: OutputPort, lost: Callable[[], None]) -> None:
        """Send through `port`; `lost` is called, from the beat, when it takes no more messages."""
        self.name = port.name
        self.ahead_s = port.ahead_s
        self._port: OutputPort | None = port
        self._lost = lost

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
        """Send one message, if there is a port."""
        port = self._port
        if port is None:
            return None
        try:
            return port.send(data, due_s)
        except PortError:
            self.part()
            self._lost()
            return None

    def relay(self, data: Sequence[int], at_s: float, /) -> None:
        """Send one message at once, if there is a port; one that is gone is left for the beat to find."""
        port = self._port
        if port is not None:
            port.relay(data, at_s)

    def part(self) -> None:
        """Let go of a port that is gone."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def meet(self, port: OutputPort) -> None:
        """Send through `port` from now on."""
        self.name, self.ahead_s, self._port = port.name, port.ahead_s, port

    def close(self) -> None:
        """Close the port; a second call does nothing."""
        self.part()
