"""Tracks what the player holds down on each port, to release it if the port goes or note-offs are lost."""

from __future__ import annotations

from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import ENDS_NOTES, SUSTAIN_PEDAL, ControlChange, Message, NoteOff, NoteOn


class HeldNotes:
    """The keys and sustain pedals that are down.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self) -> None:
        """Create a record with nothing held."""
        self._keys: set[tuple[str, int, int]] = set()
        self._pedals: set[tuple[str, int]] = set()

    @property
    def has_keys(self) -> bool:
        """Whether a key is down on any port."""
        return bool(self._keys)

    def note(self, message: Message, port: str) -> None:
        """Record a message from a port."""
        match message:
            case NoteOn(channel, note):
                self._keys.add((port, channel, note))
            case NoteOff(channel, note):
                self._keys.discard((port, channel, note))
            case ControlChange(channel, control, value) if control == SUSTAIN_PEDAL:
                change = self._pedals.add if value >= PEDAL_DOWN else self._pedals.discard
                change((port, channel))
            case ControlChange(channel, control) if control in ENDS_NOTES:
                self._keys = {key for key in self._keys if key[:2] != (port, channel)}
            case _:
                pass

    def lifted(self, *, port: str | None = None, channel: int | None = None) -> list[tuple[Message, str]]:
        """Return the messages, with their ports, that release everything held on a port or on a channel."""

        def is_meant(held_port: str, held_channel: int) -> bool:
            """Return whether the port and the channel match."""
            return port in {None, held_port} and channel in {None, held_channel}

        lifts: list[tuple[Message, str]] = []
        for name, place, note in sorted(self._keys):
            if is_meant(name, place):
                lifts.append((NoteOff(place, note), name))
        for name, place in sorted(self._pedals):
            if is_meant(name, place):
                lifts.append((ControlChange(place, SUSTAIN_PEDAL, 0), name))
        return lifts
