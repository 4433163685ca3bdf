"""The scheduler: it alone emits messages, and it alone knows which notes sound.

Invariant: for each (channel, note) the emitted note-offs never outnumber the note-ons, and after `release` their
numbers are equal. At one instant note-offs come before note-ons, except the note-off of a key that is struck again.
A note that would sound longer than `max_note_s` is ended.
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
    """Holds messages until they are due, and makes sure that every note ends."""

    def __init__(self, max_note_s: float) -> None:
        """Start silent; notes end after `max_note_s` seconds at the latest."""
        self._max_note_s = max_note_s
        self._queue: list[tuple[float, int, int, Message]] = []
        self._order = 0
        self._ends_s: dict[tuple[int, int], float] = {}
        self._channels: set[int] = set()

    def limit(self, max_note_s: float) -> None:
        """Set the longest duration, in seconds, of notes that are struck from now on."""
        self._max_note_s = max_note_s

    @property
    def next_due_s(self) -> float | None:
        """The moment at which the next message is due, None if there is none."""
        due_s = min([*self._ends_s.values(), *(entry[0] for entry in self._queue[:1])], default=math.inf)
        return None if due_s == math.inf else due_s

    @property
    def sounding(self) -> frozenset[tuple[int, int]]:
        """The (channel, note) pairs that sound."""
        return frozenset(self._ends_s)

    def sounds(self, channel: int, note: int) -> bool:
        """Return whether a note sounds on a channel."""
        return (channel, note) in self._ends_s

    def add(self, timed: TimedMessage) -> None:
        """Queue a message until it is due; the end of a note replaces a later end of the same note."""
        if isinstance(timed.message, NoteOff):
            self._drop_end(timed.message.channel, timed.message.note, timed.due_s)
        self._order += 1
        rank = _OFF_FIRST.get(type(timed.message), 1)
        heapq.heappush(self._queue, (timed.due_s, rank, self._order, timed.message))

    def _drop_end(self, channel: int, note: int, after_s: float) -> None:
        """Drop the queued end of a note that comes after `after_s`, unless the note is struck again before it."""
        for entry in sorted(self._queue):
            due_s, _, _, message = entry
            if due_s <= after_s or not isinstance(message, NoteOn | NoteOff):
                continue
            if (message.channel, message.note) == (channel, note):
                if isinstance(message, NoteOff):
                    self._queue.remove(entry)
                    heapq.heapify(self._queue)
                return

    def pop_due(self, at_s: float) -> list[TimedMessage]:
        """Remove and return the messages due at `at_s` or before, in order."""
        emitted: list[TimedMessage] = []
        while self._queue and self._queue[0][0] <= at_s:
            due_s, _, _, message = heapq.heappop(self._queue)
            emitted += self._ended(due_s)
            emitted += self._emit(TimedMessage(due_s, message))
        return emitted + self._ended(at_s)

    def put_back(self, messages: Iterable[TimedMessage]) -> None:
        """Record that emitted messages could not be sent: the notes that they should have ended still sound.

        Only `release` ends these notes, not the longest duration, because the sender has to wait for a port first.
        """
        for timed in messages:
            if isinstance(timed.message, NoteOff):
                self._ends_s[timed.message.channel, timed.message.note] = math.inf

    def release(self, at_s: float, *, everywhere: bool = False) -> list[TimedMessage]:
        """Drop pending messages; return the messages that end every note.

        First come the individual note-offs, because some devices ignore the controllers. Then come pedal up, all
        notes off and all sound off. They go to the channels on which something sounds; with `everywhere`, to all
        channels that were ever played on. Clock ticks stay pending.
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
        """Return what to emit for a message, and track the sounding notes; drop a note-off of a silent note."""
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
        """End a (channel, note); return its note-off, or nothing if it does not sound."""
        if key not in self._ends_s:
            return []
        del self._ends_s[key]
        return [TimedMessage(due_s, NoteOff(*key, velocity))]

    def _ended(self, at_s: float) -> list[TimedMessage]:
        """Return the note-offs of notes that have sounded too long at `at_s`."""
        over = sorted((end_s, key) for key, end_s in self._ends_s.items() if end_s <= at_s)
        return [message for end_s, key in over for message in self._end(key, end_s)]
