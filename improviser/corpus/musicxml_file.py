"""Reads the music of a MusicXML file: parts by staff, meters, keys, chord symbols; repeats are played out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from improviser.corpus.casting import NamedPart
from improviser.corpus.piece import NO_CHORDS, TICKS_PER_BEAT, UnfitError
from improviser.corpus.written_music import WrittenMusic
from improviser.errors import CorpusError, UsageError
from improviser.music.chord_symbol import parse_chord
from improviser.music.scale import Key, Mode

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from music21 import harmony, stream
    from numpy.typing import NDArray


def read_musicxml(path: Path, name: str) -> WrittenMusic:
    """Return the music of the MusicXML file at `path`.

    Raises:
        CorpusError: music21 is not installed.
        UnfitError: The file has no notes with a pitch.
    """
    try:
        from music21 import converter, harmony, key, meter  # noqa: PLC0415 - optional, and takes a second
    except ImportError as error:
        raise CorpusError('MusicXML needs music21: pip install "improviser-live[train]"') from error
    score = cast("stream.Score", converter.parseFile(path, forceSource=True, storePickle=False))
    score = _unrolled(score)
    parts = tuple(part for each in score.parts if (part := _part(each)) is not None)
    if not parts:
        raise UnfitError("without notes that have a pitch")
    first = score.parts[0].flatten()
    symbols = [each for part in score.parts for each in part.flatten().getElementsByClass(harmony.Harmony)]
    return WrittenMusic(
        name=name,
        parts=parts,
        meters=tuple(
            (_ticks(each.offset), (int(each.numerator), int(each.denominator)))
            for each in first.getElementsByClass(meter.TimeSignature)
        ),
        keys=tuple(
            (_ticks(each.offset), Key(int(each.tonic.pitchClass), Mode.MINOR if each.mode == "minor" else Mode.MAJOR))
            for each in first.getElementsByClass(key.Key)
        ),
        chords=_chords(symbols),
        sections=(),
    )


def _unrolled(score: stream.Score) -> stream.Score:
    """Return a score with its repeats played out, or as it is where they are faulty."""
    from music21 import repeat  # noqa: PLC0415 - optional

    try:
        return score.expandRepeats()
    except (repeat.ExpanderException, AttributeError, IndexError):
        return score


def _part(part: stream.Part) -> NamedPart | None:
    """Return a part's notes, ties joined, without grace notes, chord symbols and drums; None if there are none."""
    from music21 import harmony  # noqa: PLC0415 - optional

    rows = set()
    for element in part.stripTies().flatten().notes:
        duration = element.duration.quarterLength
        if isinstance(element, harmony.Harmony) or element.duration.isGrace or not duration:
            continue
        onset, end = _ticks(element.offset), _ticks(element.offset + duration)
        rows |= {(onset, max(1, end - onset), int(pitch.midi)) for pitch in element.pitches}
    return NamedPart(part.partName or "", np.array(sorted(rows), dtype=np.int32)) if rows else None


def _chords(symbols: list[harmony.Harmony]) -> NDArray[np.int32]:
    """Return the chord symbols as rows of Piece.chords; one that cannot be read is left out."""
    from music21 import harmony  # noqa: PLC0415 - optional

    rows = {}
    for symbol in symbols:
        if isinstance(symbol, harmony.NoChord):
            rows[_ticks(symbol.offset)] = (-1, 0, -1)
            continue
        try:
            found = parse_chord(symbol.figure.replace("-", "b"))
        except UsageError:
            continue
        if found is not None:
            rows[_ticks(symbol.offset)] = found.row
    return (
        np.array([(tick, *row) for tick, row in sorted(rows.items())], dtype=np.int32).reshape(-1, 4)
        if rows
        else NO_CHORDS
    )


def _ticks(quarters: float | Fraction) -> int:
    """Return the nearest tick for a time in quarter notes."""
    return round(quarters * TICKS_PER_BEAT)
