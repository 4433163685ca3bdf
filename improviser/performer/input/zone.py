"""Selects which of the received messages are for the improviser: some channels, or one side of a keyboard split."""

from __future__ import annotations

from dataclasses import dataclass

from improviser.midi.message import DATA_MAX, PERCUSSION_CHANNEL, Message, NoteOff, NoteOn, PolyAftertouch


@dataclass(frozen=True, slots=True)
class Zone:
    """Channels and a range of keys.

    Attributes:
        channels: Channels 0-15; empty for all channels.
        low: The lowest note, 0-127.
        high: The highest note, 0-127.
    """

    channels: frozenset[int] = frozenset()
    low: int = 0
    high: int = DATA_MAX

    def has(self, message: Message) -> bool:
        """Return whether a message belongs to the zone.

        Pedals and wheels belong to it on all of its channels. Drums on channel 10 belong to it only if the channel was
        chosen.
        """
        channel = getattr(message, "channel", None)
        if self.channels and channel is not None and channel not in self.channels:
            return False
        if not isinstance(message, NoteOn | NoteOff | PolyAftertouch):
            return True
        is_drum = channel == PERCUSSION_CHANNEL and not self.channels
        return self.low <= message.note <= self.high and not is_drum
