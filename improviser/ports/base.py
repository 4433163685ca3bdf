"""The interface between improviser and MIDI drivers: a backend lists ports and opens them.

A driver is one module with one `Backend`, and an entry in `ports.BACKENDS`. A driver raises only `PortError`: it
translates the errors of its library.
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

# An input calls this with the bytes of one message and its arrival time in nanoseconds of the backend's clock.
InputCallback = Callable[[Sequence[int], int], None]


@dataclass(frozen=True, slots=True)
class LookAheadChanged:
    """News that `OutputPort.ahead_s` has changed, so messages must be handed over earlier or later."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """News that a connection to our input `port` has gone. Keys that its sender held down count as released."""

    port: str


BackendNews = LookAheadChanged | Disconnected


class Port(Protocol):
    """An open port."""

    @property
    def name(self) -> str:
        """The port's name as the backend lists it."""

    @property
    def is_plugged(self) -> bool:
        """Whether the port's other end, for which it was opened, is still there, as far as the driver reports it."""

    def close(self) -> None:
        """Close the port. A second call does nothing."""


class InputPort(Port, Protocol):
    """An open port that calls back for each message, in the driver's thread."""

    @property
    def faults(self) -> int:
        """How many exceptions the callback has raised. They are counted and not passed on."""

    def wake(self) -> None:
        """Do what keeps the driver listening, if it needs anything.

        Threads: One thread calls this, about once a second.
        """


class OutputPort(Port, Protocol):
    """An open port that messages are sent through."""

    @property
    def ahead_s(self) -> float:
        """How many seconds before its time a message has to be handed over to leave exactly then.

        It is 0 if a message leaves as soon as it is sent. It may change while the port is open.
        """

    def send(self, data: Sequence[int], due_s: float | None = None) -> float | None:
        """Send the bytes of one message.

        Args:
            data: The bytes.
            due_s: The time at which the message is to leave, at most `ahead_s` from now; None to send it at once.

        Returns:
            The time at which the message leaves, by the backend's clock; None if it has left.

        Raises:
            PortError: The port has gone.

        Threads: One thread at a time may call this. The call does not block.
        """

    def relay(self, data: Sequence[int], at_s: float, /) -> object:
        """Send the bytes of one message that came at `at_s` as soon as possible, ahead of scheduled messages.

        Raises:
            PortError: The port has gone.

        Threads: Any thread may call this, even a driver's, and at the same time as `send`. The call does not block.
        """


class Backend(Protocol):
    """A MIDI system: lists its ports and opens or creates them."""

    @property
    def name(self) -> str:
        """The backend's name on the command line, which is a key of ports.BACKENDS."""

    @property
    def driver(self) -> str:
        """The library that the backend uses, with its version; empty if it uses none."""

    @property
    def clock(self) -> Clock:
        """The clock that the backend's ports use."""

    def input_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be listened to."""

    def output_names(self) -> tuple[str, ...]:
        """Return the names of the ports that can be played on."""

    def open_input(self, name: str, callback: InputCallback) -> InputPort:
        """Listen to the port `name`, or raise PortError if it does not exist."""

    def open_output(self, name: str, own_name: str = SENDER_PORT) -> OutputPort:
        """Play on the port `name` from a port called `own_name`, or raise PortError if `name` does not exist."""

    def open_virtual_input(self, name: str, callback: InputCallback) -> InputPort:
        """Create the port `name`, which other programs can play on, or raise PortError if that fails."""

    def open_virtual_output(self, name: str) -> OutputPort:
        """Create the port `name`, which other programs can listen to, or raise PortError if that fails."""

    def notify(self, listener: Callable[[BackendNews], None]) -> None:
        """Notify `listener` of what the driver reports.

        Threads: The driver's thread calls `listener`, which must not block.
        """

    def answers(self) -> bool:
        """Return whether the MIDI system still works.

        Threads: One thread calls this, about once a second.
        """

    def close(self) -> None:
        """Release what the backend holds. Open ports stay open."""
