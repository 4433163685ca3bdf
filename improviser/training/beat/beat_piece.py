"""Pieces with known beats, read from folders of MIDI files.

Each folder is a set; its name says how the beat stands to a quarter note. `weimar` and `pop909` are timed by people,
and a quarter of their files is a beat of the source's annotation. In the other sets, scores, a beat is what is felt:
a dotted quarter of 6/8, a half note of 2/2.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import BAR_SIZES
from improviser.midi.message import PERCUSSION_CHANNEL, NoteOff, NoteOn
from improviser.midi.smf import read_file
from improviser.midi.tempo_map import TempoMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from improviser.midi.song import MeterChange, Song, Track

Floats = npt.NDArray[np.float64]

TIMED_SETS: Final = frozenset({"weimar", "pop909"})
SETS: Final = ("weimar", "pop909", "lieder", "openewld", "quartets")
HELD_OUT_PERCENT: Final = 15
_FOLDED: Final = 3


@dataclass(frozen=True, slots=True)
class BeatPiece:
    """A piece with its beats.

    Attributes:
        name: The set and the file's name.
        family: What must not be on both sides of a split: the performer, the composer or the piece.
        tracks: Name of each track.
        notes: (notes, 5) track, onset and end in quarters, pitch, velocity; in order of onset.
        beats: (beats,) position in quarters.
        beats_s: (beats,) moment in the file.
        place: (beats,) place in the bar from 0, -1 where the bar is not one of BAR_SIZES.
        size: (beats,) beats in the bar.
        thirds: (beats,) whether the beat is written in three parts.
    """

    name: str
    family: str
    tracks: tuple[str, ...]
    notes: Floats
    beats: Floats
    beats_s: Floats
    place: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    thirds: npt.NDArray[np.bool_]

    @property
    def set_name(self) -> str:
        """The set that the piece is from."""
        return self.name.partition("/")[0]


def is_held_out(set_name: str, family: str) -> bool:
    """Return whether a family of a set is kept from the fit."""
    digest = hashlib.sha256(f"{set_name}/{family}".encode()).digest()
    return digest[0] * 100 < HELD_OUT_PERCENT * 256


def read_set(folder: Path, *, held_out: bool) -> Iterator[BeatPiece]:
    """Yield the pieces of a set that are held out, or those that are not, in the order of the names of their files."""
    families = _families(folder)
    for path in sorted(folder.glob("*.mid")):
        family = families.get(path.name, path.stem)
        if is_held_out(folder.name, family) != held_out:
            continue
        piece = to_beat_piece(read_file(path), f"{folder.name}/{path.name}", family)
        if len(piece.notes) and len(piece.beats) > max(BAR_SIZES):
            yield piece


def _families(folder: Path) -> dict[str, str]:
    """Return the performer or composer of each file that the set's manifest names."""
    manifest = folder / "manifest.json"
    if not manifest.exists():
        return {}
    entries = json.loads(manifest.read_text("utf-8"))["list"]
    return {
        entry["file"]: entry.get("performer") or entry.get("composer") or entry["file"].removesuffix(".mid")
        for entry in entries
    }


def to_beat_piece(song: Song, name: str, family: str) -> BeatPiece:
    """Return a song with its beats."""
    tracks = [track for track in song.tracks if track.name != "chords"]
    rows = [row for index, track in enumerate(tracks) for row in _notes(track, index)]
    notes = np.array(sorted(rows, key=lambda row: row[1]), dtype=np.float64).reshape(-1, 5)
    notes[:, 1:3] /= song.ticks_per_beat
    end = float(notes[:, 1].max()) if len(notes) else 0.0
    beats, place, size, thirds = _beats(song, end, is_counted=name.partition("/")[0] in TIMED_SETS)
    return BeatPiece(
        name,
        family,
        tuple(track.name for track in tracks),
        notes,
        beats,
        TempoMap(song).seconds_at(beats * song.ticks_per_beat),
        place,
        size,
        thirds,
    )


def _notes(track: Track, index: int) -> Iterator[tuple[float, ...]]:
    """Yield track, onset, end, pitch and velocity of each note with a pitch."""
    begun: dict[tuple[int, int], tuple[int, int]] = {}
    for event in track.events:
        message = event.message
        if isinstance(message, NoteOn) and message.channel != PERCUSSION_CHANNEL:
            begun[message.channel, message.note] = (event.tick, message.velocity)
        elif isinstance(message, NoteOff) and (message.channel, message.note) in begun:
            tick, velocity = begun.pop((message.channel, message.note))
            yield index, tick, event.tick, message.note, velocity


def beat_of(change: MeterChange, *, is_counted: bool) -> tuple[float, int, bool]:
    """Return the quarters of a beat, the beats of a bar, and whether a beat has three parts.

    Args:
        change: The time signature.
        is_counted: Whether a quarter is a beat, whatever the time signature.
    """
    if is_counted:
        return 1.0, change.numerator if change.denominator == 4 else 0, False  # noqa: PLR2004 - quarters
    if change.denominator >= 8 and change.numerator % _FOLDED == 0:  # noqa: PLR2004 - eighths and shorter
        return 4 * _FOLDED / change.denominator, change.numerator // _FOLDED, True
    return 4 / change.denominator, change.numerator, False


def _beats(
    song: Song, end: float, *, is_counted: bool
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return position, place in the bar, bar size and thirds of each beat up to the quarter `end`."""
    found: list[tuple[float, int, int, bool]] = []
    starts = [change.tick / song.ticks_per_beat for change in song.meter_map]
    for start, stop, change in zip(starts, [*starts[1:], end + 1], song.meter_map, strict=True):
        length, size, thirds = beat_of(change, is_counted=is_counted)
        is_whole = stop - start > length * size - 1e-6 and size in BAR_SIZES
        for index, beat in enumerate(np.arange(start, stop - length / 2, length).tolist()):
            found.append((beat, index % size if is_whole else -1, size, thirds))
    columns: Sequence[Sequence[float]] = list(zip(*found, strict=True)) or [(), (), (), ()]
    return (
        np.array(columns[0], dtype=np.float64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.bool_),
    )
