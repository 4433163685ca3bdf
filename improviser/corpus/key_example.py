"""Examples to measure the key that is heard: pieces as streams of onsets, some with a modulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.piece import TICKS_PER_BEAT, Piece, bar_ticks
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Key, Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

# Minimum number of bars before a modulation, and after it.
MODULATION_BARS: Final = 2
_ONSET, _LENGTH, _NOTE = range(3)


@dataclass(frozen=True, slots=True)
class Stream:
    """The notes of a player in order of time.

    Attributes:
        name: Name of the piece.
        meter: Row of METERS.
        bar_beats: Quarter notes per bar.
        beats: (notes,) onsets in quarter notes; 0 is a downbeat.
        notes: (notes,) MIDI notes, 0-127.
        lengths: (notes,) durations in quarter notes. How long each note sounds.
        keys: (notes,) indices of the true key at each note.
        turn: Index of the first note of the new key; 0 without a modulation.
    """

    name: str
    meter: int
    bar_beats: float
    beats: npt.NDArray[np.float64]
    notes: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.float64]
    keys: npt.NDArray[np.int64]
    turn: int = 0


def to_stream(piece: Piece, voices: Sequence[int], rng: np.random.Generator) -> Stream:
    """Return the notes of a player who plays these voices; the notes of a chord are in random order."""
    rows = np.concatenate([piece.voices[voice] for voice in voices])
    rows = rows[np.lexsort((rng.random(len(rows)), rows[:, _ONSET]))]
    key = Key(piece.tonic, Mode[piece.mode.upper()]).index
    return Stream(
        name=piece.name,
        meter=METERS.index(Meter(*piece.meter)),
        bar_beats=bar_ticks(piece.meter) / TICKS_PER_BEAT,
        beats=rows[:, _ONSET] / TICKS_PER_BEAT,
        notes=rows[:, _NOTE].astype(np.int64),
        lengths=rows[:, _LENGTH] / TICKS_PER_BEAT,
        keys=np.full(len(rows), key),
    )


def from_first_note(stream: Stream) -> Stream:
    """Return the stream as heard without a known beat: its first note counts as a downbeat."""
    return replace(stream, beats=stream.beats - stream.beats[0])


def modulated(stream: Stream, rng: np.random.Generator, semitones: int | None = None) -> Stream | None:
    """Return the stream transposed from a random bar line on; None if it is too short.

    Args:
        stream: A stream in one key.
        rng: Chooses the bar line, whether the notes go up or down, and the interval if `semitones` is None.
        semitones: Interval from the old tonic up to the new one, 1-11.
    """
    margin = MODULATION_BARS * stream.bar_beats
    lines = np.arange(margin, stream.beats[-1] - margin, stream.bar_beats)
    if not len(lines):
        return None
    up = int(rng.integers(1, OCTAVE)) if semitones is None else semitones
    is_new = stream.beats >= rng.choice(lines)
    octave = OCTAVE * int(rng.integers(2))
    tonics, modes = stream.keys % OCTAVE, stream.keys // OCTAVE
    return replace(
        stream,
        notes=stream.notes + np.where(is_new, up - octave, 0),
        keys=np.where(is_new, (tonics + up) % OCTAVE, tonics) + OCTAVE * modes,
        turn=int(is_new.argmax()),
    )
