"""Standard MIDI Files as plain values, read and written through mido.

Invariant: a song that `write_file` wrote is equal to what `read_file` gives, if its events stand in
the order of their ticks and are channel or system exclusive messages.

Source: Standard MIDI Files 1.0 (RP-001): chunks, delta times, meta events.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from improviser.errors import MidiError, MidiFileError
from improviser.files import write_whole
from improviser.midi.message import (
    Message,
    SysEx,
    SystemMessage,
    bytes_to_message,
    message_to_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import mido

# Real files are well below 1 MB; mido was measured to need up to 2.7 s for each.
MAX_FILE_BYTES = 4 * 1024 * 1024
# RP-001: a delta time has at most four bytes of seven bits.
MAX_DELTA_TICKS = 0x0FFFFFFF
MAX_US_PER_BEAT = 0xFFFFFF
MAX_TICKS_PER_BEAT = 0x7FFF
MAX_NUMERATOR = 255
MAX_DENOMINATOR = 128
_AGAIN = "save or download it again"
_HEADER_BYTES = 14
_MULTI_TRACK = 1
# A number of that many continuation bytes is hostile: reading it would take quadratic time.
_ENDLESS_NUMBER = re.compile(rb"[\x80-\xff]{1024}")


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """A message and its moment, in ticks since the start of the song (0 or more)."""

    tick: int
    message: Message


@dataclass(frozen=True, slots=True)
class Track:
    """A named part: events in the order of their ticks; the name may be empty."""

    name: str
    events: tuple[TimedEvent, ...]


@dataclass(frozen=True, slots=True)
class TempoChange:
    """A tempo from `tick` on: 1-16777215 microseconds a quarter note."""

    tick: int
    us_per_beat: int


@dataclass(frozen=True, slots=True)
class MeterChange:
    """A time signature from `tick` on: numerator 1-255, denominator a power of two up to 128."""

    tick: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Song:
    """All that a Standard MIDI File says of music: 1-32767 ticks a quarter note, tempo, meter, tracks.

    The tempo map and the meter map are in the order of their ticks, with one change a tick.
    """

    ticks_per_beat: int
    tempo_map: tuple[TempoChange, ...]
    meter_map: tuple[MeterChange, ...]
    tracks: tuple[Track, ...]

    @property
    def end_tick(self) -> int:
        """The tick of the last event of any track; 0 for a song without events."""
        return max((track.events[-1].tick for track in self.tracks if track.events), default=0)


def read_file(path: str | os.PathLike[str]) -> Song:
    """Give the song in the file at `path`, of type 0 or 1.

    A first track of a type 1 file that holds no messages (tempo, meter, title) is no track of the song.

    Raises:
        MidiFileError: The file cannot be read, is no Standard MIDI File, is truncated, or is of a kind that
            is not understood (type 2, SMPTE time); one line that names the file.
    """
    try:
        data = _file_bytes(Path(path))
        _check_header(data)
        return _parse(data)
    except MidiFileError as error:
        raise _at(path, str(error)) from error.__cause__


def _at(path: str | os.PathLike[str], fault: str) -> MidiFileError:
    """Give the error that names the file at `path` and its fault."""
    return MidiFileError(f"{os.fspath(path)}: {fault}")


def _file_bytes(path: Path) -> bytes:
    """Give the content of the file at `path`, or raise MidiFileError, also where it is too long."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise MidiFileError(f"cannot be read: {_reason(error)}; give the path of a MIDI file") from error
    if len(data) > MAX_FILE_BYTES:
        raise MidiFileError(f"longer than {MAX_FILE_BYTES // 2**20} MB: no MIDI file that is understood")
    return data


def _reason(error: Exception) -> str:
    """Give the system's words for an error of a file, without its number."""
    return getattr(error, "strerror", None) or str(error)


