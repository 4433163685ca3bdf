"""The MIDI clock that is sent, to know it again where a cable brings it back.

A clock that comes back must not be followed: the beat would run after itself, later with each turn.
"""

from __future__ import annotations

import cmath
import math
from collections import deque
from typing import TYPE_CHECKING, Final

from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from improviser.midi.message import Message, TimedMessage

# What is sent comes back within this time (Source: design choice; a DAW with buffers of 2,048 frames takes
# 90 ms, and a thru box over Bluetooth some 40 more).
RETURN_S: Final = 0.25
# A moment is told that much too early at most.
_EARLY_S: Final = 0.001
# Whether ticks are ours is judged by the last two beats: where they came between two of ours, as parts of a
# turn. Ours are all at one place (the mean of the turns is long); ticks of 1 % more go round by half a turn.
JUDGED_TICKS: Final = 48
OURS_MIN, OTHERS_MAX = 0.8, 0.5


class SentClock:
    """What was sent of the clock lately. Threads: the performer's beat only."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self._ticks: deque[float] = deque(maxlen=JUDGED_TICKS)
        self._transport: deque[tuple[float, Message]] = deque(maxlen=16)

    def note(self, messages: Iterable[TimedMessage]) -> None:
        """Remember what of `messages` is the clock's, for the moment it is due.

        Ticks that are made up for at one moment, after a stall, count once.
        """
        for timed in messages:
            if timed.message == CLOCK:
                if not self._ticks or timed.due_s > self._ticks[-1]:
                    self._ticks.append(timed.due_s)
            elif timed.message in {START, CONTINUE, STOP} or isinstance(timed.message, SongPosition):
                self._transport.append((timed.due_s, timed.message))

    def has_sent(self, message: Message, at_s: float) -> bool:
        """Return whether such a start, stop, continue or song position was sent just before `at_s`."""
        return any(sent == message and _is_return(at_s - due_s) for due_s, sent in self._transport)

    def turn_at(self, at_s: float) -> complex | None:
        """Return where `at_s` is between two ticks that were sent, as a turn of length 1.

        None where none was sent just before.
        """
        before = [due_s for due_s in self._ticks if due_s <= at_s + _EARLY_S]
        if not before or not _is_return(at_s - before[-1]):
            return None
        if len(before) == 1:
            return 1.0 + 0.0j  # the first one, as it seems: no interval is known yet
        return cmath.exp(2j * math.pi * (at_s - before[-1]) / (before[-1] - before[-2]))


class ReturnDetector:
    """Judges whether the clock on one port is the one that is sent.

    Attributes:
        is_ours: Whether it is; None while that is not known.
    """

    def __init__(self, sent: SentClock) -> None:
        """Know nothing of the port yet."""
        self.is_ours: bool | None = None
        self._sent = sent
        self._turns: deque[complex] = deque(maxlen=JUDGED_TICKS)

    def hear_transport(self, message: Message, at_s: float) -> None:
        """Judge by a start, continue, stop or song position: one that was just sent is ours."""
        if self._sent.has_sent(message, at_s):
            self.is_ours = True
        elif message in {START, CONTINUE}:
            self.is_ours = False

    def hear_tick(self, at_s: float) -> None:
        """Judge by a tick. What ticks while nothing is sent is not ours, and is not judged again."""
        if self.is_ours is False:
            return
        turn = self._sent.turn_at(at_s)
        if turn is None:
            self.is_ours = False
            self._turns.clear()
            return
        self._turns.append(turn)
        if len(self._turns) == JUDGED_TICKS:
            length = abs(sum(self._turns)) / JUDGED_TICKS
            if length >= OURS_MIN:
                self.is_ours = True
            elif length < OTHERS_MAX:
                self.is_ours = False


def _is_return(delay_s: float) -> bool:
    """Return whether what comes `delay_s` after it was sent has come back."""
    return -_EARLY_S <= delay_s <= RETURN_S
