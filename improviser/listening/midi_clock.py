"""Follows a MIDI clock: finds its beat, although ticks come unevenly, get lost and change tempo.

The moment of a tick is read from a straight line through the last ticks (least squares), so that the jitter of a
single tick matters little. Three ticks in a row that are far off the line begin a new line: the tempo has changed.
How far that is depends on the sender's jitter. If a driver delivers all ticks of 40 ms at once, a tick that is 20 ms
off is normal. Ticks in such bursts are late, never early, so that the earliest of them show the true moment.

Source: MIDI 1.0 (24 ticks per beat; the first tick after a start is the beginning; song position in sixteenths).
A line over 96 ticks was the best of ten methods, measured on ticks with a jitter of +-0 to 3 ms.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.midi.message import Message

TICKS_PER_BEAT: Final = 24
TICKS_PER_SIXTEENTH: Final = 6
# The line goes through this many ticks: four beats.
LINE_TICKS: Final = 96
# If intervals differ by more than a tick, as in bursts, the line goes through twice as many.
LONG_LINE_TICKS: Final = 2 * LINE_TICKS
# A tick is off the line if its error is more than this many times the usual error, and more than this time.
OFF_TIMES: Final = 3.5
OFF_S: Final = 0.003
OFF_IN_A_ROW: Final = 3
# With fewer ticks the line is too uncertain to call a tick off the line.
SURE_TICKS: Final = 8
# After this time without a tick, the clock is gone, or ticks were lost.
GONE_S: Final = 0.5
# The shortest interval that counts as a tempo: 1000 beats per minute. Ticks that come all at once have no tempo.
TICK_MIN_S: Final = 0.0025
# Ticks closer to each other than this were delivered together (Source: design choice; a driver hands each over
# within about 50 us, and ticks at 400 beats per minute are 6 ms apart).
TOGETHER_S: Final = 0.001
# If this share of the intervals is that short, the sender's ticks come in bursts.
BURST_SHARE: Final = 1 / 5
# A tick is on the line if its error is below this many spreads: 1.5 times the sender's own jitter.
OFF_SPREADS: Final = 0.75
# Ticks that go on at the old tempo, but shifted, have slipped: the sender waits for its next period. For the length
# of a line, another shift of at most this many times the last slip is not a change of tempo.
SLIP_TIMES: Final = 1.25
_PARALLEL_SHARE: Final = 1 / 4
# The tempo is known once its relative error is below this. With n ticks the error is spread / (tick * n ** 1.5).
SURE_SHARE: Final = 0.01
# With fewer ticks the intervals do not show the jitter.
PACE_TICKS: Final = 4
_USUAL_SHARE: Final = 1 / 48
# From this many ticks on, the longest and the shortest interval are ignored: a single late tick makes both.
_TRIMMED_TICKS: Final = 24
# The spread of uniform noise in standard deviations.
_SPREAD_TIMES: Final = 3.46


@dataclass(frozen=True, slots=True)
class Sync:
    """The position of the beat at a tick.

    Attributes:
        at_s: The moment of the tick in seconds, smoothed.
        beat: The beat at this moment; None if the clock has not sent its position.
        tempo_bpm: The tempo; None while there are too few ticks to know it within about one percent.
        is_jump: Whether this is the first tick after a start, a continue or a song position.
    """

    at_s: float
    beat: float | None
    tempo_bpm: float | None
    is_jump: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight line through ticks.

    Attributes:
        start_s: The moment of tick 0.
        tick_s: Seconds between ticks.
        spread_s: The difference between the longest and the shortest interval.
        early_s: How much earlier than the line the earliest tick is, if ticks come in bursts; else 0.
    """

    start_s: float
    tick_s: float
    spread_s: float
    early_s: float

    def at(self, tick: int) -> float:
        """Return the moment of a tick on the line, in seconds."""
        return self.start_s + self.tick_s * tick


