"""The MIDI clock on one port: its beat, and whether it may be followed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from improviser.listening.clock_pair import clock_pair
from improviser.listening.midi_clock import GONE_S, TICKS_PER_BEAT, MidiClock
from improviser.midi.message import CLOCK, CONTINUE, START, STOP
from improviser.performer.clock.sent_clock import ReturnDetector

if TYPE_CHECKING:
    from improviser.listening.midi_clock import Sync
    from improviser.midi.message import Message
    from improviser.performer.clock.sent_clock import SentClock

# A start that comes twice within this time came by two cables (Source: design choice; no hand is so fast).
TWICE_S: Final = 0.030
# The tempo of a clock that only ticks is reported and used from the second beat on. The first ticks of a sender are
# often uneven (jack_midi_clock's first beat can be 5 % off).
TOLD_TICKS: Final = 48
# The last ticks show whether two clocks come on one port. They are checked every _LOOK_TICKS ticks.
_WINDOW_TICKS: Final = 64
_LOOK_TICKS: Final = 8


class ClockSource:
    """Follows the clock on one port.

    Threads: Only the performer's loop uses this class.

    Attributes:
        port: The name of the port.
        clock: The clock's beat.
        is_started: Whether a start or continue has come and counts: the clock was not given up since.
        pair: The tempos of the two clocks that come on this port; None if there is one clock.
        ticks: How many ticks have come since the last gap.
    """

    def __init__(self, port: str, sent: SentClock) -> None:
        """Create a source that has heard nothing yet. `sent` is the clock that the improviser sends."""
        self.port = port
        self.clock = MidiClock()
        self.is_started = False
        self.pair: tuple[float, float] | None = None
        self.ticks = 0
        self._return = ReturnDetector(sent)
        self._moments: deque[float] = deque(maxlen=_WINDOW_TICKS)
        self._started_s: float | None = None
        self._is_doubled = False

    @property
    def is_rolling(self) -> bool:
        """Whether the clock's transport runs: it was started, and not stopped since."""
        return self.is_started and self.clock.is_rolling

    @property
    def is_ours(self) -> bool | None:
        """Whether this is the clock that the improviser sends; None while that is not known."""
        return self._return.is_ours

    @property
    def may_be_followed(self) -> bool:
        """Whether this is a single clock, and not the improviser's own."""
        return self.is_ours is False and self.pair is None

    @property
    def gone_s(self) -> float:
        """The time at which the clock counts as gone if no tick comes before."""
        return self._moments[-1] + GONE_S if self._moments else 0.0

    @property
    def is_told(self) -> bool:
        """Whether to report the tempo now: at each full beat, after the first ones."""
        return self.ticks >= TOLD_TICKS and self.ticks % TICKS_PER_BEAT == 0

    def is_alive(self, at_s: float) -> bool:
        """Return whether the clock ticks at the time `at_s`."""
        return bool(self._moments) and at_s < self.gone_s

    def is_without_ticks(self, at_s: float) -> bool:
        """Return whether the clock was started some time before `at_s` and has not ticked since."""
        return self._started_s is not None and at_s - self._started_s >= GONE_S

    def receive(self, message: Message, at_s: float, *, is_lead: bool) -> Sync | None:
        """Process a message of the clock. Return where the beat is after a tick.

        If the clock leads, its start and stop do not show whether it is ours. The improviser starts and stops right
        after it, and the clock may repeat its message.
        """
        if message == CLOCK:
            self._hear_tick(at_s)
        else:
            if not is_lead:
                self._return.hear_transport(message, at_s)
            self._hear_transport(message, at_s)
        return self.clock.receive(message, at_s)

    def give_up(self) -> None:
        """Treat the clock as one that only ticks until it is started again."""
        self.is_started = False

    def _hear_transport(self, message: Message, at_s: float) -> None:
        """Process a start, continue, stop or song position."""
        if message in {START, CONTINUE}:
            is_again = self._started_s is not None and at_s - self._started_s <= TWICE_S
            self._is_doubled = self._is_doubled or is_again
            self.is_started, self._started_s = True, at_s
        elif message == STOP and not self.is_alive(at_s):
            self.is_started = False

    def _hear_tick(self, at_s: float) -> None:
        """Process a tick."""
        if not self.is_alive(at_s):
            self.ticks, self.pair = 0, None
            self._moments.clear()
        self.ticks += 1
        self._started_s = None
        self._moments.append(at_s)
        self._return.hear_tick(at_s)
        if self.ticks % _LOOK_TICKS == 0:
            self._look_for_pair()

    def _look_for_pair(self) -> None:
        """Check whether the ticks are those of two clocks. If so, the position of both is unknown."""
        is_known = self._is_doubled or self.pair is not None
        self.pair = clock_pair(list(self._moments), is_doubled=is_known)
        if self.pair is not None:
            self.clock.forget_place()
        else:
            self._is_doubled = self._is_doubled and self.ticks < _WINDOW_TICKS
