"""Reads and writes Standard MIDI Files as plain values. Damaged files are read too; mido does the writing.

Invariant: `read_file` returns a song that is equal to the one that `write_file` wrote, if

- its events are in the order of their ticks;
- its events are channel messages, system exclusive messages or meta events. Excluded are the meta events that the
  song holds elsewhere: name of a track, tempo, meter, end of track;
- its conductor holds no message.

Source: Standard MIDI Files 1.0 (RP-001): chunks, delta times, meta events.
"""

from __future__ import annotations

import io
import os
import struct
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from improviser.errors import MidiFileError, UsageError
from improviser.files import write_whole
from improviser.midi.chunk import Skipped, read_chunks
from improviser.midi.message import DATA_MAX, Message, SysEx, SystemMessage, message_to_bytes
from improviser.midi.song import (
    MAX_TICKS_PER_BEAT,
    NO_CONDUCTOR,
    MetaEvent,
    MetaKind,
    MeterChange,
    Song,
    TempoChange,
    TimedEvent,
    Track,
    checked_meter,
    checked_tempo,
    has_messages,
)
from improviser.midi.track_reader import TrackReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import mido

    from improviser.midi.message import Message

__all__ = [
    "MetaEvent",
    "MetaKind",
    "MeterChange",
    "Song",
    "TempoChange",
    "TimedEvent",
    "Track",
    "check_suffix",
    "read_file",
    "song_to_bytes",
    "write_file",
]

# Real files are well below 1 MB.
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
# RP-001: a delta time has at most four bytes of seven bits.
MAX_DELTA_TICKS: Final = 0x0FFFFFFF
SUFFIXES: Final = (".mid", ".midi")
_MULTI_TRACK: Final = 1
# The song holds these; they are not among the events of a track.
_ELSEWHERE: Final = frozenset({MetaKind.TEMPO, MetaKind.METER, MetaKind.END_OF_TRACK})

_Change = TypeVar("_Change", TempoChange, MeterChange)


def read_file(path: str | os.PathLike[str]) -> Song:
    """Return the song in the file at `path`; `skipped` lists what could not be read.

    If the first track holds no messages, only meta events such as a title, a key signature or markers, it is the
    conductor and does not count as a track of the song. The only track of a type 0 file is never the conductor.

    Raises:
        MidiFileError: The file cannot be read, is not a Standard MIDI File, or is of an unsupported kind (several
            songs, SMPTE time). The text is one line that names the file.
    """
    try:
        return _parse(_file_bytes(Path(path)))
    except MidiFileError as error:
        raise _at(path, str(error)) from error.__cause__


def check_suffix(path: Path) -> None:
    """Raise UsageError unless the name of an output file ends in one of SUFFIXES."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot write {path}: the name must end in .mid")


def _at(path: str | os.PathLike[str], fault: str) -> MidiFileError:
    """Return the error that names the file at `path` and its fault."""
    return MidiFileError(f"{os.fspath(path)}: {fault}")


def _file_bytes(path: Path) -> bytes:
    """Return the content of the file at `path`; raise MidiFileError if it is unreadable or too long."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise MidiFileError(f"cannot be read: {_reason(error)}; give the path of a MIDI file") from error
    if len(data) > MAX_FILE_BYTES:
        raise MidiFileError(f"longer than {MAX_FILE_BYTES // 2**20} MB: not a MIDI file")
    return data


def _reason(error: Exception) -> str:
    """Return the operating system's text for a file error, without the error number."""
    return getattr(error, "strerror", None) or str(error)


def _parse(data: bytes) -> Song:
    """Return the song in `data`."""
    skipped = Skipped()
    header, chunks = read_chunks(data, skipped)
    timed = [TrackReader(chunk, number, skipped).read() for number, chunk in enumerate(chunks, 1)]
    tempo_map = _changes(timed, MetaKind.TEMPO, _tempo_change, skipped)
    meter_map = _changes(timed, MetaKind.METER, _meter_change, skipped)
    tracks = [_track(events) for events in timed]
    is_conducted = not header.is_single_track and not has_messages(tracks[0])
    conductor = tracks.pop(0) if is_conducted else NO_CONDUCTOR
    return Song(header.ticks_per_beat, tempo_map, meter_map, tuple(tracks), conductor, skipped=skipped.lines())


def _track(events: Iterable[TimedEvent]) -> Track:
    """Return the track of `events`; its name is that of its first track-name event."""
    name = ""
    kept = []
    for event in events:
        match event.message:
            case MetaEvent(MetaKind.TRACK_NAME) as named if not name:
                name = named.text
            case MetaEvent(kind) if kind in _ELSEWHERE:
                pass
            case _:
                kept.append(event)
    return Track(name, tuple(kept))


def _changes(
    tracks: Iterable[Iterable[TimedEvent]],
    kind: MetaKind,
    change_of: Callable[[int, bytes], _Change],
    skipped: Skipped,
) -> tuple[_Change, ...]:
    """Return the changes of one kind in all tracks, in order of ticks; of several at one tick, the last one counts."""
    found: dict[int, _Change] = {}
    for event in (event for track in tracks for event in track):
        if isinstance(event.message, MetaEvent) and event.message.kind == kind:
            try:
                found[event.tick] = change_of(event.tick, event.message.data)
            except ValueError as error:
                skipped.add(f"an impossible {error}")
    return tuple(sorted(found.values(), key=attrgetter("tick")))


