"""The seam between improviser and MIDI drivers: a backend lists ports and opens them.

A driver is one module with one `Backend`, and a row in `ports.BACKENDS`. Driver errors never leave it: they
become `PortError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from improviser.ports.clock import Clock

VIRTUAL_INPUT: Final = "Improviser In"
VIRTUAL_OUTPUT: Final = "Improviser Out"
PLAYER_PORT: Final = "Improviser Player"
LISTENER_PORT: Final = "Improviser Listener"
SENDER_PORT: Final = "Improviser Sender"
PROBE_PORT: Final = "Improviser Probe"
# No port with one of these names is ever listened to, whatever number a driver puts behind it.
OWN_NAMES: Final = (VIRTUAL_INPUT, VIRTUAL_OUTPUT, PLAYER_PORT, LISTENER_PORT, SENDER_PORT, PROBE_PORT)

# What an input calls: the bytes of one message, and when they came, in nanoseconds of the backend's clock.
InputCallback = Callable[[Sequence[int], int], None]


@dataclass(frozen=True, slots=True)
class LookAheadChanged:
    """Outputs take messages earlier or later before their moment than they did: see OutputPort.ahead_s."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection to our input `port` is gone: what its sender held down is up."""

    port: str


BackendNews = LookAheadChanged | Disconnected


class Port(Protocol):
    """An open port."""

    @property
    def name(self) -> str:
        """The port's name as the backend lists it."""

    @property
    def is_plugged(self) -> bool:
        """Whether what it was opened for is still at its other end, as far as the driver tells."""

    def close(self) -> None:
        """Close the port; a second call does nothing."""


class InputPort(Port, Protocol):
    """An open port that calls back for each message, in the driver's thread."""

    @property
    def faults(self) -> int:
        """How many exceptions the callback has raised; they go no further."""

    def wake(self) -> None:
        """Do what keeps the driver listening, if it takes anything; about once a second, from one thread."""


class OutputPort(Port, Protocol):
    """An open port that messages are sent through."""

    @property
    def ahead_s(self) -> float:
        """Seconds before its moment by which a message has to be handed over to leave just then.

        0 where it leaves when it is sent. It may change while the port is open.
        """

    def send(self, data: Sequence[int], due_s: float | None = None) -> float | None:
        """Send the bytes of one message.

        Args:
            data: The bytes.
            due_s: When it is to leave, at most `ahead_s` from now; None: at once.

        Returns:
            The moment at which it leaves, by the backend's clock; None: it has left.

        Raises:
            PortError: The port is gone.

        Threads: one thread at a time; does not block.
        """

    def relay(self, data: Sequence[int], at_s: float, /) -> object:
        """Send the bytes of one message that came at `at_s`, as soon as may be, past what waits to be due.

        Raises:
            PortError: The port is gone.

        Threads: any, a driver's too, beside `send`; does not block.
        """


class Backend(Protocol):
    """A MIDI system: what ports there are, and how to open or make one."""

    @property
    def name(self) -> str:
        """Its name on the command line, one of ports.BACKENDS."""

    @property
    def driver(self) -> str:
        """The library that it goes through, with its version; empty where it takes none."""

    @property
    def clock(self) -> Clock:
        """The clock by which its ports work."""

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""

    def open_input(self, name: str, callback: InputCallback) -> InputPort:
        """Listen to the port `name`. Raises PortError where there is none."""

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> OutputPort:
        """Play on the port `name`, seen there as `own_name`. Raises PortError where there is none."""

    def open_virtual_input(self, name: str, callback: InputCallback) -> InputPort:
        """Make the port `name`, which other programs can play on. Raises PortError where that fails."""

    def open_virtual_output(self, name: str) -> OutputPort:
        """Make the port `name`, which other programs can listen to. Raises PortError where that fails."""

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Notify `listener` of what the driver reports, from the driver's thread; it must not block."""

    def answers(self) -> bool:
        """Return whether the MIDI system still works; asked about once a second, by one thread."""

    def close(self) -> None:
        """Return back what the backend holds; open ports stay open."""
