"""Follows a heard tempo and beat smoothly, so that two that follow each other neither run away nor stall.

What goes into the beat is the player's tempo as it is heard, plus a little more or less to make up for a difference in
phase. Three things keep two coupled followers stable:

- Notes leave up to `lag_s` after their step, because improviser waits for the player's notes. A partner that does the
  same is heard that much late. So a player whose beat is up to `lag_s` after ours, or a little before it, is together
  with us, and nothing is corrected. If both corrected it, each round would be slower.
- Small differences in tempo are noise. Only a tempo outside a band around ours is followed, in proportion to the
  confidence.
- The tempo leaks to the mean tempo of the last minute, so that noise cannot add up to a drift.
"""

from __future__ import annotations

import math
from typing import Final

from improviser.units import S_PER_MINUTE

# Differences in tempo up to this share are noise. Source: coupled runs (`tests/unit/performer/clock/test_coupled.py`).
# A tempo that differs by more is followed until it differs by less than SAME_TEMPO.
TEMPO_BAND, SAME_TEMPO = 0.03, 0.005
# A beat that differs by up to this much is together. People in ensembles are 20 to 40 ms apart.
PHASE_BAND_S: Final = 0.012
# A difference in phase is made up for in this many beats, at most at this share of the tempo.
MEND_BEATS: Final = 0.5
BEND_MAX: Final = 0.3
# The tempo moves to the heard one by at most this share in a beat, so that a wrong reading does little in a beat.
SLEW_PER_BEAT: Final = 0.12
# The heard tempo is taken over in about this many beats.
TAKE_BEATS: Final = 0.5
# From this confidence on, what is heard counts fully.
CERTAIN: Final = 0.5
# The mean of the tempo forgets in this many beats, and the tempo leaks to it by this share in a beat.
MEAN_BEATS: Final = 64.0
LEAK_PER_BEAT: Final = 0.02


class TempoPursuit:
    """The tempo of a follower.

    Attributes:
        tempo_bpm: The music's tempo, in quarter notes per minute.
        pace_bpm: How fast the beat goes now.
        is_moving: Whether the tempo is on its way to the heard one.
    """

    def __init__(self, tempo_bpm: float) -> None:
        """Start at a tempo in quarter notes per minute."""
        self.tempo_bpm = self.pace_bpm = tempo_bpm
        self._mean = math.log(tempo_bpm)
        self.is_moving = False

    def jump(self, tempo_bpm: float) -> None:
        """Take over a tempo at once."""
        self.tempo_bpm = self.pace_bpm = tempo_bpm
        self._mean = math.log(tempo_bpm)

    def follow(self, heard_bpm: float, passed_beats: float, confidence: float) -> None:
        """Follow the player's tempo.

        Args:
            heard_bpm: The player's tempo.
            passed_beats: Beats since the last call.
            confidence: How sure the tempo is, 0-1.
        """
        certainty = min(1.0, confidence / CERTAIN)
        share = min(1.0, passed_beats / TAKE_BEATS) * certainty
        apart = math.log(heard_bpm / self.tempo_bpm)
        self.is_moving = abs(apart) > (SAME_TEMPO if self.is_moving else TEMPO_BAND)
        limit = SLEW_PER_BEAT * passed_beats
        move = min(limit, max(-limit, apart * share)) if self.is_moving else 0.0
        mean_share = min(1.0, passed_beats / MEAN_BEATS)
        self._mean += (math.log(self.tempo_bpm) - self._mean) * mean_share
        leak = (self._mean - math.log(self.tempo_bpm)) * min(1.0, LEAK_PER_BEAT * passed_beats)
        self.tempo_bpm *= math.exp(move if self.is_moving else leak)

    def mend(self, late_beats: float, lag_s: float, confidence: float) -> None:
        """Go faster or slower for a while, until our beat is together with the player's.

        Args:
            late_beats: How far our beat is behind the player's; negative: ahead of it.
            lag_s: How long after our step our notes leave.
            confidence: How sure the beat is, 0-1.
        """
        beat_s = S_PER_MINUTE / self.tempo_bpm
        missing = _beyond(late_beats, (PHASE_BAND_S + lag_s) / beat_s, PHASE_BAND_S / beat_s)
        certainty = min(1.0, confidence / CERTAIN)
        bend = min(BEND_MAX, max(-BEND_MAX, missing * certainty / MEND_BEATS))
        self.pace_bpm = self.tempo_bpm * (1.0 + bend)

    def hold(self) -> None:
        """Go on at the tempo, since nothing is sure."""
        self.pace_bpm = self.tempo_bpm


def _beyond(value: float, low: float, high: float) -> float:
    """Return how far a value lies outside -low to high; 0 within."""
    return value - high if value > high else min(0.0, value + low)
