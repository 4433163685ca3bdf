"""From when to when a performance lasts, and at which tempo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.music.meter import Meter

if TYPE_CHECKING:
    from improviser.engine import EngineSettings
    from improviser.protocol import Synced

_S_PER_MINUTE = 60.0


class Duration:
    """The first note, the end and the tempo, as far as they are known.

    Attributes:
        first_s: The player's first note; None before it.
        end_s: When it is over; None where nobody knows.
        tempo_bpm: Quarter notes a minute, as it is now.
    """

    def __init__(self, settings: EngineSettings, bars: int | None) -> None:
        """Wait for the first note; `bars` is how long it lasts, None: until it is stopped."""
        self.first_s: float | None = None
        self.end_s: float | None = None
        self.tempo_bpm = settings.tempo_bpm
        self._beats = None if bars is None else bars * Meter(*settings.meter).bar_beats

    def begin(self, at_s: float, tune_s: float | None) -> None:
        """Begin with the first note; without a number of bars it lasts as long as a tune, if there is one."""
        self.first_s = at_s
        length_s = tune_s if self._beats is None else self._beats * _S_PER_MINUTE / self.tempo_bpm
        self.end_s = None if length_s is None else at_s + length_s

    def begin_anew(self) -> None:
        """Wait for a first note again."""
        self.first_s = self.end_s = None

    def pace(self, synced: Synced) -> None:
        """Move the end, which stands some bars ahead, by a change of tempo."""
        if self.end_s is not None:
            left_s = (self.end_s - synced.at_s) * self.tempo_bpm / synced.tempo_bpm
            self.end_s = synced.at_s + left_s
        self.tempo_bpm = synced.tempo_bpm

    def is_over(self, now_s: float) -> bool:
        """Tell whether the end has come."""
        return self.end_s is not None and now_s >= self.end_s
