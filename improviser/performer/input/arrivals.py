"""Turns the bytes of the inputs into messages for the engine. Invalid messages and duplicates are dropped."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiError
from improviser.midi.message import Message, SystemMessage, bytes_to_message

if TYPE_CHECKING:
    from collections.abc import Sequence

# A message that comes on two ports within this time is one message: the keyboard is opened and connected as well.
TWIN_S: Final = 0.010
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that an input has received: its bytes, time and port, and the decoded message if there is one."""

    data: Sequence[int]
    at_s: float
    port: str
    message: Message | None = None


class ArrivalParser:
    """Turns arrivals into messages, and counts those that it drops.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self) -> None:
        """Create a parser that has heard nothing yet."""
        self.bad_messages = 0
        self.twins = 0
        self._recent: deque[tuple[Arrival, Message]] = deque(maxlen=_KEPT)

    def parse(self, arrival: Arrival) -> Message | None:
        """Return the message of `arrival`, or None if it is not for the engine."""
        try:
            message = arrival.message or bytes_to_message(arrival.data)
        except MidiError:
            self.bad_messages += 1
            return None
        if isinstance(message, SystemMessage):
            return None
        if self._is_twin(message, arrival):
            self.twins += 1
            return None
        self._recent.append((arrival, message))
        return message

    def _is_twin(self, message: Message, arrival: Arrival) -> bool:
        """Return whether the same message has just come on another port. Each message has one duplicate at most."""
        for pair in self._recent:
            earlier, heard = pair
            is_near = abs(arrival.at_s - earlier.at_s) <= TWIN_S
            if is_near and earlier.port != arrival.port and heard == message:
                self._recent.remove(pair)
                return True
        return False
