"""From the bytes of the inputs to messages that the engine may hear: understood, and not twice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiError
from improviser.midi.message import Message, SystemMessage, bytes_to_message

if TYPE_CHECKING:
    from collections.abc import Sequence

# A message that comes on two ports within this time is one: a keyboard that is both opened and patched in.
TWIN_S: Final = 0.010
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an input has received: the bytes of one message, its moment and the port; decoded, where it was."""

    data: Sequence[int]
    at_s: float
    port: str
    message: Message | None = None


class ArrivalParser:
    """Turns arrivals into messages; counts what it keeps back.

    Threads: the performer's beat only.
    """

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.bad_messages = 0
        self.twins = 0
        self._recent: deque[tuple[Arrival, Message]] = deque(maxlen=_KEPT)

    def parse(self, arrival: Arrival) -> Message | None:
        """Return the message of `arrival`, or None where it is not to be heard."""
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
        """Return whether the same message has just come on another port; each counts once."""
        for pair in self._recent:
            earlier, heard = pair
            is_near = abs(arrival.at_s - earlier.at_s) <= TWIN_S
            if is_near and earlier.port != arrival.port and heard == message:
                self._recent.remove(pair)
                return True
        return False
