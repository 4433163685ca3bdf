"""The player's articulation: the share of the time to the next note for which a note sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

# Notes struck within this many beats are one chord. It is less than half of a sixteenth triplet.
CHORD_BEATS: Final = 0.08
# A longer time to the next note says nothing about articulation.
LONGEST_BEATS: Final = 2.1
# A silence of this many beats is a rest, not the gap after a detached note.
REST_BEATS: Final = 0.75


@dataclass(slots=True)
class _Struck:
    """A chord that was struck, and the beat at which its last key came up."""

    place: int
    beat: float
    keys: set[tuple[int, int]]
    end_beat: float | None = None


class Articulation:
    """Measures each note or chord when the next one begins."""

    def __init__(self) -> None:
        """Start in silence."""
        self._last: _Struck | None = None

    def strike(self, key: tuple[int, int], place: int, beat: float) -> tuple[int, float] | None:
        """Hear a key (channel, note) struck at a step of the bar; return the place and gate of the chord before.

        Returns:
            None if the key belongs to the same chord, or if the chord before says nothing.
        """
        last = self._last
        if last is not None and 0 <= beat - last.beat < CHORD_BEATS:
            last.keys.add(key)
            return None
        self._last = _Struck(place, beat, {key})
        return None if last is None or beat < last.beat else _gate(last, beat)

    def hear(self, sounding: AbstractSet[tuple[int, int]], beat: float) -> None:
        """Hear which keys sound at `beat`, after any message but a note-on."""
        last = self._last
        if last is not None and last.end_beat is None and last.keys.isdisjoint(sounding):
            last.end_beat = beat


def _gate(struck: _Struck, next_beat: float) -> tuple[int, float] | None:
    """Return the place and gate of a chord, None if it was followed by a rest or by a very late note."""
    apart = next_beat - struck.beat
    end_beat = next_beat if struck.end_beat is None else struck.end_beat
    if apart > LONGEST_BEATS or next_beat - end_beat > REST_BEATS:
        return None
    return struck.place, (end_beat - struck.beat) / apart