class MidiClock:
    """Follows the clock of one sender."""

    def __init__(self) -> None:
        """Start before the first message."""
        self.is_rolling = False
        self._ticks: deque[tuple[int, float]] = deque()
        self._line: _Line | None = None
        self._off: deque[tuple[int, float]] = deque(maxlen=OFF_IN_A_ROW)
        self._usual = 0.0
        # How far ticks have slipped, and the tick up to which this is expected again.
        self._slip_s, self._slips_until = 0.0, 0
        self._tick = 0
        self._last_s = -np.inf
        # The song position of the next tick, in ticks; None: unknown.
        self._position: int | None = None
        self._is_jump = False

    @property
    def tempo_bpm(self) -> float | None:
        """The tempo in beats per minute; None while it is uncertain."""
        line = self._line
        if line is None or len(self._ticks) < PACE_TICKS or line.tick_s <= TICK_MIN_S:
            return None
        spread_s = max(line.spread_s, _SPREAD_TIMES * math.sqrt(self._usual))
        is_sure = spread_s <= SURE_SHARE * line.tick_s * len(self._ticks) ** 1.5
        return S_PER_MINUTE / (line.tick_s * TICKS_PER_BEAT) if is_sure else None

    def is_alive(self, at_s: float) -> bool:
        """Return whether the last tick came less than GONE_S before `at_s`."""
        return at_s - self._last_s < GONE_S

    def forget_place(self) -> None:
        """Forget the song position until the clock sends one."""
        self._position = None

    def receive(self, message: Message, at_s: float) -> Sync | None:
        """Process a message of the clock; return the position of the beat if it is a tick."""
        if message == CLOCK:
            return self._hear_tick(at_s)
        if message == START:
            self._locate(0)
            self.is_rolling = True
        elif message == CONTINUE:
            # A clock that has not sent its position continues from the beginning.
            self._locate(self._position or 0)
            self.is_rolling = True
        elif message == STOP:
            self.is_rolling = False
        elif isinstance(message, SongPosition):
            self._locate(message.position * TICKS_PER_SIXTEENTH)
        return None

    def _locate(self, position: int) -> None:
        """Set the song position of the next tick, in ticks."""
        self._position = position
        self._is_jump = True

    def _hear_tick(self, at_s: float) -> Sync:
        """Process a tick; return the position of the beat."""
        if self._is_jump and not self.is_alive(at_s):  # it starts again, maybe at another tempo
            self._ticks.clear()
            self._off.clear()
            self._line = None
        self._tick += 1 + self._missed(at_s)
        self._last_s = at_s
        self._add(at_s)
        position = self._position if self.is_rolling else None
        sync = Sync(
            at_s=self._evened(at_s),
            beat=None if position is None else position / TICKS_PER_BEAT,
            tempo_bpm=self.tempo_bpm,
            is_jump=self._is_jump and position is not None,
        )
        if position is not None:
            self._position, self._is_jump = position + 1, False
        return sync

    def _missed(self, at_s: float) -> int:
        """Return how many ticks were lost while the clock was gone; advance the song position by them."""
        if self.is_alive(at_s) or self._line is None or len(self._ticks) < SURE_TICKS:
            return 0
        missed = max(0, round((at_s - self._line.start_s) / self._line.tick_s) - self._tick - 1)
        if self._position is not None and self.is_rolling:
            self._position += missed
        return missed

    def _add(self, at_s: float) -> None:
        """Add the last tick to the line unless it is off; begin a new line if several in a row are off."""
        tick = (self._tick, at_s)
        if self._line is None or not self._is_off(at_s, self._line):
            self._ticks.append(tick)
            self._forget()
        else:
            self._off.append(tick)
            begun_s = self._off[-1][1] - self._off[0][1]
            if len(self._off) < OFF_IN_A_ROW or begun_s <= TICK_MIN_S * (OFF_IN_A_ROW - 1):
                return
            self._note_slip(at_s - self._line.at(self._tick), begun_s, self._line)
            self._ticks.clear()
            self._ticks.extend(self._off)
        self._off.clear()
        self._line = _fit(self._ticks)

    def _forget(self) -> None:
        """Remove the ticks that are too old for the line."""
        line = self._line
        is_rough = line is not None and line.spread_s > line.tick_s
        while len(self._ticks) > (LONG_LINE_TICKS if is_rough else LINE_TICKS):
            self._ticks.popleft()

    def _note_slip(self, error_s: float, lasted_s: float, line: _Line) -> None:
        """Record how far the ticks that are off have slipped, if they go on at the line's tempo."""
        expected_s = line.tick_s * (self._off[-1][0] - self._off[0][0])
        if abs(lasted_s - expected_s) < _PARALLEL_SHARE * abs(error_s):
            self._slip_s, self._slips_until = abs(error_s), self._tick + LINE_TICKS

    def _is_off(self, at_s: float, line: _Line) -> bool:
        """Return whether the last tick is off the line; if it is not, update the usual error."""
        if len(self._ticks) < SURE_TICKS:
            return False
        slip_s = SLIP_TIMES * self._slip_s if self._tick <= self._slips_until else 0.0
        error_s = abs(at_s - line.at(self._tick))
        if error_s > max(OFF_S, OFF_TIMES * math.sqrt(self._usual), OFF_SPREADS * line.spread_s, slip_s):
            return True
        self._usual += _USUAL_SHARE * (error_s**2 - self._usual)
        return False

    def _evened(self, at_s: float) -> float:
        """Return the moment of the last tick according to the line, in seconds."""
        return at_s if self._line is None else self._line.at(self._tick) - self._line.early_s


def _fit(ticks: Sequence[tuple[int, float]]) -> _Line | None:
    """Return the line through ticks; None for a single tick."""
    if len(ticks) < 2:  # noqa: PLR2004 - a line needs two
        return None
    numbers, moments = np.array(ticks).T
    middle, mean = numbers.mean(), moments.mean()
    apart = numbers - middle
    tick_s = max(TICK_MIN_S, float(apart @ (moments - mean) / (apart @ apart)))
    start_s = float(mean - tick_s * middle)
    intervals = np.sort(np.diff(moments) / np.diff(numbers))
    cut = int(len(ticks) >= _TRIMMED_TICKS)
    is_bursty = np.mean(intervals < TOGETHER_S) >= BURST_SHARE
    return _Line(
        start_s=start_s,
        tick_s=tick_s,
        spread_s=float(intervals[-1 - cut] - intervals[cut]),
        early_s=float((start_s + tick_s * numbers - moments).max()) if is_bursty else 0.0,
    )
