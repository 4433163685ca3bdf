"""The built-in player: it plays a melody as if on a keyboard, for when there is none."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from improviser.midi.message import Message, NoteOff, NoteOn, TimedMessage
from improviser.music.meter import Meter
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from improviser.performer.demo.tunes import Tune

# A key is up for a tenth of each note, as between two notes that are not tied.
_HELD: Final = 0.9
_VELOCITY, _ACCENT = 76, 12
# A sent message comes back on the input within this time (two periods of a slow audio server, and some more).
_RETURN_S: Final = 0.1
_CHANNEL: Final = 0


class MelodyPlayer:
    """Plays a tune once or again and again.

    Threads: Only the performer's loop uses this class. It passes the time, and gets the messages that are due.
    """

    def __init__(self, tune: Tune, tempo_bpm: float, *, repeats: bool) -> None:
        """Play `tune` at `tempo_bpm`: once, or until stopped if `repeats` is true."""
        self.title = tune.title
        self._beats = tune.beats
        self._beat_s = S_PER_MINUTE / tempo_bpm
        self._repeats = repeats
        self._score = _score(tune)
        self._left: deque[tuple[float, Message]] = deque()
        self._start_s: float | None = None
        self._sounding: set[int] = set()
        self._sent: deque[tuple[float, Message]] = deque()

    @property
    def duration_s(self) -> float:
        """How long the tune lasts at the present tempo, in seconds."""
        return self._beats * self._beat_s

    @property
    def next_due_s(self) -> float | None:
        """The time at which the next message is due; None if there is none."""
        if self._start_s is None or not self._left:
            return None
        return self._s_at(self._left[0][0])

    @property
    def is_playing(self) -> bool:
        """Whether the tune has begun and has not ended."""
        return self._start_s is not None

    def start(self, at_s: float) -> None:
        """Begin the tune at `at_s`."""
        self._start_s = at_s
        self._left.extend(self._score)

    def follow(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Continue at a tempo from `at_s`, shifted so that the tune is a whole number of beats away from `beat`."""
        beat_s = S_PER_MINUTE / tempo_bpm
        if self._start_s is not None:
            place = (at_s - self._start_s) / self._beat_s
            away = beat - place
            self._start_s = at_s - (place + away - round(away)) * beat_s
        self._beat_s = beat_s

    def stop(self, at_s: float) -> list[TimedMessage]:
        """End the tune. Return the note-offs of the sounding notes."""
        self._start_s = None
        self._left.clear()
        offs: list[TimedMessage] = [TimedMessage(at_s, NoteOff(_CHANNEL, note)) for note in sorted(self._sounding)]
        self._remember(offs, at_s)
        return offs

    def pop_due(self, at_s: float) -> list[TimedMessage]:
        """Return the messages that are due at `at_s` or before. At its end, the tune starts again or stops."""
        due = []
        while (due_s := self.next_due_s) is not None and due_s <= at_s:
            _, message = self._left.popleft()
            due.append(TimedMessage(due_s, message))
            if not self._left:
                self._end_of_tune()
        self._remember(due, at_s)
        return due

    def is_own(self, message: Message, at_s: float) -> bool:
        """Return whether `message`, heard at `at_s`, was just sent by this player. Each sent message counts once."""
        while self._sent and self._sent[0][0] < at_s - _RETURN_S:
            self._sent.popleft()
        for pair in self._sent:
            if pair[1] == message:
                self._sent.remove(pair)
                return True
        return False

    def _s_at(self, beat: float) -> float:
        """Return the time of a beat of the tune, which has begun."""
        return (self._start_s or 0.0) + beat * self._beat_s

    def _end_of_tune(self) -> None:
        """Start the tune again if it repeats, or stop."""
        if self._start_s is not None and self._repeats:
            self.start(self._s_at(self._beats))
        else:
            self._start_s = None

    def _remember(self, messages: list[TimedMessage], at_s: float) -> None:
        """Record which notes sound and which messages may come back."""
        for timed in messages:
            self._sent.append((at_s, timed.message))
            if isinstance(timed.message, NoteOn):
                self._sounding.add(timed.message.note)
            elif isinstance(timed.message, NoteOff):
                self._sounding.discard(timed.message.note)


def _score(tune: Tune) -> list[tuple[float, Message]]:
    """Return the tune's messages with their beats from its start."""
    score: list[tuple[float, Message]] = []
    beat = 0.0
    bar_beats = Meter(*tune.meter).bar_beats
    for note, beats in tune.notes:
        if note is not None:
            velocity = _VELOCITY + (_ACCENT if beat % bar_beats == 0 else 0)
            score.append((beat, NoteOn(_CHANNEL, note, velocity)))
            score.append((beat + beats * _HELD, NoteOff(_CHANNEL, note)))
        beat += beats
    return score
