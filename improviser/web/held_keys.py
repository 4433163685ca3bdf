"""Tracks what is held on a page, so that it can be released when the page disconnects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    PitchBend,
    message_to_bytes,
)
from improviser.protocol import Receive

if TYPE_CHECKING:
    from collections.abc import Iterator


NOTE, CONTROL, BEND = range(3)
# Modulation wheel and pedals, which keep their value until they are released.
_LASTING: Final = frozenset({1, SUSTAIN_PEDAL, 66, 67, 69})


class HeldKeys:
    """The keys, pedals and wheels of one page that are not at rest."""

    def __init__(self, port: str) -> None:
        """Start with nothing held; the release messages come from `port`."""
        self._port = port
        self._rests: dict[tuple[int, ...], Message] = {}

    def follow(self, received: Receive) -> None:
        """Update what is held from a received message."""
        match received.message:
            case NoteOn(channel, note, _):
                self._rests[NOTE, channel, note] = NoteOff(channel, note)
            case NoteOff(channel, note):
                self._rests.pop((NOTE, channel, note), None)
            case ControlChange(channel, number, value) if number in _LASTING:
                self._set((CONTROL, channel, number), ControlChange(channel, number, 0), is_at_rest=not value)
            case PitchBend(channel, value):
                self._set((BEND, channel), PitchBend(channel, 0), is_at_rest=not value)

    def lift(self) -> Iterator[Receive]:
        """Yield the messages that release everything that is held."""
        for _, message in sorted(self._rests.items()):
            yield Receive(tuple(message_to_bytes(message)), self._port)
        self._rests.clear()

    def _set(self, key: tuple[int, ...], rest: Message, *, is_at_rest: bool) -> None:
        """Store the message that brings a control to rest, or forget it if the control is at rest."""
        if is_at_rest:
            self._rests.pop(key, None)
        else:
            self._rests[key] = rest
