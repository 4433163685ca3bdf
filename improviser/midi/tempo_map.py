"""The seconds of a song's ticks: the one place that applies a tempo map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from improviser.midi.song import Song

# RP-001: a song without a tempo plays 120 beats per minute.
DEFAULT_US_PER_BEAT: Final = 500_000
_US: Final = 1e6


class TempoMap:
    """Maps the ticks of a song to seconds from its start."""

    def __init__(self, song: Song) -> None:
        """Take the tempo changes of `song`; until the first one, the tempo is 120 beats per minute."""
        ticks = [0, *(change.tick for change in song.tempo_map)]
        tempos = [DEFAULT_US_PER_BEAT, *(change.us_per_beat for change in song.tempo_map)]
        self._ticks = np.array(ticks, dtype=np.float64)
        self._tick_s = np.array(tempos, dtype=np.float64) / (_US * song.ticks_per_beat)
        self._at_s = np.concatenate([[0.0], np.cumsum(np.diff(self._ticks) * self._tick_s[:-1])])

    def seconds_at(self, ticks: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the seconds from the start of the song at each of `ticks`."""
        moments = np.asarray(ticks, dtype=np.float64)
        rows = np.maximum(np.searchsorted(self._ticks, moments, side="right") - 1, 0)
        found: npt.NDArray[np.float64] = self._at_s[rows] + (moments - self._ticks[rows]) * self._tick_s[rows]
        return found
