"""Which beat of a recording stands at a moment, as the tempo and the beat went while it was played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.control import Started, Synced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_S_PER_MINUTE: Final = 60.0
# A beat that is further than this from where the last one led has jumped.
JUMP_BEATS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Span:
    """From `at_s` on, where `beat` stands, the beat goes at a tempo."""

    at_s: float
    beat: float
    tempo_bpm: float

    def beat_at(self, at_s: float) -> float:
        """Give the beat at a moment."""
        return self.beat + (at_s - self.at_s) * self.tempo_bpm / _S_PER_MINUTE


class Timeline:
    """The beats of a recording, which never go back: where the beat jumps, the next bar follows."""

    def __init__(self, start_s: float, tempo_bpm: float, bar_beats: float, events: Iterable[object]) -> None:
        """Begin at `start_s` with beat 0, and go as those of the events say that tell of the beat."""
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
        """Give the beat at a moment."""
        spans = (span for span in reversed(self._spans) if span.at_s <= at_s)
        return next(spans, self._spans[0]).beat_at(at_s)

    def s_at(self, beat: float) -> float:
        """Give the moment of a beat."""
        span = next((span for span in reversed(self._spans) if span.beat <= beat), self._spans[0])
        return span.at_s + (beat - span.beat) * _S_PER_MINUTE / span.tempo_bpm

    def _go_on(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Let a beat, as the jam counts it, stand at a moment."""
        expected = self._spans[-1].beat_at(at_s)
        if abs(beat + self._jumped - expected) > JUMP_BEATS:
            bars = math.ceil((expected - beat - JUMP_BEATS) / self._bar_beats)
            self._jumped = bars * self._bar_beats
        self._spans.append(Span(at_s, beat + self._jumped, tempo_bpm))
