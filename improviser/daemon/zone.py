"""What of all that comes in is meant for the improviser: some channels, the keys on one side of a split."""

from __future__ import annotations

from dataclasses import dataclass

from improviser.midi.message import DATA_MAX, Message, NoteOff, NoteOn, PolyAftertouch


@dataclass(frozen=True, slots=True)
class Zone:
    """Channels and a range of keys.

    Attributes:
        channels: Channels 0-15; empty: all.
        low: The lowest note 0-127.
        high: The highest note 0-127.
    """

    channels: frozenset[int] = frozenset()
    low: int = 0
    high: int = DATA_MAX

    def has(self, message: Message) -> bool:
        """Tell whether a message belongs here; pedals and wheels do on all of its channels."""
        channel = getattr(message, "channel", None)
        if self.channels and channel is not None and channel not in self.channels:
            return False
        return not isinstance(message, NoteOn | NoteOff | PolyAftertouch) or (
            self.low <= message.note <= self.high
        )
