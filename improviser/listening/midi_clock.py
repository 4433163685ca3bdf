"""Following a MIDI clock: where its beat is, from ticks that come unevenly, get lost, and change pace.

A tick's moment is taken from a straight line through the last ticks (least squares), so that the unevenness
of each matters little. Ticks far off the line, three in a row, begin a new one: the tempo has changed.

Source: MIDI 1.0 (24 ticks a beat; the first tick after a start is the beginning; song position in
sixteenths). A line over 96 ticks was the best of ten ways that were measured on ticks with +-0 to 3 ms of
unevenness.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition

if TYPE_CHECKING:
    from improviser.midi.message import Message

TICKS_PER_BEAT: Final = 24
TICKS_PER_SIXTEENTH: Final = 6
# So many ticks, four beats, are the line.
LINE_TICKS: Final = 96
# Off the line is what is further from it than so many times what ticks usually are, and than this at least.
OFF_TIMES: Final = 3.5
OFF_S: Final = 0.003
OFF_IN_A_ROW: Final = 3
# A line of fewer ticks is too uncertain to call any of them off.
SURE_TICKS: Final = 8
# Without a tick for so long the clock has gone, or lost some.
GONE_S: Final = 0.5
# Ticks that come in a heap have no pace; this one is of 1000 beats a minute.
TICK_MIN_S: Final = 0.0025
_USUAL_SHARE: Final = 1 / 48
_S_PER_MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sync:
    """Where the beat is.

    Attributes:
        at_s: The moment of a tick, evened out.
        beat: The beat that stands there; None where the clock has not told where it is.
        tempo_bpm: Its pace; None after the first tick.
        is_jump: Whether this is the first tick after a start, a continue or a song position.
    """

    at_s: float
    beat: float | None
    tempo_bpm: float | None
    is_jump: bool


class MidiClock:
    """Follows one sender's clock; told its messages with their moments."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.is_rolling = False
        self._line: deque[tuple[int, float]] = deque(maxlen=LINE_TICKS)
        self._off: list[tuple[int, float]] = []
        self._usual = OFF_S**2 / OFF_TIMES**2
        self._tick = 0
        self._last_s = -np.inf
        # The song position in ticks that the next tick has; None: unknown.
        self._position: int | None = None
        self._is_jump = False

    @property
    def tempo_bpm(self) -> float | None:
        """The pace; None before the second tick."""
        return None if len(self._line) < 2 else _S_PER_MINUTE / (self._fit()[1] * TICKS_PER_BEAT)  # noqa: PLR2004 - a line

    def is_alive(self, at_s: float) -> bool:
        """Tell whether ticks still come."""
        return at_s - self._last_s < GONE_S

    def hear(self, message: Message, at_s: float) -> Sync | None:
        """Take in a message of the clock; give where the beat is, after a tick."""
        if message == CLOCK:
            return self._hear_tick(at_s)
        if message == START:
            self._locate(0)
            self.is_rolling = True
        elif message == CONTINUE:
            self._is_jump = True
            self.is_rolling = True
        elif message == STOP:
            self.is_rolling = False
        elif isinstance(message, SongPosition):
            self._locate(message.position * TICKS_PER_SIXTEENTH)
        return None

    def _locate(self, position: int) -> None:
        """Let the next tick stand at a position."""
        self._position = position
        self._is_jump = True

    def _hear_tick(self, at_s: float) -> Sync:
        """Take in a tick."""
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
        """Give how many ticks were lost before this one, if the clock was gone; the song position goes on."""
        if self.is_alive(at_s) or len(self._line) < SURE_TICKS:
            return 0
        start, slope = self._fit()
        missed = max(0, round((at_s - start) / slope) - self._tick - 1)
        if self._position is not None and self.is_rolling and not self._is_jump:
            self._position += missed
        return missed

    def _add(self, at_s: float) -> None:
        """Add the last tick to the line, unless it is off; begin a new line where several in a row are."""
        if len(self._line) >= SURE_TICKS:
            start, slope = self._fit()
            error = (at_s - start - slope * self._tick) ** 2
            if error > max(OFF_S**2, OFF_TIMES**2 * self._usual):
                self._off.append((self._tick, at_s))
                if len(self._off) >= OFF_IN_A_ROW:
                    self._line.clear()
                    self._line.extend(self._off)
                    self._off.clear()
                return
            self._usual += _USUAL_SHARE * (error - self._usual)
        self._off.clear()
        self._line.append((self._tick, at_s))

    def _evened(self, at_s: float) -> float:
        """Give the moment of the last tick as the line has it."""
        if len(self._line) < 2 or self._off:  # noqa: PLR2004 - a line; off it only the tick itself is known
            return at_s
        start, slope = self._fit()
        return start + slope * self._tick

    def _fit(self) -> tuple[float, float]:
        """Give the line: the moment of tick 0, and the seconds between ticks."""
        ticks, moments = np.array(self._line).T
        middle, mean = ticks.mean(), moments.mean()
        apart = ticks - middle
        slope = max(TICK_MIN_S, float(apart @ (moments - mean) / (apart @ apart)))
        return float(mean - slope * middle), slope
