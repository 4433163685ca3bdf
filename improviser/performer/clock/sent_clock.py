"""Remembers the MIDI clock that is sent, to recognise it if a cable brings it back.

The improviser must not follow its own clock: the beat would follow itself and be later each time round.
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

# A sent message comes back within this time (Source: design choice; a DAW with buffers of 2,048 frames takes 90 ms, and
# a thru box over Bluetooth about 40 ms more).
RETURN_S: Final = 0.25
# A time stamp is too early by at most this.
_EARLY_S: Final = 0.001
# The last two beats show whether ticks are ours. The place of a tick between two of our ticks is an angle on a circle.
# Our own ticks all have the same angle, so the mean of their unit vectors is long. Ticks at a tempo 1 % higher turn by
# half a circle.
JUDGED_TICKS: Final = 48
OURS_MIN, OTHERS_MAX = 0.8, 0.5


class SentClock:
    """The clock messages that were sent lately.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self) -> None:
        """Create a record with nothing sent."""
        self._ticks: deque[float] = deque(maxlen=JUDGED_TICKS)
        self._transport: deque[tuple[float, Message]] = deque(maxlen=16)

    def note(self, messages: Iterable[TimedMessage]) -> None:
        """Remember the clock messages among `messages` with the times at which they are due.

        Ticks that are caught up at the same time after a stall count once.
        """
        for timed in messages:
            if timed.message == CLOCK:
                if not self._ticks or timed.due_s > self._ticks[-1]:
                    self._ticks.append(timed.due_s)
            elif timed.message in {START, CONTINUE, STOP} or isinstance(timed.message, SongPosition):
                self._transport.append((timed.due_s, timed.message))

    def has_sent(self, message: Message, at_s: float) -> bool:
        """Return whether this start, stop, continue or song position was sent just before `at_s`."""
        return any(sent == message and _is_return(at_s - due_s) for due_s, sent in self._transport)

    def turn_at(self, at_s: float) -> complex | None:
        """Return the position of `at_s` between two sent ticks, as a complex number of length 1.

        Return None if no tick was sent just before `at_s`.
        """
        before = [due_s for due_s in self._ticks if due_s <= at_s + _EARLY_S]
        if not before or not _is_return(at_s - before[-1]):
            return None
        if len(before) == 1:
            return 1.0 + 0.0j  # probably the first tick: no interval is known yet
        return cmath.exp(2j * math.pi * (at_s - before[-1]) / (before[-1] - before[-2]))


class ReturnDetector:
    """Decides whether the clock on one port is the one that is sent.

    Attributes:
        is_ours: Whether it is the one that is sent; None while that is not known.
    """

    def __init__(self, sent: SentClock) -> None:
        """Create a detector for a port of which nothing is known yet."""
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
        """Judge by a tick. A clock that ticks while nothing is sent is not ours, and ticks do not change that."""
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
    """Return whether a message that comes `delay_s` seconds after it was sent has come back."""
    return -_EARLY_S <= delay_s <= RETURN_S
