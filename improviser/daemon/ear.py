"""From the bytes of the inputs to messages that the engine may hear: understood, not our own, not twice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiError
from improviser.midi.message import Message, NoteOff, NoteOn, SystemMessage, bytes_to_message

if TYPE_CHECKING:
    from collections.abc import Sequence

# What we send and comes back, does so within this time (Source: design choice; a loop through a DAW takes
# two audio periods, 23 ms at 512 frames).
LOOP_S: Final = 0.030
# So many notes of ours in a row have to come back before it is a loop: one may be the player's own unison.
LOOP_PROOF: Final = 2
# A message that comes on two ports within this time is one: a keyboard that is both opened and patched in.
TWIN_S: Final = 0.010
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an input has received: the bytes of one message, its moment and the port."""

    data: Sequence[int]
    at_s: float
    port: str


class Ear:
    """Turns arrivals into messages; counts what it keeps back.

    Threads: the performer's beat only.
    """

    def __init__(self) -> None:
        """Start with nothing sent and nothing heard."""
        self.bad_messages = 0
        self.feedback = 0
        self.twins = 0
        self._sent: deque[tuple[float, Message]] = deque(maxlen=_KEPT)
        self._recent: deque[tuple[Arrival, Message]] = deque(maxlen=_KEPT)
        self._returned = 0

    def note_sent(self, message: Message, at_s: float) -> None:
        """Remember a note of ours, which may come back."""
        if isinstance(message, NoteOn | NoteOff):
            self._sent.append((at_s, message))

    def listen(self, arrival: Arrival) -> Message | None:
        """Give the message of `arrival`, or None where it is not to be heard."""
        try:
            message = bytes_to_message(arrival.data)
        except MidiError:
            self.bad_messages += 1
            return None
        if isinstance(message, SystemMessage):
            return None
        if self._is_echo(message, arrival.at_s):
            self.feedback += 1
            return None
        if self._is_twin(message, arrival):
            self.twins += 1
            return None
        self._recent.append((arrival, message))
        return message

    def _is_echo(self, message: Message, at_s: float) -> bool:
        """Tell whether a loop brings back what we sent; it has to be proven by several notes in a row."""
        if not isinstance(message, NoteOn | NoteOff):
            return False
        self._forget_sent(at_s)
        match = next((sent for sent in self._sent if sent[1] == message), None)
        if match is None:
            return False
        self._sent.remove(match)
        if isinstance(message, NoteOn):
            self._returned += 1
        return self._returned > LOOP_PROOF

    def _forget_sent(self, at_s: float) -> None:
        """Forget what did not come back in time; a note-on among it says that there is no loop."""
        while self._sent and self._sent[0][0] < at_s - LOOP_S:
            _, message = self._sent.popleft()
            if isinstance(message, NoteOn):
                self._returned = 0

    def _is_twin(self, message: Message, arrival: Arrival) -> bool:
        """Tell whether the same message has just come on another port; each counts once."""
        for pair in self._recent:
            earlier, heard = pair
            is_near = abs(arrival.at_s - earlier.at_s) <= TWIN_S
            if is_near and earlier.port != arrival.port and heard == message:
                self._recent.remove(pair)
                return True
        return False
