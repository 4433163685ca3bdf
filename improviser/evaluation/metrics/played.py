"""A performance of one piece, and the counts that its figures are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, Events
from improviser.music.meter import METERS
from improviser.music.pitch import OCTAVE

# A melodic leap in semitones. Source: Jaques et al. (2016), arXiv 1611.02796, section 4.
LEAP: Final = 7
# Note lengths of 1 to 11 steps are distinguished; all longer ones are one class.
LENGTHS: Final = 12

Figures = dict[str, float]
BoolArray = npt.NDArray[np.bool_]
IntRow = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Performance:
    """What was played in one piece, (steps,) each.

    The events are notes or, where the role is "comping", chords. `chord_bits` is the chord behind the player, and
    `chord_root` its root in semitones above the tonic, for the figures that count roots.
    """

    events: Events
    player: Events
    bits: IntRow
    chord_bits: IntRow
    mode: int
    meter: int
    steps_per_beat: int
    role: str = "melody"
    chord_root: IntRow | None = None

    @property
    def bar_steps(self) -> int:
        """The number of steps in a bar."""
        return METERS[self.meter].bar_steps(self.steps_per_beat)


def note_lengths(events: Events) -> IntRow:
    """Return for each onset how many steps its note sounds, at most to the end of the events."""
    changes = np.append(np.flatnonzero(events != HOLD), len(events))
    lengths: IntRow = np.diff(changes)[events[changes[:-1]] >= 0]
    return lengths


def length_counts(events: Events) -> IntRow:
    """Return how many notes have each length, (LENGTHS,): 1 to 11 steps, and longer."""
    return np.bincount(np.minimum(note_lengths(events), LENGTHS) - 1, minlength=LENGTHS)


def pitch_class_counts(events: Events) -> IntRow:
    """Return how often each pitch class is struck, (12,)."""
    return np.bincount(events[events >= 0] % OCTAVE, minlength=OCTAVE)


def whole_bars(events: Events, bar_steps: int) -> list[Events]:
    """Return the whole bars, (bar_steps,) each; an incomplete last bar is left out."""
    return [events[at : at + bar_steps] for at in range(0, len(events) - bar_steps + 1, bar_steps)]


def percent(flags: object) -> float:
    """Return the share of true flags in percent, nan if there are no flags."""
    array = np.asarray(flags, dtype=np.float64)
    return float(100 * array.mean()) if array.size else float("nan")
