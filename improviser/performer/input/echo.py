"""Recognises our own output that comes back: by a DAW's monitoring, a thru box or a cable from out to in.

A loop is proven for each port by note-ons that come back one after another. One note-on is not enough, because it may
be the player's unison. Exact copies soon prove a loop. Copies on another channel, in another octave or at another
velocity must be more in number, and all moved alike. A note-on that does not come back shows that there is no loop.
After a loop is proven, everything that comes back is dropped, including controls and programs.

Messages that are passed on from an input (thru) are the player's, who repeats notes and controls quickly. So these
rules hold until a loop is proven:

- A copy that changes nothing is dropped: a key that is down cannot go down. A key that goes down twice counts as a note
  that came back.
- A key that comes on two inputs at once sounds once.
- A control that changes something passes, unless it has come back many times with the same delay.
- A note-off whose key is down always passes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A message comes back within this time plus two look-aheads of the output: a loop through a DAW takes two audio
# periods, which is 23 ms at 512 frames.
LOOP_S: Final = 0.030
# Points for one of our note-ons that comes back unchanged, moved, or with another velocity. The more likely it is that
# a player in unison has played the note, the more notes are needed.
EXACT: Final = 8
MOVED: Final = 4
REVALUED: Final = 2
# More points than PROOF prove a loop. More points than CERTAINTY show that the port is not a player's.
PROOF: Final = 16
CERTAINTY: Final = 48
OCTAVE: Final = 12
# A control circulates in a loop if it has come back this often, each time with the same delay. Two alternating values
# may come from a trembling wheel, so they need many more returns, which takes seconds.
ROUNDS: Final = 12
ROUNDS_OF_TWO: Final = 1000
_SAME_DELAY_S: Final = 0.002
# How many messages and note-ons are kept: one second of the fastest MPE control, and of notes.
_KEPT: Final = 256
_NOTES: Final = 64
_LATELY: Final = 16
_TWO: Final = 2
# Sent messages are stored in this many groups by number and value, so that a lookup is short.
_PARTS: Final = 64
# Two ways to determine the same time differ by less than this.
_SLACK_S: Final = 0.005
# A message may leave this much later than one that was handed over after it.
_OUT_OF_ORDER_S: Final = 0.25
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM, _SYSTEM = 0x8, 0x9, 0xB, 0xC, 0xF


@dataclass(frozen=True, slots=True)
class LoopHeard:
    """Our own output comes back on a port. If `is_certain` is true, the port is certainly not a player's."""

    port: str
    is_certain: bool


@dataclass(frozen=True, slots=True)
class _Event:
    """A channel message: kind 0x8-0xE, channel 0-15, number (note, control, program) and value 0-127."""

    kind: int
    channel: int
    number: int
    value: int


@dataclass(slots=True)
class _Sent:
    """A message that was sent.

    Attributes:
        event: The message.
        at_s: The time at which it leaves.
        origin: The port that it was passed on from; None for our own.
        rounds: How often it had come back before.
        delay_s: Its delay the last time that it came back.
        returned: The ports on which it has come back.
    """

    event: _Event
    at_s: float
    origin: str | None
    rounds: int = 0
    delay_s: float = 0.0
    returned: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Move:
    """How a loop changes a note: by how many channels and semitones, and whether the velocity stays."""

    channels: int
    semitones: int
    keeps_velocity: bool

    @property
    def points(self) -> int:
        """The points for one note that comes back like this."""
        if not self.keeps_velocity:
            return REVALUED
        return MOVED if self.channels or self.semitones else EXACT

    def is_like(self, other: _Move) -> bool:
        """Return whether both moves lead to the same channel and octave."""
        return (self.channels, self.semitones) == (other.channels, other.semitones)

    def may_be(self, loops: _Move) -> bool:
        """Return whether a note that moved like this may have gone through a loop that moves notes like `loops`."""
        return self.is_like(loops) and (self.keeps_velocity or not loops.keeps_velocity)


_NO_MOVE: Final = _Move(0, 0, keeps_velocity=True)


