"""A generated player with human time: a melody over a bass, with a tempo curve, jitter and fermatas."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from improviser.midi.message import NoteOff, NoteOn
from improviser.performer.assembly import tracker_maker
from improviser.protocol import MeterSet, Synced
from improviser.session.timeline import Span
from tests.performing import ENGINE, START_S, Performance, performer_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.performer.clock.beat_follower import NewTracker

# Parts of a beat by which a tempo curve is summed up.
PARTS = 16
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def steady(tempo_bpm: float) -> Callable[[float], float]:
    """Return the curve of a player who keeps a tempo."""
    return lambda _beat: tempo_bpm


def ramp(start_bpm: float, end_bpm: float, since: float, until: float) -> Callable[[float], float]:
    """Return the curve of a player who goes from one tempo to another between two beats."""

    def tempo_bpm(beat: float) -> float:
        """Return the tempo at a beat."""
        share = min(1.0, max(0.0, (beat - since) / (until - since)))
        return start_bpm * math.exp(share * math.log(end_bpm / start_bpm))

    return tempo_bpm


@cache
def shared_maker() -> NewTracker:
    """Return what makes a tracker with the shipped model, loaded once."""
    return tracker_maker()


@dataclass
class Human:
    """A player of bars in 4/4.

    Attributes:
        tempo_bpm: Returns the tempo at a beat.
        beats: How many beats they play.
        jitter_s: The spread of their onsets.
        holds_s: The seconds for which they hold the note on a beat longer than it is written.
        has_bass: Whether they play a bass on each beat.
        only_quarters: Whether they play one plain quarter a beat and nothing else.
    """

    tempo_bpm: Callable[[float], float]
    beats: int
    jitter_s: float = 0.008
    holds_s: dict[int, float] = field(default_factory=dict)
    has_bass: bool = True
    only_quarters: bool = False

    def __post_init__(self) -> None:
        """Sum up the tempo curve."""
        self._table = [0.0]
        for part in range((self.beats + 4) * PARTS):
            beat = part / PARTS
            longer_s = self.holds_s.get(round(beat), 0.0) if beat == round(beat) else 0.0
            self._table.append(self._table[-1] + 60 / self.tempo_bpm(beat) / PARTS + longer_s)

    def s_at(self, beat: float) -> float:
        """Return when a beat is, in seconds after the first."""
        part = math.floor(beat * PARTS)
        here_s, next_s = self._table[part : part + 2]
        return here_s + (beat * PARTS - part) * (next_s - here_s)

    def perform(self, performance: Performance) -> None:
        """Schedule all notes on the keyboard of a performance."""
        chance = random.Random(1)  # noqa: S311 - no secret
        beat = 0.0
        while beat < self.beats:
            is_held = round(beat) in self.holds_s and beat == round(beat)
            long = 1.0 if self.only_quarters or is_held else chance.choice((1.0, 0.5, 0.5, 0.5))
            for part in range(2 if long < 1 else 1):
                self._note(performance, beat + part * long, long, chance.choice(SCALE), chance)
            if self.has_bass and not self.only_quarters:
                self._note(performance, beat, 0.95, 36 if beat % 4 == 0 else 43, chance)
            beat += 1.0

    def _note(self, performance: Performance, beat: float, long: float, note: int, chance: random.Random) -> None:
        """Schedule one note."""
        late_s = chance.gauss(0.0, self.jitter_s) if beat else 0.0
        velocity = (90 if beat % 4 == 0 else 74) + chance.randrange(6)
        performance.play(max(0.0, self.s_at(beat) + late_s), NoteOn(0, note, velocity))
        performance.play(self.s_at(beat + 0.9 * long), NoteOff(0, note))


def followed(human: Human, expects_bpm: float, **settings: Any) -> Performance:  # noqa: ANN401 - any field
    """Return a performance with a player, at the end of what they play."""
    engine = ENGINE | {"tempo_bpm": expects_bpm, "collect_s": 0.02}
    performance = Performance(performer_settings(**({"engine": engine} | settings)), new_tracker=shared_maker())
    human.perform(performance)
    performance.run(human.s_at(human.beats - 1) + 0.2)
    return performance


def beat_at(performance: Performance, at_s: float) -> float:
    """Return the beat of a performance at a time in seconds after the start, as the journal tells it."""
    span = Span(START_S, 0.0, performance.settings.engine["tempo_bpm"])
    for event in performance.told(Synced):
        if event.at_s <= START_S + at_s + 1e-9:
            span = Span(event.at_s, event.beat, event.tempo_bpm)
    return span.beat_at(START_S + at_s)


def apart(performance: Performance, human: Human, beats: range) -> list[float]:
    """Return how far our beat is from the player's on each of some beats, at most half a beat."""
    beat = [beat_at(performance, human.s_at(place)) for place in beats]
    return [each - round(each) for each in beat]


def bars(performance: Performance) -> list[tuple[float, tuple[int, int]]]:
    """Return the bar lines that were found."""
    return [(event.beat, event.meter) for event in performance.told(MeterSet)]
