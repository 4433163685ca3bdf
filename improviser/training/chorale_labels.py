"""The harmony of a chorale: one chord a beat, from what its voices sound together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.observation import STYLES
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITIES, QUALITY_COUNT
from improviser.music.pitch import OCTAVE, pitch_class_bits
from improviser.training.grid import ALTO, BASS, SOPRANO, TENOR, chorale_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from improviser.corpus.piece import Piece

Labels = npt.NDArray[np.int64]

ALL_VOICES: Final = (SOPRANO, ALTO, TENOR, BASS)
STEPS_PER_BEAT: Final = 4
# The intervals that identify a chord without its fifth, by the chord's quality.
_INCOMPLETE: Final = {"": (0, 4), "m": (0, 3), "7": (0, 4, 10), "maj7": (0, 4, 11), "m7": (0, 3, 10)}


@dataclass(frozen=True, slots=True)
class Harmony:
    """What a player sounds of a chorale, and the harmony of all its voices; the tonic is C.

    Attributes:
        mode: Row of Mode.
        levels: (bar_steps,) row of music.accent.LEVELS.
        bits: (steps,) twelve-bit pitch-class sets of what the player sounds.
        labels: (steps,) the chord of the beat, NO_CHORD where its voices form none.
    """

    mode: int
    levels: npt.NDArray[np.int64]
    bits: npt.NDArray[np.int64]
    labels: Labels


def _set_labels() -> Labels:
    """Return the chord of each twelve-bit set, (4096,); for an augmented triad, the one with the lowest root."""
    labels = np.full(1 << OCTAVE, NO_CHORD, dtype=np.int64)
    for root in range(OCTAVE):
        for quality, (name, _) in enumerate(QUALITIES):
            if name in _INCOMPLETE:
                labels[pitch_class_bits([root + up for up in _INCOMPLETE[name]])] = root * QUALITY_COUNT + quality
    labels[CHORD_BITS[:CHORD_COUNT][::-1]] = np.arange(CHORD_COUNT)[::-1]
    return labels


SET_LABELS: Final = _set_labels()


def beat_labels(bits: npt.NDArray[np.int64], beat_steps: int) -> Labels:
    """Return the chord that sounds longest in each beat, repeated at every step, (steps,); the first one on a tie.

    Args:
        bits: (steps,) twelve-bit pitch-class sets of what all voices sound.
        beat_steps: Steps in a beat; must divide the number of steps.
    """
    labels = np.full(len(bits), NO_CHORD, dtype=np.int64)
    for start in range(0, len(bits), beat_steps):
        found = SET_LABELS[bits[start : start + beat_steps]].tolist()
        named = [label for label in found if label != NO_CHORD]
        if named:
            labels[start : start + beat_steps] = max(named, key=named.count)
    return labels


def harmonies(pieces: Iterable[Piece], heard: tuple[int, ...], speed: int = 1) -> Iterator[Harmony]:
    """Yield each chorale as a player of the voices `heard` sounds it, `speed` times as fast."""
    for piece in pieces:
        if piece.kind != "chorale" or len(piece.voices) != len(ALL_VOICES):
            continue
        casts = ((ALL_VOICES, BASS), (heard, BASS))
        whole, part = chorale_parts([piece], STYLES[0], STEPS_PER_BEAT, speed=speed, casts=casts)
        labels = beat_labels(whole.bits, STEPS_PER_BEAT // speed)
        yield Harmony(part.mode, LEVELS[part.meter, : part.bar_steps], part.bits, labels)