@dataclass(slots=True)
class _Port:
    """What is known of an input.

    Attributes:
        points: The points that prove a loop on this port.
        move: How the loop changes notes.
        looked_s: Note-ons sent up to this time were checked for their return.
        told: What was reported: 0 nothing, 1 a proven loop, 2 a certain loop.
        states: The last value of each key (0: up), control, wheel and program that was let through.
        rounds: How often the last message had come back, and its delay in seconds.
        lately: The last controls that came back, with their times.
    """

    points: int = 0
    move: _Move = _NO_MOVE
    looked_s: float = 0.0
    told: int = 0
    states: dict[tuple[int, int, int], int] = field(default_factory=dict)
    rounds: tuple[int, float] = (0, 0.0)
    lately: deque[tuple[float, _Event]] = field(default_factory=lambda: deque(maxlen=_LATELY))

    @property
    def is_proven(self) -> bool:
        """Whether a loop is proven."""
        return self.points > PROOF

    def count_round(self, event: _Event, sent: _Sent, at_s: float, window_s: float) -> bool:
        """Count the return of a control that was passed on. Return whether it circulates in a loop."""
        delay_s = at_s - sent.at_s
        is_as_late = not sent.rounds or abs(delay_s - sent.delay_s) < _SAME_DELAY_S
        self.rounds = (sent.rounds + 1 if is_as_late else 1), delay_s
        self.lately.append((at_s, event))
        others = {other for then_s, other in self.lately if then_s > at_s - window_s and other.kind == event.kind}
        return self.rounds[0] > (ROUNDS if len(others) > _TWO else ROUNDS_OF_TWO)


class EchoFilter:
    """Distinguishes our own output from what a player does.

    Threads: The performer's loop and the drivers' threads call `note_sent`. The drivers' threads call `is_echo`, each
    port from one thread. Neither method blocks.
    """

    def __init__(self, tell: Callable[[LoopHeard], None], look_ahead_s: Callable[[], float]) -> None:
        """Create a filter with nothing sent.

        Args:
            tell: Called with each loop that is found.
            look_ahead_s: Returns the output's look-ahead in seconds.
        """
        self.count = 0
        self._tell, self._look_ahead_s = tell, look_ahead_s
        self._sent: dict[tuple[int, int], deque[_Sent]] = {}
        self._notes: deque[_Sent] = deque(maxlen=_NOTES)
        self._ports: dict[str, _Port] = {}

    def note_sent(self, data: Sequence[int], at_s: float, origin: str | None = None) -> None:
        """Remember a message that leaves at `at_s`: our own, or one that is passed on from the port `origin`."""
        event = _event(data)
        if event is not None:
            known = None if origin is None else self._ports.get(origin)
            sent = _Sent(event, at_s, origin, *((0, 0.0) if known is None else known.rounds))
            self._sent.setdefault(_likeness(event), deque(maxlen=_KEPT)).append(sent)
            if event.kind == _NOTE_ON:
                self._notes.append(sent)

    def is_echo(self, data: Sequence[int], at_s: float, port: str) -> bool:
        """Return whether a message that came at `at_s` is a sent message that has come back."""
        event = _event(data)
        if event is None:
            return False
        known = self._ports.setdefault(port, _Port())
        window_s = LOOP_S + 2 * self._look_ahead_s()
        self._look_for_missed(known, port, at_s - window_s)
        known.rounds = 0, 0.0
        is_echo = self._has_come_back(event, at_s, window_s, port, known)
        if is_echo:
            self.count += 1
        else:
            known.states[_key(event)] = _state(event)
        return is_echo

    def _has_come_back(self, event: _Event, at_s: float, window_s: float, port: str, known: _Port) -> bool:
        """Compare a message with the sent ones. Return whether it has come back and is to be dropped."""
        found = self._found(event, at_s, window_s, port, known)
        if found is None:
            return False
        sent, move = found
        sent.returned.add(port)
        key_state = known.states.get(_key(event))
        changes_nothing = key_state == _state(event)
        is_elsewhere = sent.origin not in {None, port}
        if event.kind == _NOTE_ON and sent.origin is None and move != known.move and not known.is_proven:
            known.points, known.move = 0, move
        if event.kind == _NOTE_ON and (sent.origin is None or changes_nothing or is_elsewhere):
            self._weigh(move.points, port, known)
        if event.kind == _NOTE_OFF and key_state:
            return False
        if known.is_proven or sent.origin is None:
            return known.is_proven
        if event.kind in {_NOTE_ON, _NOTE_OFF}:
            return changes_nothing or is_elsewhere
        return known.count_round(event, sent, at_s, window_s) or changes_nothing

    def _found(
        self, event: _Event, at_s: float, window_s: float, port: str, known: _Port
    ) -> tuple[_Sent, _Move] | None:
        """Return the best match among the sent messages, and its move.

        A match that is moved as the loop moves notes is the best, then an unmoved match, then any other. A note-on of
        our pitch that a proven loop would return differently is no match: on that port another plays in unison.
        """
        best: tuple[_Sent, _Move] | None = None
        best_rank = 3
        for sent in self._recent(event, at_s, window_s):
            move = None if port in sent.returned else _move(sent.event, event)
            is_ours_on = event.kind == _NOTE_ON and sent.origin is None
            if move is None or (is_ours_on and known.is_proven and not move.may_be(known.move)):
                continue
            rank = 0 if move.is_like(known.move) else 1 if move == _NO_MOVE else 2
            is_ours_moved = is_ours_on or (sent.origin is None and rank == 0)
            is_loops = rank == 0 and known.is_proven
            is_copy = move == _NO_MOVE or is_ours_moved or is_loops
            if is_copy and rank <= best_rank:  # among equal ranks, the message that was sent first wins
                best, best_rank = (sent, move), rank
        return best

    def _weigh(self, points: int, port: str, known: _Port) -> None:
        """Add points for a note-on that came back. Report a loop when it is proven, and again when it is certain."""
        known.points += points
        for level, threshold in ((1, PROOF), (2, CERTAINTY)):
            if known.points > threshold and known.told < level:
                known.told = level
                self._tell(LoopHeard(port, is_certain=level == 2))  # noqa: PLR2004 - the second level

    def _look_for_missed(self, known: _Port, port: str, until_s: float) -> None:
        """Reset the points if a note-on did not come back in time.

        A note-on that was passed on counts only if the loop does not move notes. Otherwise its return cannot be
        recognised.
        """
        since_s, known.looked_s = known.looked_s, until_s
        for sent in tuple(self._notes):
            is_missed = since_s <= sent.at_s < until_s and port not in sent.returned
            if is_missed and (sent.origin is None or known.move == _NO_MOVE):
                known.points = 0

    def _recent(self, event: _Event, at_s: float, window_s: float) -> Iterator[_Sent]:
        """Yield the messages sent within the window before `at_s` that may match `event`, the newest first."""
        for sent in reversed(tuple(self._sent.get(_likeness(event), ()))):
            if sent.at_s < at_s - window_s - _OUT_OF_ORDER_S:
                return
            if at_s - window_s <= sent.at_s <= at_s + _SLACK_S:
                yield sent


