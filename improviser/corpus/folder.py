"""Reads a folder of music as a corpus: MIDI files, and MusicXML where music21 is installed.

What is read is kept in the cache, under a digest of the files, so that it is read again only if one has changed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from improviser.config.resources import cache_folder
from improviser.corpus.build import Parsed, Task, run_tasks
from improviser.corpus.cache import Cached, read_cache, write_cache
from improviser.corpus.duplicates import group_scores
from improviser.corpus.midi_file import read_midi
from improviser.corpus.piece import UnfitError, bar_ticks
from improviser.corpus.source import count_notes
from improviser.corpus.written_music import WrittenMusic, cut
from improviser.errors import CorpusError, MidiFileError
from improviser.midi.smf import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from improviser.corpus.piece import Piece

MUSICXML: Final = (".musicxml", ".mxl", ".xml")
# Change it when what is read from a file changes.
_READER: Final = "folder 1"


@dataclass(frozen=True, slots=True)
class FolderCorpus:
    """The music of a folder.

    Attributes:
        pieces: Its pieces, sorted by name.
        files: The number of files that were read.
        left_out: How often something was left out, by reason.
        faults: Each file that could not be used, or not wholly, with the reason.
    """

    pieces: list[Piece]
    files: int
    left_out: Counter[str]
    faults: list[str]

    def summary(self) -> dict[str, Any]:
        """Return what the folder holds as plain values: bars, notes, and counts of parts, meters, modes and splits."""
        pieces = self.pieces
        ends = [max(int((voice[:, 0] + voice[:, 1]).max()) for voice in piece.voices) for piece in pieces]
        return {
            "files": self.files,
            "pieces": len(pieces),
            "bars": sum(-(-end // bar_ticks(piece.meter)) for end, piece in zip(ends, pieces, strict=True)),
            "notes": count_notes(pieces),
            "parts": dict(Counter(part for piece in pieces for part in piece.parts).most_common()),
            "meters": dict(Counter(f"{piece.meter[0]}/{piece.meter[1]}" for piece in pieces).most_common()),
            "modes": dict(Counter(piece.mode for piece in pieces).most_common()),
            "marked": {
                "chords": sum(len(piece.chords) > 0 for piece in pieces),
                "sections": sum(bool(piece.sections) for piece in pieces),
            },
            "splits": dict(Counter(piece.split for piece in pieces).most_common()),
            "left_out": dict(self.left_out.most_common()),
        }


def load_folder(
    folder: Path,
    cache_dir: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> FolderCorpus:
    """Return the music of all files in a folder and the folders in it.

    Args:
        folder: The folder; its name begins the names of the pieces.
        cache_dir: Where to keep what is read; the user's cache folder by default.
        progress: Called with the stage, the number of finished files and the number of all files.

    Raises:
        CorpusError: The folder has no such files, or the cache cannot be written.
    """
    paths = music_files(folder)
    cache = (cache_dir or cache_folder()) / f"folder-{_digest(folder, paths)}.npz"
    cached = read_cache(cache, _READER)
    if cached is None:
        parts = cache.with_suffix(".parts")
        tasks = [Task(parse_file, folder.name, path, parts / f"{_key(folder, path)}.json", _READER) for path in paths]
        parts.mkdir(parents=True, exist_ok=True)
        parsed = run_tasks(tasks, progress)
        cached = Cached(_READER, group_scores(parsed.drafts), parsed.dropped, Counter(parsed.faults))
        write_cache(cache, cached)
        for task in tasks:
            task.part.unlink(missing_ok=True)
        parts.rmdir()
    return FolderCorpus(cached.pieces, len(paths), cached.dropped, sorted(cached.changed))


def music_files(folder: Path) -> list[Path]:
    """Return the files of a folder that hold music, by path.

    Raises:
        CorpusError: It is not a folder, or has none.
    """
    if not folder.is_dir():
        raise CorpusError(f"there is no folder {folder}")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (*SUFFIXES, *MUSICXML))
    if not found:
        raise CorpusError(
            f"no MIDI or MusicXML file in {folder}; their names end in {', '.join((*SUFFIXES, *MUSICXML))}"
        )
    return found


def parse_file(collection: str, path: Path) -> Parsed:
    """Return the pieces of one file; what cannot be used is counted and never raises."""
    parsed, name = Parsed(), f"{collection}/{path.stem}"
    try:
        music = _read(path, name)
        result = cut(music)
    except UnfitError as error:
        parsed.dropped[str(error)] += 1
        parsed.faults.append(f"{path.name}: {error}")
    except MidiFileError as error:
        parsed.dropped["unreadable"] += 1
        parsed.faults.append(str(error))
    except Exception as error:  # noqa: BLE001 - a faulty score may raise anything in music21
        parsed.dropped["unreadable"] += 1
        parsed.faults.append(f"{path.name}: {type(error).__name__}: {error}")
    else:
        parsed.drafts += result.scores
        parsed.dropped += result.left_out
        parsed.faults += [f"{path.name}: {fault}" for fault in music.faults]
        if not result.scores:
            parsed.faults.append(f"{path.name}: {', '.join(result.left_out)}")
    return parsed


def _read(path: Path, name: str) -> WrittenMusic:
    """Return the music of a file."""
    if path.suffix.lower() in SUFFIXES:
        return read_midi(path, name)
    from improviser.corpus.musicxml_file import read_musicxml  # noqa: PLC0415 - optional, and takes a second

    return read_musicxml(path, name)


def _digest(folder: Path, paths: Sequence[Path]) -> str:
    """Return a digest of the names, sizes and times of files."""
    digest = hashlib.sha256(str(folder.resolve()).encode())
    for path in paths:
        about = path.stat()
        digest.update(f"{path.relative_to(folder)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _key(folder: Path, path: Path) -> str:
    """Return a short name for a file's part of the cache."""
    return hashlib.sha256(str(path.relative_to(folder)).encode()).hexdigest()[:16]
