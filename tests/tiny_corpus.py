"""A corpus of a few bars, written by hand: chorales and tunes that need no file."""

from __future__ import annotations

import numpy as np

from improviser.corpus.piece import TICKS_PER_BEAT, Piece
from improviser.listening.line import HOLD, REST, Events

SIXTEENTH = TICKS_PER_BEAT // 4
_SILENT = {".": HOLD, "-": REST}


def to_events(text: str, steps: int = 0) -> Events:
    """Return the events that `text` describes: notes, . for a hold, - for a rest; padded with rests to `steps`."""
    events = [_SILENT[word] if word in _SILENT else int(word) for word in text.split()]
    return np.array(events + [REST] * (steps - len(events)), dtype=np.int16)


def to_voice(*notes: tuple[float, float, int]) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Return a voice of notes, each with its onset and duration in sixteenths."""
    ticks = [(round(onset * SIXTEENTH), round(length * SIXTEENTH), note) for onset, length, note in notes]
    return np.array(ticks, dtype=np.int32).reshape(-1, 3)


def steady_voice(*notes: int, length: float = 4) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Return a voice of equally long notes, one after another; `length` in sixteenths."""
    return to_voice(*((index * length, length, note) for index, note in enumerate(notes)))


def chorale(name: str = "chorale", split: str = "train", tonic: int = 0, bars: int = 8) -> Piece:
    """Return a chorale in 4/4: quarters in the soprano, eighths in the alto, slower tenor and bass."""
    soprano = [72, 74, 76, 74, 72, 71, 69, 71]
    alto = [64, 65, 67, 65, 64, 67, 65, 62]
    tenor, bass = [60, 59, 57, 55], [48, 43, 41, 43]
    voices = (
        steady_voice(*(soprano * bars)[: 4 * bars]),
        steady_voice(*(alto * bars)[: 8 * bars], length=2),
        steady_voice(*(tenor * bars)[: 2 * bars], length=8),
        steady_voice(*(bass * bars)[:bars], length=16),
    )
    moved = tuple(voice + np.array([0, 0, tonic], dtype=np.int32) for voice in voices)
    return Piece(name, "chorale", tonic, "major", (4, 4), 0, 0, split, moved)


def tune(name: str = "tune", split: str = "train", tonic: int = 0, bars: int = 8) -> Piece:
    """Return a tune in 4/4: eighths and a few sixteenths, with a rest at the end of every bar."""
    bar = [(0, 2, 60), (2, 2, 64), (4, 1, 67), (5, 1, 65), (6, 2, 64), (8, 4, 72), (12, 2, 71)]
    notes = [(16 * index + at, length, note + tonic) for index in range(bars) for at, length, note in bar]
    return Piece(name, "tune", tonic, "major", (4, 4), 0, 0, split, (to_voice(*notes),))


def tiny_corpus() -> list[Piece]:
    """Return two chorales and two tunes for each split."""
    makers = (chorale, tune)
    return [
        make(f"{make.__name__}-{split}-{tonic}", split, tonic)
        for split in ("train", "valid", "test")
        for make in makers
        for tonic in (0, 2)
    ]
