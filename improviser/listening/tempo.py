"""The beat clock: maps monotonic seconds to beats and back."""

from __future__ import annotations

from math import floor

SECONDS_PER_MINUTE = 60.0


STRAIGHT = 0.5


class BeatClock:
    """Maps seconds to beats (quarter notes) and back, at a tempo, from an anchor at which both are known.

    With swing, the first half of each beat takes a larger share of its time than the second. The beats themselves
    stay straight. The `straight_` methods ignore swing, for everything that follows the beat as a clock does.
    """

    def __init__(self, tempo_bpm: float, swing: float = STRAIGHT) -> None:
        """Start at beat 0 at second 0; `swing` is the first eighth's share of a beat, 0.5 for straight."""
        self.tempo_bpm = tempo_bpm
        self._swing = swing
        self._at_s = 0.0
        self._beat = 0.0

    @property
    def beat_s(self) -> float:
        """The length of a beat in seconds."""
        return SECONDS_PER_MINUTE / self.tempo_bpm

    def anchor(self, at_s: float, beat: float) -> None:
        """Set the beat at the moment `at_s`, counted without swing."""
        self._at_s, self._beat = at_s, beat

    def anchor_bent(self, at_s: float, beat: float) -> None:
        """Set the beat at the moment `at_s`, counted with swing."""
        self.anchor(at_s, beat if self._swing == STRAIGHT else bent(beat, STRAIGHT, self._swing))

    def set_tempo(self, tempo_bpm: float, at_s: float) -> None:
        """Change the tempo from the moment `at_s` on; the beat does not jump."""
        self.anchor(at_s, self.straight_beat_at(at_s))
        self.tempo_bpm = tempo_bpm

    def follow(self, at_s: float, beat: float, tempo_bpm: float) -> None:
        """Set the beat at the moment `at_s` and the tempo from then on, as an external clock reports them."""
        self.anchor(at_s, beat)
        self.tempo_bpm = tempo_bpm

    def beat_at(self, at_s: float) -> float:
        """Return the beat at the moment `at_s`."""
        beat = self.straight_beat_at(at_s)
        return beat if self._swing == STRAIGHT else bent(beat, self._swing, STRAIGHT)

    def s_at(self, beat: float) -> float:
        """Return the moment of `beat` in seconds."""
        return self.straight_s_at(beat if self._swing == STRAIGHT else bent(beat, STRAIGHT, self._swing))

    def straight_beat_at(self, at_s: float) -> float:
        """Return the beat at the moment `at_s`, counted without swing."""
        return self._beat + (at_s - self._at_s) / self.beat_s

    def straight_s_at(self, beat: float) -> float:
        """Return the moment of `beat`, counted without swing, in seconds."""
        return self._at_s + (beat - self._beat) * self.beat_s


def bent(beat: float, half: float, goes_to: float) -> float:
    """Return `beat` with its position within the beat changed: `half` becomes `goes_to`, the rest in proportion."""
    whole = floor(beat)
    place = beat - whole
    if place < half:
        return whole + place / half * goes_to
    return whole + goes_to + (place - half) / (1 - half) * (1 - goes_to)
