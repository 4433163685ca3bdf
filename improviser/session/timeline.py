"""Converts times of a recording to beats and bars, by the tempo, beat and meter as they were while it was played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.music.counted_bars import CountedBars
from improviser.music.meter import Meter
from improviser.protocol import (
    Detached,
    Halted,
    Heard,
    MeterSet,
    Played,
    Recounted,
    Restarted,
    Rested,
    Started,
    Synced,
    Understood,
)
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A beat that is further than this from the expected beat counts as a jump.
JUMP_BEATS: Final = 0.25
# Bars whose lines are nearer to each other than this share of a bar are the same.
_SAME_BARS: Final = 0.001
# A note struck up to this long before a bar line belongs to the bar after it.
EARLY_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch with one tempo.

    Attributes:
        at_s: Its first moment.
        beat: The beat at that moment.
        tempo_bpm: Quarter notes per minute.
        jumped: How many beats the recording is ahead of the jam.
    """

    at_s: float
    beat: float
    tempo_bpm: float
    jumped: float = 0.0

    def beat_at(self, at_s: float) -> float:
        """Return the beat at a time in seconds."""
        return self.beat + (at_s - self.at_s) * self.tempo_bpm / S_PER_MINUTE


def counted_after(bars: CountedBars, event: object) -> CountedBars:
    """Return the bars as the jam counts them after an event, if it counted `bars` before."""
    match event:
        case MeterSet(beat=beat, meter=meter):
            return bars.followed_by(Meter(*meter), beat)
        case Started():
            return CountedBars(bars.meter)
        case Recounted(meter=meter):
            return CountedBars(Meter(*meter))
        case _:
            return bars


