"""What of all that comes in is meant for the improviser: some channels, the keys on one side of a split."""

from __future__ import annotations

from dataclasses import dataclass

from improviser.midi.message import DATA_MAX, PERCUSSION_CHANNEL, Message, NoteOff, NoteOn, PolyAftertouch


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

    def is_pitched(self, message: Message) -> bool:
        """Return whether a message is none of a drum's, or channel 10 was chosen to be heard as pitches."""
        is_drum = isinstance(message, NoteOn | NoteOff | PolyAftertouch) and (
            message.channel == PERCUSSION_CHANNEL
        )
        return not is_drum or PERCUSSION_CHANNEL in self.channels

    def has(self, message: Message) -> bool:
        """Tell whether a message belongs here; pedals and wheels do on all of its channels."""
        channel = getattr(message, "channel", None)
        if self.channels and channel is not None and channel not in self.channels:
            return False
        return not isinstance(message, NoteOn | NoteOff | PolyAftertouch) or (
            self.low <= message.note <= self.high
        )