def _check_header(data: bytes) -> None:
    """Raise MidiFileError unless `data` starts like a file that `_parse` understands."""
    if not data.startswith(b"MThd"):
        raise MidiFileError("not a MIDI file (it does not start with MThd); give another one")
    if len(data) < _HEADER_BYTES:
        raise MidiFileError(f"truncated within its header; {_AGAIN}")
    kind, _, division = struct.unpack(">HHh", data[8:_HEADER_BYTES])
    if kind > _MULTI_TRACK:
        raise MidiFileError(f"a MIDI file of type {kind}; save it as type 0 or 1")
    if division <= 0:
        raise MidiFileError("counts time in SMPTE frames; save it with ticks per quarter note")
    if _ENDLESS_NUMBER.search(data):
        raise MidiFileError(f"damaged: it holds a number that does not end; {_AGAIN}")


def _parse(data: bytes) -> Song:
    """Give the song in `data`; every fault becomes a MidiFileError."""
    import mido  # noqa: PLC0415 - 60 ms that a live performance without a file should not pay

    try:
        file = mido.MidiFile(file=io.BytesIO(_known_chunks(data)), clip=True)
        return _file_to_song(file)
    except EOFError as error:
        raise MidiFileError(f"truncated: it ends within a track; {_AGAIN}") from error
    except MidiFileError:
        raise
    except Exception as error:
        # mido raises whatever its parsing trips over (OSError, ValueError, IndexError, KeyError, ...).
        raise MidiFileError(f"damaged: {_reason(error) or type(error).__name__}; {_AGAIN}") from error


def _known_chunks(data: bytes) -> bytes:
    """Give `data` with a header of six bytes and without chunks of unknown kinds, which RP-001 bids skip."""
    count = 0
    tracks = io.BytesIO()
    position = 8 + int.from_bytes(data[4:8], "big")
    while position + 8 <= len(data):
        end = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
        if data[position : position + 4] == b"MTrk":
            tracks.write(data[position:end])
            count += 1
        position = end
    promised = int.from_bytes(data[10:12], "big")
    if count < promised:
        raise MidiFileError(f"truncated: it promises {promised} tracks and has {count}; {_AGAIN}")
    return b"MThd" + struct.pack(">L", 6) + data[8:_HEADER_BYTES] + tracks.getvalue()


def _file_to_song(file: mido.MidiFile) -> Song:
    """Give the song that mido has read."""
    timed = [list(_with_ticks(track)) for track in file.tracks]
    tracks = [_read_track(events) for events in timed]
    if file.type == _MULTI_TRACK and tracks and not tracks[0].events:
        del tracks[0]
    tempo_map = (_read_tempo(tick, meta) for tick, meta in _meta(timed, "set_tempo"))
    meter_map = (_read_meter(tick, meta) for tick, meta in _meta(timed, "time_signature"))
    return Song(file.ticks_per_beat, tuple(tempo_map), tuple(meter_map), tuple(tracks))


