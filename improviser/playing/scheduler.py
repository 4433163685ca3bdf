"""The only thing that emits, and the only one that knows what sounds.

Invariant: for each (channel, note) the note-offs given out never outnumber the note-ons, and after `release`
they are equal. At one instant offs come before ons, but for the off of a key struck again. A note that
would sound longer than `max_note_s` ends.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Final

from improviser.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    Realtime,
    TimedMessage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_OFF_FIRST: Final = {NoteOff: 0, NoteOn: 2}


class Scheduler:
    """Holds messages until they are due, and lets no note hang."""

    def __init__(self, max_note_s: float) -> None:
        """Start silent; a note is ended after `max_note_s` seconds at the latest."""
        self._max_note_s = max_note_s
        self._queue: list[tuple[float, int, int, Message]] = []
        self._order = 0
        self._ends_s: dict[tuple[int, int], float] = {}
        self._channels: set[int] = set()

    def limit(self, max_note_s: float) -> None:
        """End notes that are struck from now on after `max_note_s` seconds at the latest."""
        self._max_note_s = max_note_s

    @property
    def next_due_s(self) -> float | None:
        """The moment at which something is due next, None when nothing is."""
        due_s = min([*self._ends_s.values(), *(entry[0] for entry in self._queue[:1])], default=math.inf)
        return None if due_s == math.inf else due_s

    @property
    def sounding(self) -> frozenset[tuple[int, int]]:
        """The (channel, note) pairs that sound."""
        return frozenset(self._ends_s)

    def sounds(self, channel: int, note: int) -> bool:
        """Return whether a note sounds."""
        return (channel, note) in self._ends_s

    def add(self, timed: TimedMessage) -> None:
        """Process a message for its moment."""
        self._order += 1
        rank = _OFF_FIRST.get(type(timed.message), 1)
        heapq.heappush(self._queue, (timed.due_s, rank, self._order, timed.message))

    def pop_due(self, at_s: float) -> list[TimedMessage]:
        """Return what is due at `at_s` or before, in order."""
        emitted: list[TimedMessage] = []
        while self._queue and self._queue[0][0] <= at_s:
            due_s, _, _, message = heapq.heappop(self._queue)
            emitted += self._ended(due_s)
            emitted += self._emit(TimedMessage(due_s, message))
        return emitted + self._ended(at_s)

    def put_back(self, messages: Iterable[TimedMessage]) -> None:
        """Know that messages that were given out could not be sent: what they should have ended sounds on.

        It is ended by `release`, not after its longest duration: who could not send it then waits for a port.
        """
        for timed in messages:
            if isinstance(timed.message, NoteOff):
                self._ends_s[timed.message.channel, timed.message.note] = math.inf

    def release(self, at_s: float, *, everywhere: bool = False) -> list[TimedMessage]:
        """Drop what is pending and end all that sounds; then pedal up, all notes and all sound off.

        The individual note-offs come first, since some devices ignore the controllers, which go to the
        channels on which something sounds; `everywhere`: to all that were ever played on. A clock's ticks
        stay.
        """
        self._queue = [entry for entry in self._queue if isinstance(entry[-1], Realtime)]
        heapq.heapify(self._queue)
        offs: list[Message] = [NoteOff(*key) for key in sorted(self._ends_s)]
        channels = self._channels if everywhere else {channel for channel, _ in self._ends_s}
        for channel in sorted(channels):
            controls = (SUSTAIN_PEDAL, ALL_NOTES_OFF, ALL_SOUND_OFF)
            offs += [ControlChange(channel, control, 0) for control in controls]
        self._ends_s.clear()
        return [TimedMessage(at_s, message) for message in offs]

    def _emit(self, timed: TimedMessage) -> list[TimedMessage]:
        """Count a message that goes out; an off for what is silent does not."""
        match timed.message:
            case NoteOn(channel, note):
                before = self._end((channel, note), timed.due_s)
                self._channels.add(channel)
                self._ends_s[channel, note] = timed.due_s + self._max_note_s
                return [*before, timed]
            case NoteOff(channel, note):
                return self._end((channel, note), timed.due_s, timed.message.velocity)
            case _:
                return [timed]

    def _end(self, key: tuple[int, int], due_s: float, velocity: int = 0) -> list[TimedMessage]:
        """Return the note-off of a (channel, note) if it sounds."""
        if key not in self._ends_s:
            return []
        del self._ends_s[key]
        return [TimedMessage(due_s, NoteOff(*key, velocity))]

    def _ended(self, at_s: float) -> list[TimedMessage]:
        """Return the note-offs of what has sounded too long at `at_s`."""
        over = sorted((end_s, key) for key, end_s in self._ends_s.items() if end_s <= at_s)
        return [message for end_s, key in over for message in self._end(key, end_s)]
