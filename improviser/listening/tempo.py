"""The beat clock: maps monotonic seconds to beats and back."""

from __future__ import annotations

from math import floor

SECONDS_PER_MINUTE = 60.0


STRAIGHT = 0.5


class BeatClock:
    """Maps seconds to beats (quarter notes) and back, at a tempo, from an anchor at which both are known.

    With swing, the first half of each beat, or of each half beat, takes a larger share of its time than the second. The
    beats themselves stay straight. The `straight_` methods ignore swing, for everything that follows the beat as a
    clock does.
    """

    def __init__(self, tempo_bpm: float, swing: float = STRAIGHT, unit_beats: float = 1.0) -> None:
        """Start at beat 0 at second 0; see `set_swing`."""
        self.tempo_bpm = tempo_bpm
        self.set_swing(swing, unit_beats)
        self._at_s = 0.0
        self._beat = 0.0

    @property
    def beat_s(self) -> float:
        """The length of a beat in seconds."""
        return SECONDS_PER_MINUTE / self.tempo_bpm

    def set_swing(self, swing: float, unit_beats: float = 1.0) -> None:
        """Change the swing. The units stay where they are, so call it between two of them.

        Args:
            swing: The share of a unit that its first half takes, 0.5 for straight.
            unit_beats: 1 for swung eighths, 0.5 for swung sixteenths.
        """
        self._swing, self._unit_beats = swing, unit_beats

    def anchor(self, at_s: float, beat: float) -> None:
        """Set the beat at the moment `at_s`, counted without swing."""
        self._at_s, self._beat = at_s, beat

    def anchor_bent(self, at_s: float, beat: float) -> None:
        """Set the beat at the moment `at_s`, counted with swing."""
        self.anchor(at_s, self.swung(beat))

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
        return self._bent(self.straight_beat_at(at_s), self._swing, STRAIGHT)

    def s_at(self, beat: float) -> float:
        """Return the moment of `beat` in seconds."""
        return self.straight_s_at(self.swung(beat))

    def swung(self, beat: float) -> float:
        """Return where `beat`, counted with swing, falls when counted without."""
        return self._bent(beat, STRAIGHT, self._swing)

    def _bent(self, beat: float, half: float, goes_to: float) -> float:
        """Return `beat` with its position within the unit of swing changed; see `bent`."""
        unit = self._unit_beats
        return beat if self._swing == STRAIGHT else bent(beat / unit, half, goes_to) * unit

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
