"""Notices a fermata: the player holds a note for longer than they did before. MidiInput knows whether they hold one."""

from __future__ import annotations

from collections import deque
from typing import Final

# Notes of one chord count as one onset.
CHORD_S: Final = 0.03
# The distances between onsets that are remembered, and how many are needed to know what is usual.
GAPS: Final = 24
KNOWN_GAPS: Final = 8
FEW_GAPS: Final = 3
# A note that is held for less than a bar is no fermata. After many notes of about a beat or less, two beats suffice.
SHORTEST_BEATS: Final = 2.0
SHORT_BEATS: Final = 1.1
# A note counts as held longer than before once it exceeds the longest one by this.
BEYOND_BEATS: Final = 0.35
# Who holds a note for longer than this wants improviser to play over it.
LONGEST_S: Final = 4.0
# Onsets further apart than this have a rest between them, which says nothing about how long notes are held.
REST_S: Final = 8.0


class Fermata:
    """Remembers how far apart the player's onsets are."""

    def __init__(self) -> None:
        """Start before the first onset."""
        self._gaps_s: deque[float] = deque(maxlen=GAPS)
        self._onset_s: float | None = None

    def add_onset(self, at_s: float) -> None:
        """Add a note that begins at `at_s`; a note of the same chord is no other onset."""
        if self._onset_s is not None:
            gap_s = at_s - self._onset_s
            if gap_s <= CHORD_S:
                return
            if gap_s <= REST_S:
                self._gaps_s.append(gap_s)
        self._onset_s = at_s

    @property
    def gap_s(self) -> float | None:
        """The median distance between onsets in seconds; None before there are enough."""
        return sorted(self._gaps_s)[len(self._gaps_s) // 2] if len(self._gaps_s) >= FEW_GAPS else None

    def is_on(self, at_s: float, beat_s: float, bar_s: float) -> bool:
        """Return whether a note that is held now is held longer than before, but not so long that it asks for a solo.

        Args:
            at_s: The time.
            beat_s: The length of a beat.
            bar_s: The length of a bar.
        """
        since_s = self._begins_s(beat_s, bar_s)
        return since_s is not None and since_s <= at_s < since_s + LONGEST_S

    def _begins_s(self, beat_s: float, bar_s: float) -> float | None:
        """Return from when on a held note is a fermata if no other one comes; None while too little is known."""
        if self._onset_s is None or len(self._gaps_s) < KNOWN_GAPS:
            return None
        longest_s = max(self._gaps_s)
        is_lively = len(self._gaps_s) == GAPS and longest_s <= SHORT_BEATS * beat_s
        return self._onset_s + max(longest_s, SHORTEST_BEATS * beat_s if is_lively else bar_s) + BEYOND_BEATS * beat_s
