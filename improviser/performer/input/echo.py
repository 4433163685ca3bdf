"""Recognising our own output where it comes back: a DAW's monitoring, a thru box, a cable from out to in.

A loop is proven port by port, by note-ons that come back one after another, since one of them may be the
player's unison. Exact copies prove it soon; copies on another channel, in another octave or at another
velocity take more of them, all moved alike. A note-on that does not come back says that there is no
loop. Once it is proven, all that comes back is dropped, controls and programs too.

What is passed on from an input (thru) is the player's, who repeats notes and controls quickly. So, until a
loop is proven:

- A copy that changes nothing is dropped: a key that is down cannot go down. A key that goes down twice counts
  as a note that came back.
- A key that comes on two inputs at once sounds once.
- A control that changes something passes, unless it has come round many times, each time as late.
- A note-off whose key is down passes, always.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# What comes back does so within this time and two look-aheads of the output: a loop through a DAW takes two
# audio periods, 23 ms at 512 frames.
LOOP_S: Final = 0.030
# Points for a note-on of ours that comes back as it was, moved, or with another velocity: the likelier it is
# that a player in unison with us has played it, the more of them it takes.
EXACT: Final = 8
MOVED: Final = 4
REVALUED: Final = 2
# With more points than these a loop is proven; with so many the port is no player's.
PROOF: Final = 16
CERTAINTY: Final = 48
OCTAVE: Final = 12
# A control goes round in a cable after so many returns, each as late as the one before. Two values that take
# turns may be a wheel that trembles, so they take many more: seconds of it.
ROUNDS: Final = 12
ROUNDS_OF_TWO: Final = 1000
_SAME_DELAY_S: Final = 0.002
# A second of the fastest control of a keyboard in MPE, and of notes.
_KEPT: Final = 256
_NOTES: Final = 64
_LATELY: Final = 16
_TWO: Final = 2
# What is sent is looked up among so many parts of it, by number and value.
_PARTS: Final = 64
# Two ways to the same moment differ by less.
_SLACK_S: Final = 0.005
# What is handed over may leave so much later than what was handed over after it.
_OUT_OF_ORDER_S: Final = 0.25
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM, _SYSTEM = 0x8, 0x9, 0xB, 0xC, 0xF


@dataclass(frozen=True, slots=True)
class LoopHeard:
    """Our own output comes back on a port: beyond doubt where `is_certain`, so that it is no player's."""

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
    """What left.

    Attributes:
        event: The message.
        at_s: Its moment.
        origin: The port that it was passed on from; None for our own.
        rounds: How often it had come round before.
        delay_s: How late it had come the last time.
        returned: Where it came back.
    """

    event: _Event
    at_s: float
    origin: str | None
    rounds: int = 0
    delay_s: float = 0.0
    returned: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Move:
    """What a loop does to a note: by so many channels and semitones, with its velocity or another."""

    channels: int
    semitones: int
    keeps_velocity: bool

    @property
    def points(self) -> int:
        """How much one note that comes back like this proves."""
        if not self.keeps_velocity:
            return REVALUED
        return MOVED if self.channels or self.semitones else EXACT

    def is_like(self, other: _Move) -> bool:
        """Return whether both lead to the same channel and octave."""
        return (self.channels, self.semitones) == (other.channels, other.semitones)


_NO_MOVE: Final = _Move(0, 0, keeps_velocity=True)


@dataclass(slots=True)
class _Port:
    """What is known of an input.

    Attributes:
        points: How far a loop is proven there.
        move: What the loop does to notes.
        looked_s: The note-ons that were sent up to this moment were looked for.
        states: The last value let through of each key (0: up), control, wheel and program.
        rounds: How often the last message had come round, and how late it came.
        lately: The last controls that came round, and when.
    """

    points: int = 0
    move: _Move = _NO_MOVE
    looked_s: float = 0.0
    told: int = 0
    states: dict[tuple[int, int, int], int] = field(default_factory=dict)
    rounds: tuple[int, float] = (0, 0.0)
    lately: deque[tuple[float, _Event]] = field(default_factory=lambda: deque(maxlen=_LATELY))

    def count_round(self, event: _Event, sent: _Sent, at_s: float, window_s: float) -> bool:
        """Count the return of a control that was passed on; return whether it goes round in a cable."""
        delay_s = at_s - sent.at_s
        is_as_late = not sent.rounds or abs(delay_s - sent.delay_s) < _SAME_DELAY_S
        self.rounds = (sent.rounds + 1 if is_as_late else 1), delay_s
        self.lately.append((at_s, event))
        others = {other for then_s, other in self.lately if then_s > at_s - window_s and other.kind == event.kind}
        return self.rounds[0] > (ROUNDS if len(others) > _TWO else ROUNDS_OF_TWO)


