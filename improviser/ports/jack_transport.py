"""Reads JACK's transport: whether it rolls, and where its beat is to a fraction of a frame.

A timebase master says bar, beat and tick (BBT) at the first frame of each period, with a tempo. Ticks are whole
numbers: a tick of Hydrogen takes 10 ms at 120 bpm, one of Ardour 12 frames. So the beat is read from a straight line at
the master's tempo, and each period narrows where the line can lie. If the tempo has been the same since frame 0, that
gives the line exactly.

Masters read the standard differently. Each reading that contradicts a period is dropped:

- The tempo counts quarter notes, or the beats of the meter.
- Ticks divide the beat. Ardour's divide a quarter note in every meter, and Hydrogen's divide the bar.
- Ticks are rounded down or to the nearest (Ardour).

Source: JACK API 1.9.21, jack/types.h. The readings were observed with Ardour 7.3 and Hydrogen 1.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

STOPPED, STARTING = 0, 3
BBT, BBT_OFFSET = 0x10, 0x40
# A transport that waits this long for slow clients has stopped, and a master that is silent this long has gone. After
# a locate the server passes on no BBT for some periods.
WAITING_S: Final = 0.25
# The place is reported at least this often.
TELL_EVERY_S: Final = 0.5
# A place that is off by more than SHIFT_S is reported at once; one that is off by more than OFF_S, a quarter of a
# frame, at most this often. Tempos may change in every period.
SETTLE_S: Final = 0.02
SHIFT_S: Final = 0.001
OFF_S: Final = 0.000005
# Two computations of the same beat differ by less than this.
_ROUNDING_BEATS: Final = 1e-7
_QUARTERS: Final = 4.0
# Ticks that are this much of a tick beyond what rounding down allows are rounded to the nearest.
_CLEAR_TICKS: Final = 0.05


@dataclass(frozen=True, slots=True)
class JackPlace:
    """Where the transport is.

    Attributes:
        at_s: The moment, by the backend's clock.
        is_rolling: Whether it rolls.
        position_s: Seconds since frame 0.
        beat: Quarter notes since bar 1, if all bars had the present meter. None if no timebase master says it.
        tempo_bpm: Quarter notes per minute; 0 without a timebase master.
        meter: Numerator and denominator; None without a timebase master, or if they are no whole numbers.
    """

    at_s: float
    is_rolling: bool
    position_s: float
    beat: float | None = None
    tempo_bpm: float = 0.0
    meter: tuple[int, int] | None = None


@runtime_checkable
class HasTransport(Protocol):
    """A backend whose server has a transport."""

    def watch_transport(self, tell: Callable[[JackPlace], None]) -> None:
        """Call `tell` whenever the transport does not go on as was told, and now and then while it rolls.

        Threads: The driver's thread calls `tell`, which must not block.
        """


class Reading(NamedTuple):
    """One way to read a master's BBT.

    Attributes:
        beat_beats: Quarter notes in a beat.
        tick_beats: Quarter notes in a tick.
        tempo_bpm: Quarter notes per minute.
    """

    beat_beats: float
    tick_beats: float
    tempo_bpm: float


class Pace(NamedTuple):
    """What a master says that is the same in each period of a steady tempo."""

    beats_per_bar: float
    beat_type: float
    ticks_per_beat: float
    tempo_bpm: float

    @property
    def is_sound(self) -> bool:
        """Whether beats can be computed from this."""
        return all(math.isfinite(value) and value > 0 for value in self)

    @property
    def bar_beats(self) -> float:
        """Quarter notes in a bar."""
        return self.beats_per_bar * _QUARTERS / self.beat_type

    @property
    def meter(self) -> tuple[int, int] | None:
        """Numerator and denominator, if they are whole numbers."""
        if not (float(self.beats_per_bar).is_integer() and float(self.beat_type).is_integer()):
            return None
        return int(self.beats_per_bar), int(self.beat_type)

    def readings(self) -> list[Reading]:
        """Return all ways to read such BBT, the likeliest first."""
        beat_beats = _QUARTERS / self.beat_type
        ticks = (beat_beats, 1.0, self.bar_beats)
        tempos = (self.tempo_bpm, self.tempo_bpm * beat_beats)
        found = (Reading(beat_beats, each / self.ticks_per_beat, tempo) for each in ticks for tempo in tempos)
        return list(dict.fromkeys(found))


@dataclass(slots=True)
class BeatLine:
    """A straight line from frames to beats, at a reading's tempo, and where it can lie by what was said so far.

    Attributes:
        reading: How BBT is read.
        since: The frame from which the line counts.
        slope: Beats per frame.
        least: The smallest beat at `since` that a period has said.
        most: The largest one.
        bounds: Where the beat at `since` can lie by the line before, after a change of tempo or a jump in the song.
        is_exact: Whether the first beat that was said is taken as exact, as after a locate to a whole beat.
    """

    reading: Reading
    since: int
    slope: float
    least: float = math.inf
    most: float = -math.inf
    bounds: tuple[float, float] = (-math.inf, math.inf)
    is_exact: bool = False
    _first: float = field(default=0.0)

    def add(self, frame: int, beat: float) -> bool:
        """Process what a period says. Return whether the line can still be right."""
        said = beat - self.slope * (frame - self.since)
        if self.most < self.least:
            self._first = said
        self.least, self.most = min(self.least, said), max(self.most, said)
        return self.is_open

    @property
    def is_open(self) -> bool:
        """Whether the line can be right."""
        return self.most - self.least <= self.reading.tick_beats + _ROUNDING_BEATS

    def is_from_zero(self) -> bool:
        """Return whether beat 0 can be at frame 0, at this tempo."""
        steady, tick = self.slope * self.since, self.reading.tick_beats
        is_late = self.most > steady + tick / 2 + _ROUNDING_BEATS
        return not is_late and self.least >= steady - tick - _ROUNDING_BEATS

    def rounds(self) -> bool | None:
        """Return whether ticks are rounded to the nearest, None if this does not show."""
        if not self.is_from_zero():
            return None
        steady, tick = self.slope * self.since, self.reading.tick_beats
        if self.most > steady + _CLEAR_TICKS * tick + _ROUNDING_BEATS:
            return True
        return False if self.least < steady - (0.5 + _CLEAR_TICKS) * tick - _ROUNDING_BEATS else None

    def beat_at(self, frame: int, *, rounds: bool) -> float:
        """Return the beat at a frame; `rounds` says whether ticks are rounded to the nearest."""
        return self._start(rounds=rounds) + self.slope * (frame - self.since)

    def _start(self, *, rounds: bool) -> float:
        """Return the likeliest beat at `since`."""
        if self.is_from_zero():
            return self.slope * self.since
        if self.is_exact and self.most <= self._first + _ROUNDING_BEATS:
            return self._first
        tick = self.reading.tick_beats
        middle = (self.least + self.most) / 2 + (0.0 if rounds else tick / 2)
        slack = max(0.0, (tick - self.most + self.least) / 2)
        bounded = min(max(middle, self.bounds[0]), self.bounds[1])
        return min(max(bounded, middle - slack), middle + slack)


class BeatReader:
    """Computes the beat from the BBT of one period after the other.

    Threads: One thread uses the reader. It does not block.
    """

    def __init__(self, rate: int) -> None:
        """Start with nothing known. `rate` is in frames per second."""
        self._frames_per_minute = rate * S_PER_MINUTE
        self._lines: list[BeatLine] = []
        self._pace: Pace | None = None
        self._next_frame = -1
        # The beat at that frame, if the line goes on.
        self._next_beat = 0.0
        self._rank = 0
        self._rounds = False

    def forget(self) -> None:
        """Forget the line, since the transport has stopped or no master speaks."""
        self._pace, self._next_frame = None, -1

    def beat(self, position: Any, frames: int) -> tuple[float, float] | None:  # noqa: ANN401 - JACK-Client's struct
        """Return beat and tempo at the first frame of a period; None if the BBT makes no sense.

        Args:
            position: Where the transport is.
            frames: Frames until the next call.
        """
        pace = Pace(position.beats_per_bar, position.beat_type, position.ticks_per_beat, position.beats_per_minute)
        if not pace.is_sound or position.bar < 1 or position.beat < 1:
            self.forget()
            return None
        frame = position.frame
        is_jump, self._next_frame = frame != self._next_frame, frame + frames
        if is_jump or pace != self._pace:
            self._begin(pace, position, is_jump=is_jump)
        else:
            still_open = [line for line in self._lines if self._add(line, position)]
            if not still_open:
                self._begin(pace, position, is_jump=False)
        line = self._best()
        rounds = line.rounds()
        self._rounds = self._rounds if rounds is None else rounds
        self._next_beat = line.beat_at(self._next_frame, rounds=self._rounds)
        return line.beat_at(frame, rounds=self._rounds), line.reading.tempo_bpm

    def _begin(self, pace: Pace, position: Any, *, is_jump: bool) -> None:  # noqa: ANN401 - as above
        """Begin new lines, one for each reading."""
        bounds = None if is_jump else self._bounds(pace, position)
        self._pace, frame = pace, position.frame
        self._lines = [BeatLine(each, frame, each.tempo_bpm / self._frames_per_minute) for each in pace.readings()]
        self._rank = min(self._rank, len(self._lines) - 1)
        for line in self._lines:
            line.is_exact = is_jump and position.tick == 0
            if bounds is not None:
                line.bounds = bounds
            self._add(line, position)
        if not self._lines[self._rank].is_from_zero():
            steady = (rank for rank, line in enumerate(self._lines) if line.is_from_zero())
            self._rank = next(steady, self._rank)

    def _bounds(self, pace: Pace, position: Any) -> tuple[float, float] | None:  # noqa: ANN401 - as above
        """Return where the beat can lie by the line so far, after a change of tempo alone or a jump in the song.

        The tempo changes some time in the last period. Hydrogen's song begins anew while the frames go on: then the
        beat has jumped by whole beats.
        """
        before, at = self._pace, self._next_beat
        if before is None or before[:3] != pace[:3]:
            return None
        line = self._lines[self._rank]
        if before == pace:
            off = _said_beat(line.reading, pace, position) - at
            jumped = at + round(off)
            return (jumped, jumped) if abs(off - round(off)) <= line.reading.tick_beats else None
        passed = (self._next_frame - position.frame) * line.slope
        change = passed * (pace.tempo_bpm / before.tempo_bpm - 1)
        return min(at, at + change), max(at, at + change)

    def _best(self) -> BeatLine:
        """Return the line of the reading that was right so far, or else of the first that can be right."""
        if not self._lines[self._rank].is_open:
            self._rank = next((rank for rank, line in enumerate(self._lines) if line.is_open), 0)
        return self._lines[self._rank]

    def _add(self, line: BeatLine, position: Any) -> bool:  # noqa: ANN401 - as above
        """Process a period with the reading of one line. Return whether it can still be right."""
        beat = 0.0 if self._pace is None else _said_beat(line.reading, self._pace, position)
        frame = position.frame - (position.bbt_offset if position.valid & BBT_OFFSET else 0)
        return line.add(frame, beat)


def _said_beat(reading: Reading, pace: Pace, position: Any) -> float:  # noqa: ANN401 - as above
    """Return the beat that a position says, read in one way."""
    bars = (position.bar - 1) * pace.bar_beats
    return float(bars + (position.beat - 1) * reading.beat_beats + position.tick * reading.tick_beats)


class JackTransport:
    """Watches the transport through a client of the JACK-Client library.

    Threads: JACK's thread calls `read`, in the first of some periods.
    """

    def __init__(self, client: Any, tell: Callable[[JackPlace], None]) -> None:  # noqa: ANN401 - JACK-Client has no types
        """Watch the transport of the server of `client`, and call `tell` with what is new."""
        self._client, self._tell = client, tell
        self._rate: int = client.samplerate
        self._reader = BeatReader(self._rate)
        self._told: JackPlace | None = None
        # The last moment at which the transport stood or rolled, and the master spoke if it had spoken before.
        self._clear_s = -math.inf

    def read(self, at_s: float, frames: int) -> None:
        """Read the place at `at_s`, the beginning of a period. Report it if it is new.

        Args:
            at_s: The moment in seconds.
            frames: Frames until the next reading.
        """
        state, position = self._client.transport_query_struct()
        told = self._told
        is_silent = told is not None and told.beat is not None and not position.valid & BBT
        if state >= STARTING or is_silent:
            if at_s - self._clear_s < WAITING_S:
                return
        else:
            self._clear_s = at_s
        is_rolling = STOPPED < state < STARTING
        if not is_rolling and told is not None and not told.is_rolling and not self._is_other(told, position):
            return
        place = self._place(at_s, position, frames, is_rolling=is_rolling)
        if told is None or self._is_news(told, place):
            self._told = place
            self._tell(place)

    def _is_other(self, told: JackPlace, position: Any) -> bool:  # noqa: ANN401 - as above
        """Return whether a stopped transport was moved, or its master has come or gone."""
        return position.frame / self._rate != told.position_s or bool(position.valid & BBT) != (told.beat is not None)

    def _place(self, at_s: float, position: Any, frames: int, *, is_rolling: bool) -> JackPlace:  # noqa: ANN401 - as above
        """Return the place at the beginning of a period."""
        position_s = position.frame / self._rate
        found = self._reader.beat(position, frames) if position.valid & BBT else None
        if found is None:
            self._reader.forget()
            return JackPlace(at_s, is_rolling, position_s)
        if not is_rolling:
            self._reader.forget()
        beat, tempo_bpm = found
        meter = Pace(position.beats_per_bar, position.beat_type, 1.0, 1.0).meter
        return JackPlace(at_s, is_rolling, position_s, beat, tempo_bpm, meter)

    def _is_news(self, told: JackPlace, place: JackPlace) -> bool:
        """Return whether a place does not follow from the one that was reported, or that one is old."""
        if (told.is_rolling, told.meter) != (place.is_rolling, place.meter) or not place.is_rolling:
            return True
        if (told.beat is None) != (place.beat is None):
            return True
        passed_s = place.at_s - told.at_s
        off_s = _off_s(told, place, passed_s)
        return off_s > SHIFT_S or passed_s >= TELL_EVERY_S or (passed_s >= SETTLE_S and off_s > OFF_S)


def _off_s(told: JackPlace, place: JackPlace, passed_s: float) -> float:
    """Return by how many seconds a place differs from where the one reported before leads."""
    if told.beat is None or place.beat is None:
        return abs(place.position_s - told.position_s - passed_s)
    beats = told.beat + passed_s * told.tempo_bpm / S_PER_MINUTE
    return abs(place.beat - beats) * S_PER_MINUTE / place.tempo_bpm
