"""The beat in what a musician plays: phase, tempo and meter, as they are known at each moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.beat.bar_belief import BarBelief
from improviser.listening.beat.bar_network import BarNetwork
from improviser.listening.beat.bar_pointer import BarPointer, PointerSettings
from improviser.listening.beat.beat_grid import EARLY_BEATS
from improviser.listening.beat.beat_summary import BeatSummaries
from improviser.listening.beat.onset_collector import OnsetCollector, StrengthMeter
from improviser.listening.beat.onset_features import OnsetFeatures
from improviser.listening.beat.pulse_histogram import LAGS, pulse_histograms
from improviser.listening.beat.pulse_network import PulseNetwork
from improviser.listening.beat.sequence_network import SequenceNetwork
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from improviser.listening.beat.onset_collector import Onset
    from improviser.listening.beat.pulse_network import BeatWeights
    from improviser.music.meter import Meter

# Taps further apart say nothing about the tempo.
_TAP_S: Final = 2.0
_SHORTEST_TAP_S: Final = 0.2
# After this many beats without an onset the belief falls by half for each further one.
_QUIET_BEATS: Final = 2.0
_SETTINGS: Final = PointerSettings()


@dataclass(frozen=True, slots=True)
class BeatView:
    """The beat as it is believed at one moment.

    Attributes:
        at_s: Moment of the last beat, in seconds.
        beat: Beats since the first one, with the fraction that has passed.
        bar: Number of the bar, from 1.
        tempo_bpm: Beats per minute.
        confidence: How likely the beat is, in [0, 1].
        meter: The most likely meter.
        beat_in_bar: Place of the last beat in its bar, from 0.
    """

    at_s: float
    beat: float
    bar: int
    tempo_bpm: float
    confidence: float
    meter: Meter
    beat_in_bar: int


class BeatTracker:
    """Follows the beat of notes that it hears in the order of time.

    Nothing is known of what comes: a view at a moment depends on what began up to MERGE_S before it.
    """

    def __init__(
        self, prior_bpm: float, meter: Meter | None, weights: BeatWeights, settings: PointerSettings = _SETTINGS
    ) -> None:
        """Expect a tempo.

        Args:
            prior_bpm: A tempo to expect, in beats per minute; only a hint.
            meter: The meter, or None to find it.
            weights: The arrays of the fitted beat network.
            settings: How the belief moves.
        """
        self._pulse = PulseNetwork(weights)
        self._sequence = SequenceNetwork(weights)
        self._features = OnsetFeatures()
        self._bar_network = BarNetwork(weights)
        self._pointer = BarPointer(prior_bpm, settings)
        self._bars = BarBelief(meter)
        self._collector = OnsetCollector()
        self._complete: deque[Onset] = deque()
        self._strengths = StrengthMeter()
        self._summaries = BeatSummaries()
        self._heard: deque[tuple[float, float, float]] = deque(maxlen=LAGS + 1)
        self._at_s: float | None = None
        self._count = 0.0
        self._bar = 1
        self._tap_s: float | None = None

    def hear(self, at_s: float, note: int, velocity: int) -> None:
        """Hear a note 0-127 that begins at `at_s`. This takes no time: the work is left to `look`."""
        self._wait_for_look(self._collector.add_note(at_s, note, velocity))

    def nudge(self, at_s: float) -> None:
        """Take a tap of the player at `at_s`: the beat is there."""
        self._take_complete(at_s)
        gap_s = None if self._tap_s is None else at_s - self._tap_s
        self._tap_s = at_s
        self._move_to(at_s)
        self._pointer.nudge(gap_s if gap_s is not None and _SHORTEST_TAP_S <= gap_s <= _TAP_S else None)
        self._recount()

    def look(self, at_s: float) -> BeatView | None:
        """Return the beat at `at_s`; None before the first onset."""
        self._take_complete(at_s)
        if self._at_s is None:
            return None
        pointer = self._pointer.pointer
        beat = self._count + max(0.0, at_s - self._at_s) / pointer.period_s
        last = floor(beat)
        quiet = max(0.0, beat - self._count - _QUIET_BEATS)
        place, bar = self._place_of(last)
        return BeatView(
            at_s - (beat - last) * pointer.period_s,
            beat,
            bar,
            S_PER_MINUTE / pointer.period_s,
            pointer.confidence * 0.5**quiet,
            self._bars.meter,
            place,
        )

    def _place_of(self, beat: int) -> tuple[int, int]:
        """Return the place of a beat in its bar, and the number of the bar."""
        size = _beats_of(self._bars.meter)
        place = self._bars.beat_in_bar + beat - self._summaries.beat
        return place % size, self._bar + place // size

    def _wait_for_look(self, onset: Onset | None) -> None:
        """Keep a complete onset, if there is one, until the next look."""
        if onset is not None:
            self._complete.append(onset)

    def _take_complete(self, at_s: float) -> None:
        """Take the onsets that are complete at `at_s` into the belief."""
        self._wait_for_look(self._collector.take_due(at_s))
        while self._complete:
            self._take(self._complete.popleft())

    def _take(self, onset: Onset) -> None:
        """Take a complete onset into the belief."""
        strength = self._strengths.measure(onset)
        self._heard.append((onset.at_s, strength.accent, strength.fresh))
        at_s, accent, fresh = np.array(self._heard).T
        evidence = self._pulse.judge(*pulse_histograms(at_s, accent, fresh))
        evidence += self._sequence.judge(self._features.describe(onset, strength))
        self._move_to(onset.at_s)
        self._pointer.weigh(evidence)
        self._recount()
        count = max(self._count, self._summaries.beat - EARLY_BEATS)
        for summary in self._summaries.add_onset(count, strength):
            self._bars.weigh(self._bar_network.add_beat(summary))
            size = _beats_of(self._bars.meter)
            self._bar += (self._bars.beat_in_bar + 1) // size
            self._bars.advance()

    def _move_to(self, at_s: float) -> None:
        """Move the belief to a moment."""
        elapsed_s = 0.0 if self._at_s is None else max(0.0, at_s - self._at_s)
        if elapsed_s:
            self._count += elapsed_s / self._pointer.pointer.period_s
            self._pointer.advance(elapsed_s)
        self._at_s = at_s if self._at_s is None else max(at_s, self._at_s)

    def _recount(self) -> None:
        """Bring the count of beats to the phase of the belief, by the shortest way, and the bar to the count."""
        away = self._pointer.pointer.phase - self._count
        self._count = max(0.0, self._count + away - round(away))


def _beats_of(meter: Meter) -> int:
    """Return the number of felt beats in a bar."""
    return round(meter.bar_beats / meter.felt_beats)
