"""Converts times of a recording to beats, by the tempo and the beat as they were while it was played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.protocol import Heard, Played, Restarted, Rested, Started, Synced, Understood
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from improviser.music.meter import Meter

# A beat that is further than this from the expected beat counts as a jump.
JUMP_BEATS: Final = 0.25
# A note struck up to this long before a bar line belongs to the bar after it.
EARLY_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch with one tempo: it starts at `at_s` with `beat`."""

    at_s: float
    beat: float
    tempo_bpm: float

    def beat_at(self, at_s: float) -> float:
        """Return the beat at a time in seconds."""
        return self.beat + (at_s - self.at_s) * self.tempo_bpm / S_PER_MINUTE


class Timeline:
    """The beats of a recording. They never go back: after a jump the recording continues with the next bar."""

    def __init__(self, start_s: float, tempo_bpm: float, bar_beats: float, events: Iterable[object]) -> None:
        """Begin with beat 0 at `start_s`, and follow those of the events that set the beat or the tempo."""
        self._bar_beats = bar_beats
        self._spans = [Span(start_s, 0.0, tempo_bpm)]
        self._jumped = 0.0
        for event in events:
            match event:
                case Synced(at_s, beat, tempo_bpm):
                    self._go_on(at_s, beat, tempo_bpm)
                case Started(at_s, beat):
                    self._go_on(at_s, beat, self._spans[-1].tempo_bpm)
                case _:
                    pass

    @property
    def spans(self) -> Sequence[Span]:
        """The spans in order."""
        return self._spans

    def beat_at(self, at_s: float) -> float:
        """Return the beat at a time in seconds."""
        spans = (span for span in reversed(self._spans) if span.at_s <= at_s)
        return next(spans, self._spans[0]).beat_at(at_s)

    def s_at(self, beat: float) -> float:
        """Return the time of a beat in seconds."""
        span = next((span for span in reversed(self._spans) if span.beat <= beat), self._spans[0])
        return span.at_s + (beat - span.beat) * S_PER_MINUTE / span.tempo_bpm

    def _go_on(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Continue from `at_s` with a beat of the jam. If the beat jumps, shift it to the next bar."""
        expected = self._spans[-1].beat_at(at_s)
        if abs(beat + self._jumped - expected) > JUMP_BEATS:
            bars = math.ceil((expected - beat - JUMP_BEATS) / self._bar_beats)
            self._jumped = bars * self._bar_beats
        self._spans.append(Span(at_s, beat + self._jumped, tempo_bpm))


class BarCount:
    """Says which bar a time is in, by the performer's events.

    Without an outer clock the player's first note begins bar 1. The first note after a rest begins the bar after the
    last one that was played.
    """

    def __init__(self, meter: Meter, tempo_bpm: float) -> None:
        """Wait for the beat to begin."""
        self._meter = meter
        self._tempo_bpm = tempo_bpm
        self._is_given = False
        self._span: Span | None = None
        # The beat on which the player's next note falls.
        self._next_beat = 0.0

    def follow(self, event: object) -> None:
        """Process an event if it says where the beat is."""
        match event:
            case Started(at_s, beat):
                self._is_given = True
                self._stand(at_s, beat)
            case Synced(at_s, beat, tempo_bpm):
                self._tempo_bpm = tempo_bpm
                if self._span is not None:
                    self._stand(at_s, beat)
            case Understood(at_s=at_s, beat=beat) | Played(due_s=at_s, beat=beat):
                self._anchor(event, at_s, beat)
            case Rested() | Restarted():
                self._wait(event)
            case Heard(at_s) if self._span is None:
                self._stand(at_s, self._next_beat)
            case _:
                pass

    def bar_at(self, at_s: float) -> int:
        """Return the bar at a time. A note struck just before a bar line belongs to the bar after it."""
        beat = self._next_beat if self._span is None else self._span.beat_at(at_s + EARLY_S)
        return self._meter.bar_at(beat)

    def _anchor(self, event: Understood | Played, at_s: float, beat: float) -> None:
        """Set the beat from an Understood event. A note is slightly late, so it counts only if no beat is known yet."""
        if isinstance(event, Understood) or self._span is None:
            self._stand(at_s, beat)

    def _wait(self, event: Rested | Restarted) -> None:
        """Make the player's next note begin a bar, unless an outer clock keeps the beat."""
        if isinstance(event, Restarted):
            self._is_given, self._span, self._next_beat = False, None, 0.0
        elif not self._is_given:
            self._span, self._next_beat = None, self._meter.bar_at(event.beat) * self._meter.bar_beats

    def _stand(self, at_s: float, beat: float) -> None:
        """Set `beat` at the time `at_s`, and continue from there."""
        self._span = Span(at_s, beat, self._tempo_bpm)