class EchoFilter:
    """Tells our own output from what a player does.

    Threads: `note_sent` is the performer's and the drivers', `is_echo` the drivers', each port in one thread.
    Neither blocks.
    """

    def __init__(self, tell: Callable[[LoopHeard], None], look_ahead_s: Callable[[], float]) -> None:
        """Start with nothing sent; `tell` hears of loops, `look_ahead_s` returns the output's look-ahead."""
        self.count = 0
        self._tell, self._look_ahead_s = tell, look_ahead_s
        self._sent: dict[tuple[int, int], deque[_Sent]] = {}
        self._notes: deque[_Sent] = deque(maxlen=_NOTES)
        self._ports: dict[str, _Port] = {}

    def note_sent(self, data: Sequence[int], at_s: float, origin: str | None = None) -> None:
        """Remember what leaves at `at_s`: our own, or what is passed on from the port `origin`."""
        event = _event(data)
        if event is not None:
            known = None if origin is None else self._ports.get(origin)
            sent = _Sent(event, at_s, origin, *((0, 0.0) if known is None else known.rounds))
            self._sent.setdefault(_likeness(event), deque(maxlen=_KEPT)).append(sent)
            if event.kind == _NOTE_ON:
                self._notes.append(sent)

    def is_echo(self, data: Sequence[int], at_s: float, port: str) -> bool:
        """Return whether a message that came at `at_s` is what was sent, come back."""
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
        """Weigh a message against what was sent."""
        found = self._found(event, at_s, window_s, port, known)
        if found is None:
            return False
        sent, move = found
        sent.returned.add(port)
        key_state = known.states.get(_key(event))
        changes_nothing = key_state == _state(event)
        is_elsewhere = sent.origin not in {None, port}
        if event.kind == _NOTE_ON and sent.origin is None and move != known.move:
            known.points, known.move = 0, move
        if event.kind == _NOTE_ON and (sent.origin is None or changes_nothing or is_elsewhere):
            self._weigh(move.points, port, known)
        if event.kind == _NOTE_OFF and key_state:
            return False
        if known.points > PROOF or sent.origin is None:
            return known.points > PROOF
        if event.kind in {_NOTE_ON, _NOTE_OFF}:
            return changes_nothing or is_elsewhere
        return known.count_round(event, sent, at_s, window_s) or changes_nothing

    def _found(
        self, event: _Event, at_s: float, window_s: float, port: str, known: _Port
    ) -> tuple[_Sent, _Move] | None:
        """Return what a message is likest to, and how it is moved: as the loop moves, not at all, or anew."""
        best: tuple[_Sent, _Move] | None = None
        best_rank = 3
        for sent in self._recent(event, at_s, window_s):
            move = None if port in sent.returned else _move(sent.event, event)
            if move is None:
                continue
            rank = 0 if move.is_like(known.move) else 1 if move == _NO_MOVE else 2
            is_ours_moved = sent.origin is None and (event.kind == _NOTE_ON or rank == 0)
            is_loops = rank == 0 and known.points > PROOF
            is_copy = move == _NO_MOVE or is_ours_moved or is_loops
            if is_copy and rank <= best_rank:  # of the same rank the one that was sent first
                best, best_rank = (sent, move), rank
        return best

    def _weigh(self, points: int, port: str, known: _Port) -> None:
        """Count a note-on that came back; tell of a loop once it is proven, and again when it is certain."""
        known.points += points
        for level, threshold in ((1, PROOF), (2, CERTAINTY)):
            if known.points > threshold and known.told < level:
                known.told = level
                self._tell(LoopHeard(port, is_certain=level == 2))  # noqa: PLR2004 - the second one

    def _look_for_missed(self, known: _Port, port: str, until_s: float) -> None:
        """Take the points back where a note-on did not come back in time.

        What is passed on comes back as it was, or where the loop moves notes, not as one can tell.
        """
        since_s, known.looked_s = known.looked_s, until_s
        for sent in tuple(self._notes):
            is_missed = since_s <= sent.at_s < until_s and port not in sent.returned
            if is_missed and (sent.origin is None or known.move == _NO_MOVE):
                known.points = 0

    def _recent(self, event: _Event, at_s: float, window_s: float) -> Iterator[_Sent]:
        """Yield what was sent within the window before `at_s` and may be like `event`, the newest first."""
        for sent in reversed(tuple(self._sent.get(_likeness(event), ()))):
            if sent.at_s < at_s - window_s - _OUT_OF_ORDER_S:
                return
            if at_s - window_s <= sent.at_s <= at_s + _SLACK_S:
                yield sent


def _event(data: Sequence[int]) -> _Event | None:
    """Return the channel message in `data`, a note-on without velocity as a note-off; None for others."""
    if not data or not 0x80 <= data[0] < 0xF0:  # noqa: PLR2004 - the range of status bytes
        return None
    kind, channel = divmod(data[0], 16)
    number = data[1] if len(data) > 1 else 0
    value = data[2] if len(data) > 2 else 0  # noqa: PLR2004 - the third byte
    if kind == _NOTE_ON and not value:
        kind = _NOTE_OFF
    return _Event(kind, channel, number, 0 if kind == _NOTE_OFF else value)


def _likeness(event: _Event) -> tuple[int, int]:
    """Return what events have in common that may be each other's copies: among notes the pitch class."""
    if event.kind in {_NOTE_ON, _NOTE_OFF}:
        return event.kind, event.number % OCTAVE
    return event.kind, (event.number + event.value) % _PARTS


def _move(sent: _Event, came: _Event) -> _Move | None:
    """Return how `came` is `sent` moved, which has the same likeness; None where it is not."""
    channels, numbers = came.channel - sent.channel, came.number - sent.number
    if came.kind in {_NOTE_ON, _NOTE_OFF}:
        return _Move(channels, numbers, came.value == sent.value)
    is_same = (came.number, came.value) == (sent.number, sent.value)
    return _Move(channels, 0, keeps_velocity=True) if is_same else None


def _key(event: _Event) -> tuple[int, int, int]:
    """Return what an event changes: a key, a control, the pressure of a key; a channel's wheel or program."""
    kind = _NOTE_ON if event.kind == _NOTE_OFF else event.kind
    has_number = kind in {_NOTE_ON, 0xA, _CONTROL}
    return kind, event.channel, event.number if has_number else 0


def _state(event: _Event) -> int:
    """Return what it changes that to; both bytes of a wheel."""
    if event.kind in {_NOTE_OFF, _NOTE_ON, 0xA, _CONTROL}:
        return event.value
    return event.value * 128 + event.number
