"""The beat: one map between monotonic seconds and beats."""

from __future__ import annotations

SECONDS_PER_MINUTE = 60.0


class BeatClock:
    """Maps seconds to beats (quarter notes) and back, at a tempo, from an anchor at which both are known."""

    def __init__(self, tempo_bpm: float) -> None:
        """Start at beat 0 at second 0."""
        self.tempo_bpm = tempo_bpm
        self._at_s = 0.0
        self._beat = 0.0

    @property
    def beat_s(self) -> float:
        """The length of a beat in seconds."""
        return SECONDS_PER_MINUTE / self.tempo_bpm

    def anchor(self, at_s: float, beat: float) -> None:
        """Let `beat` stand at the moment `at_s`."""
        self._at_s, self._beat = at_s, beat

    def set_tempo(self, tempo_bpm: float, at_s: float) -> None:
        """Go on at another tempo from the moment `at_s`; the beat does not jump."""
        self.anchor(at_s, self.beat_at(at_s))
        self.tempo_bpm = tempo_bpm

    def follow(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Let `beat` stand at the moment `at_s`, and go on from there at a tempo, as an outer clock says."""
        self.anchor(at_s, beat)
        self.tempo_bpm = tempo_bpm

    def beat_at(self, at_s: float) -> float:
        """Give the beat at the moment `at_s`."""
        return self._beat + (at_s - self._at_s) / self.beat_s

    def s_at(self, beat: float) -> float:
        """Give the moment of `beat` in seconds."""
        return self._at_s + (beat - self._beat) * self.beat_s
