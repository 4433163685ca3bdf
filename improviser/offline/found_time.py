"""The beats that were found in a performance, as a tempo map and a meter map.

Two maps are kept apart. Live, a position is reached when the belief of that moment reaches it; nothing is known of the
next beat. In the file that is written, each beat is where it was told, and ticks are even between two beats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.midi.song import MAX_US_PER_BEAT, MeterChange, TempoChange
from improviser.offline.bar_line import BarLine
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from improviser.listening.beat_tracker import BeatView

Floats = npt.NDArray[np.float64]

TICKS_PER_BEAT: Final = 960
# A position within a beat stays below the next beat until that is told.
_MOST_OF_A_BEAT: Final = 0.999
_US: Final = 1e6
_LEAST_BEAT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class FoundBeat:
    """A beat when it was told: its moment in seconds, its length in quarters, and what was believed."""

    at_s: float
    quarters: float
    view: BeatView


@dataclass(slots=True)
class FoundTime:
    """The beats of a performance, and where it stood at each reading of the clock.

    Positions are in quarters from the first beat.

    Attributes:
        beats: The beats that were told.
        readings_s: Moments of the readings.
        positions: The position at each reading; it never goes back.
    """

    beats: list[FoundBeat] = field(default_factory=list)
    readings_s: list[float] = field(default_factory=list)
    positions: list[float] = field(default_factory=list)
    _start: float = 0.0

    def add_beat(self, at_s: float, view: BeatView) -> None:
        """Add a beat that is told at `at_s`."""
        if self.beats:
            self._start += self.beats[-1].quarters
        self.beats.append(FoundBeat(at_s, view.meter.felt_beats, view))
        self._add(at_s, self._start)

    def add_reading(self, now_s: float, view: BeatView) -> None:
        """Add a reading of the clock between two beats."""
        if self.beats:
            beat = self.beats[-1]
            passed = min(_MOST_OF_A_BEAT, view.beat - int(beat.view.beat))
            self._add(now_s, self._start + passed * beat.quarters)

    def _add(self, at_s: float, position: float) -> None:
        """Add a moment and its position."""
        self.readings_s.append(at_s)
        self.positions.append(max(position, self.positions[-1]) if self.positions else position)

    def position_at(self, at_s: float) -> float:
        """Return the position that was reached at `at_s`; 0 before the first beat."""
        return float(np.interp(at_s, self.readings_s, self.positions))

    def moments_of(self, positions: npt.ArrayLike) -> Floats:
        """Return the moments at which the performance reached some positions."""
        wanted = np.asarray(positions, dtype=np.float64)
        after = np.minimum(np.searchsorted(self.positions, wanted - 1e-9), len(self.positions) - 1)
        before = np.maximum(after - 1, 0)
        reached, at_s = np.array(self.positions), np.array(self.readings_s)
        width = reached[after] - reached[before]
        share = np.where(width > 0, (wanted - reached[before]) / np.where(width > 0, width, 1), 1.0)
        found: Floats = at_s[before] + np.clip(share, 0, 1) * (at_s[after] - at_s[before])
        return found

    def bar_lines(self) -> list[BarLine]:
        """Return the bar lines at the positions at which they were told; the first beat is one."""
        starts = np.cumsum([0.0, *(beat.quarters for beat in self.beats[:-1])]).tolist()
        return [
            BarLine(start, beat.view.meter)
            for start, beat in zip(starts, self.beats, strict=True)
            if beat.view.beat_in_bar == 0 or beat is self.beats[0]
        ]


class WrittenTime:
    """The ticks of the file that is written: the found beats, after a lead of one quarter."""

    def __init__(self, found: FoundTime, end_s: float) -> None:
        """Write the beats of `found`, which has at least one; the last tempo goes on to `end_s`."""
        first = found.beats[0]
        lead_s = [0.0] if first.at_s >= _LEAST_BEAT_S else []
        last = found.beats[-1]
        beat_s = S_PER_MINUTE / last.view.tempo_bpm
        rest = max(1, int(np.ceil((end_s - last.at_s) / beat_s)))
        self.lead = float(len(lead_s))
        self._seconds = np.array(
            [*lead_s, *(beat.at_s for beat in found.beats), *(last.at_s + beat_s * np.arange(1, rest + 1))]
        )
        lengths = [1.0] * len(lead_s) + [beat.quarters for beat in found.beats] + [last.quarters] * (rest - 1)
        self._quarters = np.cumsum([0.0, *lengths])
        if not lead_s:
            self._seconds[0] = 0.0
        self._lines = found.bar_lines()

    def ticks_at(self, seconds: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the ticks of moments in seconds."""
        quarters = np.interp(np.asarray(seconds, dtype=np.float64), self._seconds, self._quarters)
        found: npt.NDArray[np.int64] = np.round(quarters * TICKS_PER_BEAT).astype(np.int64)
        return found

    @property
    def tempo_map(self) -> tuple[TempoChange, ...]:
        """The tempo from beat to beat."""
        quarter_us = np.diff(self._seconds) / np.diff(self._quarters) * _US
        ticks = np.round(self._quarters[:-1] * TICKS_PER_BEAT).astype(np.int64)
        limited = np.clip(np.round(quarter_us), 1, MAX_US_PER_BEAT).astype(np.int64)
        return tuple(TempoChange(tick, us) for tick, us in zip(ticks.tolist(), limited.tolist(), strict=True))

    @property
    def meter_map(self) -> tuple[MeterChange, ...]:
        """The time signatures: one where the meter changes, or a bar line is not where the last one puts it."""
        changes: list[MeterChange] = []
        if self.lead:
            changes.append(MeterChange(0, 1, 4))
        line: BarLine | None = None
        for told in self._lines:
            is_regular = line is not None and (told.beat - line.beat) % line.meter.bar_beats == 0
            if line is None or told.meter != line.meter or not is_regular:
                tick = round((self.lead + told.beat) * TICKS_PER_BEAT)
                changes.append(MeterChange(tick, told.meter.numerator, told.meter.denominator))
                line = told
        return tuple(changes)
