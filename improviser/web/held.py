"""What is held on a page, so that it can be lifted when the page is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.control import Receive
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    NoteOff,
    NoteOn,
    bytes_to_message,
    message_to_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Held:
    """The keys and sustain pedals that are down on one page."""

    def __init__(self, port: str) -> None:
        """Hold nothing; what is received comes on `port`."""
        self._port = port
        self._keys: set[tuple[int, int]] = set()
        self._pedals: set[int] = set()

    def note(self, data: tuple[int, ...]) -> Receive:
        """Keep the books of a message; give it as it comes on the page's port."""
        match bytes_to_message(data):
            case NoteOn(channel, note, _):
                self._keys.add((channel, note))
            case NoteOff(channel, note):
                self._keys.discard((channel, note))
            case ControlChange(channel, number, value) if number == SUSTAIN_PEDAL:
                (self._pedals.add if value else self._pedals.discard)(channel)
        return Receive(data, self._port)

    def lift(self) -> Iterator[Receive]:
        """Give what lifts all of it."""
        for channel, note in sorted(self._keys):
            yield Receive(tuple(message_to_bytes(NoteOff(channel, note))), self._port)
        for channel in sorted(self._pedals):
            yield Receive(tuple(message_to_bytes(ControlChange(channel, SUSTAIN_PEDAL, 0))), self._port)
        self._keys.clear()
        self._pedals.clear()
