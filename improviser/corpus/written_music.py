"""Cuts the music of a file into stretches of one meter and one key, which are the pieces for training.

The bars of a stretch are counted from the change that begins it, so its tick 0 is a downbeat. A bar of odd length has a
meter of its own in a file, and is left out with all else that is too short.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from improviser.corpus.casting import NamedPart, cast
from improviser.corpus.piece import HIGHEST_NOTE, LOWEST_NOTE, ParsedScore, bar_ticks
from improviser.music.key_profile import likeliest_key
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Key, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

# A stretch has this many bars at least, and its tune this many notes.
MIN_BARS: Final = 8
MIN_NOTES: Final = 12
# Meters that are counted in another one.
_COUNTED: Final = {(2, 2): (4, 4)}
_ONSET, _LENGTH, _NOTE = range(3)

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class WrittenMusic:
    """The music of a file, in ticks of TICKS_PER_BEAT a quarter note.

    Attributes:
        name: The collection and the file.
        parts: The parts, without drums.
        meters: Tick and meter of each time signature, the first at tick 0.
        keys: Tick and key of each key signature; None where it does not tell the mode. Empty if there is none.
        chords: As Piece.chords.
        sections: As Piece.sections.
        faults: What could not be read, for the report.
    """

    name: str
    parts: tuple[NamedPart, ...]
    meters: tuple[tuple[int, tuple[int, int]], ...]
    keys: tuple[tuple[int, Key], ...]
    chords: NDArray[np.int32]
    sections: tuple[tuple[int, str], ...]
    faults: tuple[str, ...] = ()


@dataclass(slots=True)
class Cut:
    """What became of a file: its stretches, and how often something was left out for a reason."""

    scores: list[ParsedScore] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def cut(music: WrittenMusic) -> Cut:
    """Return the stretches of a file's music that training can use."""
    result = Cut()
    end = max((int((part.notes[:, _ONSET] + part.notes[:, _LENGTH]).max()) for part in music.parts), default=0)
    starts = sorted({0, *(tick for tick, _ in music.meters), *(tick for tick, _ in music.keys)})
    stretches = _joined(music, [start for start in starts if start < end], end)
    for start, stop, meter, key in stretches:
        reason, score = _stretch(music, start, stop, meter, key)
        if score is None:
            result.left_out[reason] += 1
        else:
            result.scores.append(score)
    if len(result.scores) > 1:
        result.scores = [_numbered(score, number) for number, score in enumerate(result.scores, 1)]
    return result


def _joined(
    music: WrittenMusic, starts: Sequence[int], end: int
) -> Iterator[tuple[int, int, tuple[int, int], Key | None]]:
    """Yield start, end, meter and key of each stretch; what goes on the same is one stretch."""
    held: tuple[int, int, tuple[int, int], Key | None] | None = None
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        meter = _at(music.meters, start) or (4, 4)
        meter, key = _COUNTED.get(meter, meter), _at(music.keys, start)
        if held is not None and held[2:] == (meter, key) and (start - held[0]) % bar_ticks(meter) == 0:
            held = (held[0], stop, meter, key)
            continue
        if held is not None:
            yield held
        held = (start, stop, meter, key)
    if held is not None:
        yield held


def _at(changes: Sequence[tuple[int, ValueT]], tick: int) -> ValueT | None:
    """Return the last of `changes` at or before `tick`; None if there is none."""
    return next((value for at, value in reversed(changes) if at <= tick), None)


def _stretch(
    music: WrittenMusic, start: int, stop: int, meter: tuple[int, int], key: Key | None
) -> tuple[str, ParsedScore | None]:
    """Return the score from `start` to `stop`, or the reason why there is none."""
    if Meter(*meter) not in METERS:
        return f"in {meter[0]}/{meter[1]}, which is not counted", None
    if stop - start < MIN_BARS * bar_ticks(meter):
        return f"shorter than {MIN_BARS} bars of one meter and key", None
    inside = [NamedPart(part.name, _within(part.notes, start, stop)) for part in music.parts]
    parts = [part for part in inside if len(part.notes) >= MIN_NOTES]
    if not parts:
        return f"without a part of {MIN_NOTES} notes", None
    kinds, notes = cast(parts)
    if len(notes[0]) < MIN_NOTES:
        return f"without a tune of {MIN_NOTES} notes", None
    key = key or _heard_key(notes)
    return "", ParsedScore(
        name=music.name,
        kind="score",
        tonic=key.tonic,
        mode=key.mode.name.lower(),
        meter=meter,
        voices=tuple(notes),
        parts=tuple(kinds),
        chords=_chords_within(music.chords, start, stop),
        sections=tuple((tick - start, name) for tick, name in music.sections if start <= tick < stop),
    )


def _within(notes: NDArray[np.int32], start: int, stop: int) -> NDArray[np.int32]:
    """Return the notes that begin from `start` up to but without `stop`, counted from `start` and ended by `stop`."""
    is_inside = (notes[:, _ONSET] >= start) & (notes[:, _ONSET] < stop)
    is_played = (notes[:, _NOTE] >= LOWEST_NOTE) & (notes[:, _NOTE] <= HIGHEST_NOTE)
    kept = notes[is_inside & is_played].copy()
    kept[:, _LENGTH] = np.minimum(kept[:, _LENGTH], stop - kept[:, _ONSET])
    kept[:, _ONSET] -= start
    return kept


def _chords_within(chords: NDArray[np.int32], start: int, stop: int) -> NDArray[np.int32]:
    """Return the chords from `start` to `stop`, counted from `start`; the one that holds at `start` begins there."""
    first = max(0, int(np.searchsorted(chords[:, 0], start, side="right")) - 1)
    kept = chords[first : int(np.searchsorted(chords[:, 0], stop))].copy()
    kept[:, 0] = np.maximum(kept[:, 0] - start, 0)
    return kept


def _heard_key(voices: Sequence[NDArray[np.int32]]) -> Key:
    """Return the likeliest key of all notes."""
    rows = np.concatenate(voices)
    sounded = np.bincount(rows[:, _NOTE] % OCTAVE, weights=rows[:, _LENGTH], minlength=OCTAVE)
    index = likeliest_key(sounded.astype(np.float64))
    return Key(index % OCTAVE, Mode(index // OCTAVE))


def _numbered(score: ParsedScore, number: int) -> ParsedScore:
    """Return a score with its number among the stretches of its file."""
    return replace(score, name=f"{score.name}#{number}")