class Timeline:
    """The beats of a recording. They never go back: after a jump the recording continues with the next bar."""

    def __init__(self, start_s: float, tempo_bpm: float, meter: Meter, events: Iterable[object]) -> None:
        """Begin with beat 0 at `start_s`, and follow those of the events that set the beat, meter or tempo."""
        self._bars = [CountedBars(meter)]
        # The bars of the jam, in the jam's own beats.
        self._counted = CountedBars(meter)
        self._spans = [Span(start_s, 0.0, tempo_bpm)]
        self._jumped = 0.0
        for event in events:
            match event:
                case Synced(at_s, beat, tempo_bpm):
                    self._go_on(at_s, beat, tempo_bpm)
                case Started(at_s, beat) | Recounted(at_s, beat):
                    self._counted = counted_after(self._counted, event)
                    self._go_on(at_s, beat, self._spans[-1].tempo_bpm)
                case MeterSet():
                    self._counted = counted_after(self._counted, event)
                    self._count_bars(event.beat + self._jumped)
                case _:
                    pass

    @property
    def bars(self) -> Sequence[CountedBars]:
        """The bars, with another entry from each bar line on which they are counted anew."""
        return self._bars

    @property
    def spans(self) -> Sequence[Span]:
        """The spans in order."""
        return self._spans

    def beat_at(self, at_s: float) -> float:
        """Return the beat at a time in seconds."""
        return self._span_at(at_s).beat_at(at_s)

    def recorded(self, beat: float, at_s: float) -> float:
        """Return the beat of the recording that is `beat` of the jam about the time `at_s`."""
        return beat + self._span_at(at_s).jumped

    def s_at(self, beat: float) -> float:
        """Return the time of a beat in seconds."""
        span = next((span for span in reversed(self._spans) if span.beat <= beat), self._spans[0])
        return span.at_s + (beat - span.beat) * S_PER_MINUTE / span.tempo_bpm

    def bar_line(self, beat: float, bars: int = 0) -> float:
        """Return the bar line at or before a beat, or the one that is `bars` bars later."""
        now = next((each for each in reversed(self._bars) if each.first_beat <= beat), self._bars[0])
        bar = now.bar_at(beat) + bars
        return next((each for each in reversed(self._bars) if each.first_bar <= bar), self._bars[0]).line(bar)

    def _span_at(self, at_s: float) -> Span:
        """Return the span of a time in seconds."""
        return next((span for span in reversed(self._spans) if span.at_s <= at_s), self._spans[0])

    def _go_on(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Continue from `at_s` with a beat of the jam. If the beat jumps, shift its bar to the next bar line."""
        expected = self._spans[-1].beat_at(at_s)
        if not self._fits() or abs(beat + self._jumped - expected) > JUMP_BEATS:
            bars, in_bar = self._bars[-1], self._counted.in_bar(beat)
            line = bars.line(bars.bar_from(expected - in_bar - JUMP_BEATS))
            self._jumped = line + in_bar - beat
            if self._counted.meter != bars.meter:
                self._count_bars(line)
        self._spans.append(Span(at_s, beat + self._jumped, tempo_bpm, self._jumped))

    def _fits(self) -> bool:
        """Return whether the bars of the jam and those of the recording are the same."""
        bars, line = self._bars[-1], self._counted.first_beat + self._jumped
        apart = (line - bars.first_beat) / bars.meter.bar_beats
        return self._counted.meter == bars.meter and abs(apart - round(apart)) < _SAME_BARS

    def _count_bars(self, line: float) -> None:
        """Count bars of the jam's meter from the beat `line` of the recording on."""
        if self._fits():
            return
        kept = [bars for bars in self._bars if bars.first_beat < line]
        before = kept[-1] if kept else self._bars[0]
        self._bars = [*kept, before.followed_by(self._counted.meter, line)]


class BarCount:
    """Says which bar a time is in, by the performer's events.

    Without an outer clock the player's first note begins bar 1. The first note after a rest begins the bar after the
    last one that was played.

    Attributes:
        bars: The bars as they are counted now.
    """

    def __init__(self, meter: Meter, tempo_bpm: float) -> None:
        """Wait for the beat to begin."""
        self._first_bars = self.bars = CountedBars(meter)
        self._tempo_bpm = tempo_bpm
        self._is_given = False
        self._is_halted = False
        # A count-in is announced before it begins.
        self._begun_s = -math.inf
        self._span: Span | None = None
        # The beat on which the player's next note falls.
        self._next_beat = 0.0

    def follow(self, event: object) -> None:
        """Process an event if it says where the beat is."""
        match event:
            case Started(at_s, beat):
                self._is_given, self._is_halted, self._begun_s = True, False, at_s
                self.bars = counted_after(self.bars, event)
                self._stand(at_s, beat)
            case Synced(at_s, beat, tempo_bpm):
                self._tempo_bpm = tempo_bpm
                if self._span is not None:
                    self._stand(at_s, beat)
            case Understood(at_s=at_s, beat=beat) | Played(due_s=at_s, beat=beat):
                self._anchor(event, at_s, beat)
            case Heard(at_s) if self._span is None:
                self._stand(at_s, self._next_beat)
            case _:
                self._turn(event)

    @property
    def tempo_bpm(self) -> float:
        """How fast the beat goes, in quarter notes per minute."""
        return self._tempo_bpm

    def beat_at(self, at_s: float) -> float | None:
        """Return the beat at a time; None if no beat runs then, as before a count-in or after a stop."""
        if self._span is None or self._is_halted or at_s < self._begun_s:
            return None
        return self._span.beat_at(at_s)

    def bar_at(self, at_s: float) -> int:
        """Return the bar at a time. A note struck just before a bar line belongs to the bar after it."""
        beat = self._next_beat if self._span is None else self._span.beat_at(at_s + EARLY_S)
        return self.bars.bar_at(beat)

    def _turn(self, event: object) -> None:
        """Process an event that stops the beat or counts the bars anew."""
        match event:
            case Rested() | Restarted() | Halted() | Detached():
                self._wait(event)
            case MeterSet() | Recounted():
                self._count_bars(event)
            case _:
                pass

    def _count_bars(self, event: MeterSet | Recounted) -> None:
        """Count bars of another meter or from another beat on."""
        self.bars = counted_after(self.bars, event)
        if isinstance(event, Recounted):
            self._stand(event.at_s, event.beat)

    def _anchor(self, event: Understood | Played, at_s: float, beat: float) -> None:
        """Set the beat from an Understood event. A note is slightly late, so it counts only if no beat is known yet."""
        if isinstance(event, Understood) or self._span is None:
            self._stand(at_s, beat)

    def _wait(self, event: Rested | Restarted | Halted | Detached) -> None:
        """Make the player's next note begin a bar, unless an outer clock keeps the beat or has stopped."""
        match event:
            case Restarted():
                self._is_given, self._is_halted, self._span, self._next_beat = False, False, None, 0.0
                self.bars = self._first_bars
            case Rested(beat=beat) if not self._is_given:
                self._span, self._next_beat = None, self.bars.line_after(beat)
            case Halted():
                self._is_halted = True
            case Detached(at_s) if self._span is not None:
                next_beat = self.bars.line_after(self._span.beat_at(at_s))
                self._is_given, self._is_halted = False, False
                self._span, self._next_beat = None, next_beat
            case _:
                pass

    def _stand(self, at_s: float, beat: float) -> None:
        """Set `beat` at the time `at_s`, and continue from there."""
        self._span = Span(at_s, beat, self._tempo_bpm)
