"""The training corpus: chorales and fiddle tunes from the installed package music21, parsed once into a cache.

The corpus is not shipped: the cache is built from the installed package. Collections with licences that restrict use
(essenFolksong, palestrina, trecento) are never read. No other module imports music21.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from improviser.config.resources import CACHE_DIR_VARIABLE
from improviser.corpus.abc_file import before_change, decode_abc, split_abc
from improviser.corpus.build import Parsed, Task, run_tasks
from improviser.corpus.cache import Cached, cache_path, read_cache, write_cache
from improviser.corpus.duplicates import group_scores
from improviser.corpus.parsed_score import CUT, WrittenBar, WrittenNote, make_parsed_score
from improviser.corpus.piece import TICKS_PER_BEAT, ParsedScore, Piece, UnfitError, bar_ticks
from improviser.corpus.source import KINDS, SOURCES, corpus_summary
from improviser.errors import CorpusError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from fractions import Fraction

    from music21 import key, note, stream

__all__ = ["TICKS_PER_BEAT", "Piece", "bar_ticks", "corpus_summary", "load_pieces"]

MAJOR_MODES = frozenset({"major", "ionian", "lydian", "mixolydian"})
"""Modes with a major third above the tonic; the others are minor."""

CHORALE_PARTS = 4


def load_pieces(
    kinds: Collection[str] = KINDS,
    cache_dir: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Piece]:
    """Return the pieces of these kinds, sorted by name, from the cache; build the cache first if it is missing.

    The cache is in `cache_dir`, else in the folder that IMPROVISER_CACHE_DIR names, else in the user's cache folder. A
    build takes minutes and resumes after an interruption. `progress` is called with the stage, the number of finished
    files and the number of all files.

    Raises:
        CorpusError: There is no cache and music21 is not installed, or the cache cannot be written.
        UsageError: A kind is unknown.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise UsageError(f"unknown kind of piece: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    path = cache_path(cache_dir)
    try:
        cached = read_cache(path, _parser()) or _build(path, progress)
    except OSError as error:
        reason = f"cannot write the corpus cache to {path.parent}: {error.strerror or error}"
        raise CorpusError(f"{reason}; free some space, or set {CACHE_DIR_VARIABLE} to another folder") from error
    return [piece for piece in cached.pieces if piece.kind in kinds]


def parse_file(collection: str, path: Path) -> Parsed:
    """Return the pieces of one corpus file; an unusable piece is counted and never raises."""
    parsed = Parsed()
    for name, source in _sources_of(collection, path):
        try:
            draft = read_tune(name, source) if isinstance(source, str) else read_chorale(name, source)
        except UnfitError as error:
            parsed.dropped[f"{SOURCES[collection].kind}: {error}"] += 1
        except Exception as error:  # noqa: BLE001 - a faulty score may raise anything in music21
            parsed.dropped[f"{SOURCES[collection].kind}: unreadable"] += 1
            parsed.faults.append(f"{name}: {type(error).__name__}: {error}")
        else:
            parsed.drafts.append(draft)
    return parsed


def read_chorale(name: str, source: Path | stream.Score) -> ParsedScore:
    """Return the score of four monophonic parts, soprano first; music21's pickle cache is not used.

    Raises:
        UnfitError: The score has other parts, or does not fit a grid.
    """
    from music21 import chord, converter, stream  # noqa: PLC0415 - optional, and takes a second

    if isinstance(source, Path):
        source = cast("stream.Score", converter.parseFile(source, forceSource=True, storePickle=False))
    parts = list(source.parts)
    if len(parts) != CHORALE_PARTS:
        raise UnfitError("not of four parts")
    if any(source.recurse().getElementsByClass((chord.Chord, stream.Voice))):
        raise UnfitError("parts not of single notes")
    return make_parsed_score(name, "chorale", [_written_bars(part) for part in parts], _chorale_key(source))


def read_tune(name: str, text: str) -> ParsedScore:
    """Return the score of one tune of ABC text.

    Raises:
        UnfitError: The tune has several voices, or does not fit a grid.
    """
    from music21 import converter, stream  # noqa: PLC0415 - optional, and takes a second

    kept = before_change(text)
    score = cast("stream.Score", converter.parseData(kept, format="abc"))
    parts = list(score.parts)
    if len(parts) != 1 or any(score.recurse().getElementsByClass(stream.Voice)):
        raise UnfitError("not of one voice")
    draft = make_parsed_score(name, "tune", [_written_bars(parts[0])], _tune_key(parts[0]))
    return draft if kept == text else replace(draft, change=CUT)


def _sources_of(collection: str, path: Path) -> Iterator[tuple[str, str | Path]]:
    """Yield the name and the source of each piece in a file: the ABC text of a tune, the path of a chorale."""
    name = f"{collection}/{path.stem}"
    if path.suffix != ".abc":
        yield name, path
        return
    tunes = split_abc(decode_abc(path.read_bytes()))
    for number, text in tunes:
        yield (name if len(tunes) == 1 else f"{name}#{number}"), text


def _written_bars(part: stream.Part) -> list[WrittenBar]:
    """Return the bars of a part; music21 makes the remainder of an overfull ABC bar a bar with its own meter."""
    from music21 import stream  # noqa: PLC0415 - optional, and takes a second

    bars = []
    for measure in part.getElementsByClass(stream.Measure):
        meter = measure.timeSignature
        left, right = measure.leftBarline, measure.rightBarline
        bars.append(
            WrittenBar(
                _ticks(measure.offset),
                _ticks(measure.highestTime),
                tuple(_written_notes(measure)),
                None if meter is None else (int(meter.numerator), int(meter.denominator)),
                left is not None and left.type != "regular",
                right is not None and right.type != "regular",
            )
        )
    return bars


def _written_notes(measure: stream.Measure) -> Iterator[WrittenNote]:
    """Yield the notes of a measure: the top note of chords, without grace notes, chord symbols and percussion."""
    for element in cast("Iterator[note.NotRest]", measure.notes):
        duration = element.duration.quarterLength
        if element.duration.isGrace or not duration or not element.pitches:
            continue
        tie = element.tie.type if element.tie is not None else ""
        yield WrittenNote(
            _ticks(element.offset),
            _ticks(element.offset + duration),
            max(pitch.midi for pitch in element.pitches),
            tied_from=tie in ("stop", "continue"),
            tied_on=tie in ("start", "continue"),
        )


def _ticks(quarters: float | Fraction) -> int:
    """Return the nearest tick for a time in quarter notes."""
    return round(quarters * TICKS_PER_BEAT)


def _tonality(found: key.Key) -> tuple[int, str]:
    """Return the pitch class of the tonic, and major or minor."""
    return int(found.tonic.pitchClass), "major" if found.mode in MAJOR_MODES else "minor"


def _tune_key(part: stream.Part) -> tuple[int, str]:
    """Return the key of the K: field, or the analysed key if there is none."""
    from music21 import key  # noqa: PLC0415 - optional, and takes a second

    named = part.recurse().getElementsByClass(key.Key).first()
    return _tonality(named if named is not None else cast("key.Key", part.analyze("key")))


def _chorale_key(score: stream.Score) -> tuple[int, str]:
    """Return the key of a chorale, chosen by its final bass note.

    The candidates are the analysed key, its relative, and the two tonics of the key signature. The first one whose
    tonic is the final bass note is returned. If none fits (a half close), the analysed key is returned. The analysis
    confuses relative keys, and many chorales have the signature of an older mode; the final bass note settles both. For
    a tonic of the signature, the mode with the better correlation is used, since that mode may be a church mode.
    """
    from music21 import key  # noqa: PLC0415 - optional, and takes a second

    analysed = cast("key.Key", score.analyze("key"))
    ranked = [analysed, *analysed.alternateInterpretations]
    signature = score.recurse().getElementsByClass(key.KeySignature).first()
    named = [] if signature is None else [signature.asKey("major").tonic, signature.asKey("minor").tonic]
    tonics = [tonic.pitchClass for tonic in (analysed.tonic, analysed.relative.tonic, *named)]
    final = score.parts[-1].flatten().notes.last()
    ending = final.pitches[0].pitchClass if final is not None else -1
    if ending not in tonics:
        return _tonality(analysed)
    if ending == tonics[1]:
        return _tonality(analysed.relative)
    return _tonality(next(found for found in ranked if found.tonic.pitchClass == ending))


def _parser() -> str | None:
    """Return the parser and its version, on which the pieces depend; None if it is not installed."""
    try:
        return f"music21 {importlib.metadata.version('music21')}"
    except importlib.metadata.PackageNotFoundError:
        return None


def _corpus_folder() -> Path:
    """Return the folder of music21's corpus."""
    try:
        from music21 import common  # noqa: PLC0415 - optional, and takes a second
    except ImportError as error:
        raise CorpusError('the training corpus needs music21: pip install "improviser-live[train]"') from error
    return Path(common.getCorpusFilePath())


def _build(path: Path, progress: Callable[[str, int, int], None] | None) -> Cached:
    """Parse the corpus and write the cache."""
    root, parts, stamp = _corpus_folder(), path.with_name("corpus-parts"), _parser() or "music21"
    tasks = [
        Task(parse_file, collection, file, parts / f"{collection}-{file.stem}.json", stamp)
        for collection, source in SOURCES.items()
        for file in sorted((root / collection).glob(source.pattern))
    ]
    if not tasks:
        raise CorpusError(f"no corpus in {root}; reinstall music21")
    parts.mkdir(parents=True, exist_ok=True)
    parsed = run_tasks(tasks, progress)
    changed = Counter(f"{draft.kind}: {draft.change}" for draft in parsed.drafts if draft.change)
    cached = Cached(stamp, group_scores(parsed.drafts), parsed.dropped, changed)
    write_cache(path, cached)
    shutil.rmtree(parts, ignore_errors=True)
    return cached
