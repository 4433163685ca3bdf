"""What happened in each beat, as numbers from which the bar network judges where the bar line is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import EARLY_BEATS

if TYPE_CHECKING:
    from improviser.listening.beat.onset_collector import Strength

Array = npt.NDArray[np.float32]

# An onset this near to a beat is on it. Others are put down at the nearest of these parts of the beat.
NEAR_BEATS: Final = 0.16
PARTS: Final = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4])
_HEARD, _NOTES, _BASS, _LOUD, _FRESH, _LEAP, _LONG, _OFF_ACCENT, _OFF_BASS, _OFF_FRESH, _PARTS = range(11)
SUMMARY: Final = _PARTS + len(PARTS)
_LONGEST_BEATS: Final = 4.0


class BeatSummaries:
    """Sums up onsets by the beat to which they belong."""

    def __init__(self) -> None:
        """Begin at beat 0."""
        self.beat = 0
        self._row: Array = np.zeros(SUMMARY, dtype=np.float32)
        self._long: tuple[Array, float] | None = None

    def add_onset(self, count: float, strength: Strength) -> list[Array]:
        """Add an onset at `count` beats; return the summaries, (SUMMARY,), of the beats that are complete by it."""
        done = self._close(int(np.floor(count + EARLY_BEATS)))
        if self._long is not None:
            row, since = self._long
            row[_LONG] = min(max(count - since, 0.0), _LONGEST_BEATS) / 2
            self._long = None
        away = count - self.beat
        if abs(away) <= NEAR_BEATS:
            self._add_on(strength)
            self._long = (self._row, count)
        else:
            self._add_off(away, strength)
        return done

    def _close(self, beat: int) -> list[Array]:
        """Move on to `beat`; return the summaries of the beats before it."""
        done = []
        while self.beat < beat:
            done.append(self._row)
            self._row = np.zeros(SUMMARY, dtype=np.float32)
            self.beat += 1
        return done

    def _add_on(self, strength: Strength) -> None:
        """Add an onset on the beat."""
        values = (1.0, strength.notes / 2, strength.bass, strength.loud, strength.fresh, strength.leap)
        self._row[:_LONG] = np.maximum(self._row[:_LONG], values)

    def _add_off(self, away: float, strength: Strength) -> None:
        """Add an onset between two beats."""
        off = slice(_OFF_ACCENT, _PARTS)
        self._row[off] = np.maximum(self._row[off], (strength.accent, strength.bass, strength.fresh))
        self._row[_PARTS + int(np.argmin(np.abs(PARTS - away)))] = 1.0