def _with_ticks(track: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Give each message of a mido track with its absolute tick."""
    tick = 0
    for message in track:
        if message.time > MAX_DELTA_TICKS:
            raise MidiFileError(f"damaged: a delta time of more than {MAX_DELTA_TICKS} ticks; {_AGAIN}")
        tick += message.time
        yield tick, message


def _read_track(timed: Iterable[tuple[int, Any]]) -> Track:
    """Give the track that holds the messages of `timed`; its name is the first that it gives itself."""
    name = ""
    events = []
    for tick, message in timed:
        if not message.is_meta:
            with contextlib.suppress(MidiError):  # bytes of no message
                event = TimedEvent(tick, bytes_to_message(message.bytes()))
                if _has_place(event.message):
                    events.append(event)
        elif message.type == "track_name":
            name = name or _decoded(message.name)
    return Track(name, tuple(events))


def _meta(tracks: Iterable[Iterable[tuple[int, Any]]], kind: str) -> list[tuple[int, Any]]:
    """Give the meta events of one kind of all tracks by their ticks; of several at one tick the last."""
    found = [pair for track in tracks for pair in track if pair[1].type == kind]
    return sorted(dict(found).items(), key=lambda pair: pair[0])


def _read_tempo(tick: int, meta: mido.MetaMessage) -> TempoChange:
    """Give the tempo change that a meta event stands for."""
    return _checked_tempo(TempoChange(tick, meta.tempo))


def _read_meter(tick: int, meta: mido.MetaMessage) -> MeterChange:
    """Give the meter change that a meta event stands for."""
    return _checked_meter(MeterChange(tick, meta.numerator, meta.denominator))


def _checked_tempo(change: TempoChange) -> TempoChange:
    """Give a tempo change back, or raise ValueError where it is none."""
    if not 1 <= change.us_per_beat <= MAX_US_PER_BEAT:
        msg = f"impossible tempo of {change.us_per_beat} microseconds a beat"
        raise ValueError(msg)
    return change


def _checked_meter(change: MeterChange) -> MeterChange:
    """Give a meter change back, or raise ValueError where it is none."""
    power_of_two = change.denominator > 0 and not change.denominator & (change.denominator - 1)
    if not (
        1 <= change.numerator <= MAX_NUMERATOR and power_of_two and change.denominator <= MAX_DENOMINATOR
    ):
        msg = f"impossible meter of {change.numerator}/{change.denominator}"
        raise ValueError(msg)
    return change


def _decoded(name: str) -> str:
    """Give a name that mido read as Latin-1 as UTF-8, where it is that."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return name


def write_file(path: str | os.PathLike[str], song: Song) -> None:
    """Write `song` to `path` as a type 1 file: tempo and meter in a first track, then one for each part.

    The file appears whole or not at all; the same song gives the same bytes. System common and real-time
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
    """Give the bytes of the file that holds `song`."""
    import mido  # noqa: PLC0415 - as in _parse

    if not 1 <= song.ticks_per_beat <= MAX_TICKS_PER_BEAT:
        msg = f"{song.ticks_per_beat} ticks a beat (1-{MAX_TICKS_PER_BEAT})"
        raise ValueError(msg)
    tracks = [_conductor(song), *(_write_track(track) for track in song.tracks)]
    output = io.BytesIO()
    mido.MidiFile(type=_MULTI_TRACK, ticks_per_beat=song.ticks_per_beat, tracks=tracks).save(file=output)
    return output.getvalue()


def _conductor(song: Song) -> mido.MidiTrack:
    """Give the track that holds the tempo and the meter of `song`."""
    from mido import MetaMessage  # noqa: PLC0415 - as in _parse

    timed = [
        (tempo.tick, MetaMessage("set_tempo", tempo=tempo.us_per_beat))
        for tempo in map(_checked_tempo, song.tempo_map)
    ]
    timed += [
        (meter.tick, MetaMessage("time_signature", numerator=meter.numerator, denominator=meter.denominator))
        for meter in map(_checked_meter, song.meter_map)
    ]
    return _with_deltas(sorted(timed, key=lambda pair: pair[0]))


def _write_track(track: Track) -> mido.MidiTrack:
    """Give `track` as mido writes it."""
    from mido import Message as MidoMessage  # noqa: PLC0415 - as in _parse
    from mido import MetaMessage  # noqa: PLC0415 - as in _parse

    name = track.name.encode("utf-8", "replace").decode("latin-1")
    timed = [(0, MetaMessage("track_name", name=name))] if name else []
    timed += [
        (event.tick, MidoMessage.from_bytes(message_to_bytes(event.message)))
        for event in sorted(track.events, key=attrgetter("tick"))
        if _has_place(event.message)
    ]
    return _with_deltas(timed)


def _has_place(message: Message) -> bool:
    """Return whether a file holds such a message: clock, song position, song select and time code do not."""
    return isinstance(message, SysEx) or not isinstance(message, SystemMessage)


def _with_deltas(timed: Iterable[tuple[int, Any]]) -> mido.MidiTrack:
    """Give a mido track of messages whose absolute ticks ascend."""
    from mido import MidiTrack  # noqa: PLC0415 - as in _parse

    track = MidiTrack()
    last = 0
    for tick, message in timed:
        if not 0 <= tick - last <= MAX_DELTA_TICKS:
            msg = f"{tick - last} ticks between two events (0-{MAX_DELTA_TICKS})"
            raise ValueError(msg)
        track.append(message.copy(time=tick - last))
        last = tick
    return track