def _tempo_change(tick: int, data: bytes) -> TempoChange:
    """Return the tempo change that the bytes of a meta event encode."""
    return checked_tempo(TempoChange(tick, int.from_bytes(data[:3], "big")))


def _meter_change(tick: int, data: bytes) -> MeterChange:
    """Return the meter change that the bytes of a meta event encode."""
    return checked_meter(MeterChange(tick, data[0], 2 ** data[1]))


def write_file(path: str | os.PathLike[str], song: Song) -> None:
    """Write `song` to `path` as a type 1 file: a first track with tempo and meter, then one for each part.

    The file appears complete or not at all. The same song always gives the same bytes. System common and real-time
    messages have no place in a file and are left out.

    Raises:
        MidiFileError: The file cannot be written, or a value of the song does not fit in a file.
    """
    try:
        data = song_to_bytes(song)
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        raise _at(path, f"the song does not fit in a MIDI file: {error}") from error
    try:
        write_whole(Path(path), data)
    except (OSError, ValueError) as error:
        raise _at(path, f"cannot be written: {_reason(error)}; choose another place") from error


def song_to_bytes(song: Song) -> bytes:
    """Return the bytes of the file that holds `song`."""
    import mido  # noqa: PLC0415 - takes 60 ms, which a jam without a file should not spend

    if not 1 <= song.ticks_per_beat <= MAX_TICKS_PER_BEAT:
        msg = f"{song.ticks_per_beat} ticks a beat (1-{MAX_TICKS_PER_BEAT})"
        raise ValueError(msg)
    tracks = [_conductor(song), *(_write_track(track) for track in song.tracks)]
    output = io.BytesIO()
    mido.MidiFile(type=_MULTI_TRACK, ticks_per_beat=song.ticks_per_beat, tracks=tracks).save(file=output)
    return output.getvalue()


def _conductor(song: Song) -> mido.MidiTrack:
    """Return the first track: the conductor's events, and the tempo and meter changes of `song`."""
    from mido import MetaMessage  # noqa: PLC0415 - as in song_to_bytes

    if has_messages(song.conductor):
        msg = "messages among the conductor's events"
        raise ValueError(msg)
    timed = [
        (tempo.tick, MetaMessage("set_tempo", tempo=tempo.us_per_beat)) for tempo in map(checked_tempo, song.tempo_map)
    ]
    timed += [
        (meter.tick, MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator))
        for meter in map(checked_meter, song.meter_map)
    ]
    timed += _timed(song.conductor)
    return _with_deltas([*_named(song.conductor), *sorted(timed, key=lambda pair: pair[0])])


def _write_track(track: Track) -> mido.MidiTrack:
    """Return `track` as a mido track."""
    return _with_deltas([*_named(track), *_timed(track)])


def _named(track: Track) -> list[tuple[int, Any]]:
    """Return a track's name event at tick 0; nothing if the track has no name."""
    name = track.name.encode("utf-8", "replace")
    return [(0, _to_mido(MetaEvent(MetaKind.TRACK_NAME, name)))] if name else []


def _timed(track: Track) -> list[tuple[int, Any]]:
    """Return the events of a track as mido messages, each with its tick."""
    return [
        (event.tick, _to_mido(event.message))
        for event in sorted(track.events, key=attrgetter("tick"))
        if _has_place(event.message)
    ]


def _to_mido(message: Message | MetaEvent) -> Any:  # noqa: ANN401 - mido has no types
    """Return a message or a meta event as a mido message; raise ValueError if a track cannot hold it."""
    from mido import Message as MidoMessage  # noqa: PLC0415 - as in song_to_bytes
    from mido import UnknownMetaMessage  # noqa: PLC0415 - as in song_to_bytes

    if not isinstance(message, MetaEvent):
        return MidoMessage.from_bytes(message_to_bytes(message))
    if not 0 <= message.kind <= DATA_MAX or message.kind in _ELSEWHERE:
        msg = f"a meta event of kind 0x{message.kind:02x} in a track"
        raise ValueError(msg)
    return UnknownMetaMessage(message.kind, data=message.data)


def _has_place(message: Message | MetaEvent) -> bool:
    """Return whether a file can hold a message; it cannot hold clock, song position, song select and time code."""
    return isinstance(message, SysEx) or not isinstance(message, SystemMessage)


def _with_deltas(timed: Iterable[tuple[int, Any]]) -> mido.MidiTrack:
    """Return a mido track of messages with ascending absolute ticks."""
    from mido import MidiTrack  # noqa: PLC0415 - as in song_to_bytes

    track = MidiTrack()
    last = 0
    for tick, message in timed:
        if not 0 <= tick - last <= MAX_DELTA_TICKS:
            msg = f"{tick - last} ticks between two events (0-{MAX_DELTA_TICKS})"
            raise ValueError(msg)
        track.append(message.copy(time=tick - last))
        last = tick
    return track
