"""Reads the music of a MIDI file: parts, meters, keys, and the chords and sections that its markers and texts name.

A part is what one track plays on one channel; drums are left out. A marker that is a chord symbol is a chord; another
one, or a text "section: A", names a section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.corpus.casting import NamedPart
from improviser.corpus.piece import TICKS_PER_BEAT, UnfitError
from improviser.corpus.written_music import WrittenMusic
from improviser.midi.message import PERCUSSION_CHANNEL, NoteOff, NoteOn
from improviser.midi.smf import read_file
from improviser.midi.song import MetaEvent, MetaKind
from improviser.music.chord_symbol import is_chord, parse_chord
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Key, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from improviser.midi.song import Song, Track

_SECTION: Final = "section:"
_NO_ROOT: Final = -1
# Up a fifth.
_FIFTH: Final = 7
_RELATIVE_MINOR: Final = 9


def read_midi(path: Path, name: str) -> WrittenMusic:
    """Return the music of the MIDI file at `path`.

    Raises:
        MidiFileError: The file cannot be read.
        UnfitError: It has no notes with a pitch.
    """
    return song_music(read_file(path), name)


def song_music(song: Song, name: str) -> WrittenMusic:
    """Return the music of a song. Raise UnfitError if it has no notes with a pitch."""
    scale = TICKS_PER_BEAT / song.ticks_per_beat
    parts = tuple(part for track in song.tracks for part in _parts(track, scale))
    if not parts:
        raise UnfitError("without notes that have a pitch")
    texts = sorted(_texts(song, scale))
    return WrittenMusic(
        name=name,
        parts=parts,
        meters=tuple((round(m.tick * scale), (m.numerator, m.denominator)) for m in song.meter_map),
        keys=_keys(song, scale),
        chords=_chords(texts),
        sections=tuple((tick, text) for tick, text, symbol in texts if not symbol),
        faults=song.skipped,
    )


def _parts(track: Track, scale: float) -> Iterator[NamedPart]:
    """Yield the notes of each channel of a track, apart from drums; a key that is struck again ends the note."""
    rows: dict[int, list[tuple[int, int, int]]] = {}
    begun: dict[tuple[int, int], int] = {}
    for event in track.events:
        message = event.message
        if not isinstance(message, NoteOn | NoteOff) or message.channel == PERCUSSION_CHANNEL:
            continue
        key, tick = (message.channel, message.note), round(event.tick * scale)
        if key in begun:
            onset = begun.pop(key)
            rows.setdefault(message.channel, []).append((onset, max(1, tick - onset), message.note))
        if isinstance(message, NoteOn):
            begun[key] = tick
    for channel, notes in sorted(rows.items()):
        name = track.name if len(rows) == 1 else f"{track.name} channel {channel + 1}"
        yield NamedPart(name, np.array(sorted(notes), dtype=np.int32))


def _texts(song: Song, scale: float) -> Iterator[tuple[int, str, bool]]:
    """Yield tick, text and whether it is a chord symbol, of each marker and each text that names a section."""
    for track in (song.conductor, *song.tracks):
        for event in track.events:
            message = event.message
            if not isinstance(message, MetaEvent) or message.kind not in {MetaKind.TEXT, MetaKind.MARKER}:
                continue
            text, tick = message.text.strip(), round(event.tick * scale)
            if text.casefold().startswith(_SECTION):
                yield tick, text[len(_SECTION) :].strip(), False
            elif message.kind == MetaKind.MARKER and text:
                yield tick, text, is_chord(text)


def _chords(texts: list[tuple[int, str, bool]]) -> NDArray[np.int32]:
    """Return the chords among the texts, rows as in Piece.chords."""
    rows = []
    for tick, text, is_symbol in texts:
        if not is_symbol:
            continue
        symbol = parse_chord(text)
        rows.append((tick, _NO_ROOT, 0, _NO_ROOT) if symbol is None else (tick, *symbol.row))
    return np.array(rows, dtype=np.int32).reshape(-1, 4)


def _keys(song: Song, scale: float) -> tuple[tuple[int, Key], ...]:
    """Return the keys of the key signatures; none where the only one is C major, which files have by default."""
    found = {
        round(event.tick * scale): _key(event.message.data)
        for track in (song.conductor, *song.tracks)
        for event in track.events
        if isinstance(event.message, MetaEvent)
        and event.message.kind == MetaKind.KEY_SIGNATURE
        and len(event.message.data) == 2  # noqa: PLR2004 - accidentals and mode
    }
    if set(found.values()) == {Key(0, Mode.MAJOR)}:
        return ()
    return tuple(sorted(found.items(), key=lambda change: change[0]))


def _key(data: bytes) -> Key:
    """Return the key of a key signature's bytes: sharps, or flats below 0, and the mode."""
    sharps, is_minor = int.from_bytes(data[:1], signed=True), bool(data[1])
    tonic = (_FIFTH * sharps + (_RELATIVE_MINOR if is_minor else 0)) % OCTAVE
    return Key(tonic, Mode.MINOR if is_minor else Mode.MAJOR)
