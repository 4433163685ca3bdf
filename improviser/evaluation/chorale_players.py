"""Players of some voices of a chorale, with the harmony of all its voices: what the chord tracker should hear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.listening.observation import STYLES
from improviser.music.accent import LEVELS
from improviser.training.chorale_harmony import Labels, exact_labels
from improviser.training.grid import ALTO, BASS, SOPRANO, TENOR, chorale_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt

    from improviser.corpus.piece import Piece
    from improviser.listening.line import Events

ALL_VOICES: Final = (SOPRANO, ALTO, TENOR, BASS)
STEPS_PER_BEAT: Final = 4


@dataclass(frozen=True, slots=True)
class Harmony:
    """What a player sounds of a chorale, beside the harmony of all its voices; the tonic is C.

    Attributes:
        mode: Row of Mode.
        levels: (bar_steps,) of music.accent.LEVELS.
        bits: (steps,) twelve-bit sets of what the player sounds.
        bass: (steps,) the player's lowest note.
        events: (steps,) events of the player's top voice.
        labels: (steps,) the chord of the beat, NO_CHORD where its voices form none.
    """

    mode: int
    levels: npt.NDArray[np.int64]
    bits: npt.NDArray[np.int64]
    bass: npt.NDArray[np.int64]
    events: Events
    labels: Labels


def harmonies(pieces: Iterable[Piece], heard: tuple[int, ...], speed: int = 1) -> Iterator[Harmony]:
    """Return each chorale as a player of the voices `heard` sounds it, `speed` times as fast."""
    for piece in pieces:
        if piece.kind != "chorale" or len(piece.voices) != len(ALL_VOICES):
            continue
        casts = ((ALL_VOICES, BASS), (heard, BASS))
        whole, part = chorale_parts([piece], STYLES[0], STEPS_PER_BEAT, speed=speed, casts=casts)
        labels = exact_labels(whole.bits, STEPS_PER_BEAT // speed)
        yield Harmony(part.mode, LEVELS[part.meter, : part.bar_steps], part.bits, part.bass, part.player, labels)