def _event(data: Sequence[int]) -> _Event | None:
    """Return the channel message in `data`, or None. A note-on with velocity 0 becomes a note-off."""
    if not data or not 0x80 <= data[0] < 0xF0:  # noqa: PLR2004 - the range of status bytes
        return None
    kind, channel = divmod(data[0], 16)
    number = data[1] if len(data) > 1 else 0
    value = data[2] if len(data) > 2 else 0  # noqa: PLR2004 - the third byte
    if kind == _NOTE_ON and not value:
        kind = _NOTE_OFF
    return _Event(kind, channel, number, 0 if kind == _NOTE_OFF else value)


def _likeness(event: _Event) -> tuple[int, int]:
    """Return a key that is the same for all possible copies of an event. For notes it holds the pitch class."""
    if event.kind in {_NOTE_ON, _NOTE_OFF}:
        return event.kind, event.number % OCTAVE
    return event.kind, (event.number + event.value) % _PARTS


def _move(sent: _Event, came: _Event) -> _Move | None:
    """Return how `came` differs from `sent`, which has the same likeness, or None if it is not a copy."""
    channels, numbers = came.channel - sent.channel, came.number - sent.number
    if came.kind in {_NOTE_ON, _NOTE_OFF}:
        return _Move(channels, numbers, came.value == sent.value)
    is_same = (came.number, came.value) == (sent.number, sent.value)
    return _Move(channels, 0, keeps_velocity=True) if is_same else None


def _key(event: _Event) -> tuple[int, int, int]:
    """Return what an event changes: a key, its pressure, a control, or a channel's wheel or program."""
    kind = _NOTE_ON if event.kind == _NOTE_OFF else event.kind
    has_number = kind in {_NOTE_ON, 0xA, _CONTROL}
    return kind, event.channel, event.number if has_number else 0


def _state(event: _Event) -> int:
    """Return the value that an event sets; for a wheel it combines both data bytes."""
    if event.kind in {_NOTE_OFF, _NOTE_ON, 0xA, _CONTROL}:
        return event.value
    return event.value * 128 + event.number
