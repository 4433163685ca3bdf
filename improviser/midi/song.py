"""A song as plain values: tracks of messages and meta events, a tempo map and a meter map.

Source: Standard MIDI Files 1.0 (RP-001): ticks, meta events.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from improviser.midi.message import Message
    from improviser.music.scale import Key

MAX_US_PER_BEAT: Final = 0xFFFFFF
MAX_TICKS_PER_BEAT: Final = 0x7FFF
MAX_NUMERATOR: Final = 255
MAX_DENOMINATOR: Final = 128
MAX_ACCIDENTALS: Final = 7


class MetaKind(IntEnum):
    """The meta events that improviser reads or writes, with their numbers in a file."""

    TEXT = 0x01
    TRACK_NAME = 0x03
    MARKER = 0x06
    CHANNEL_PREFIX = 0x20
    PORT = 0x21
    END_OF_TRACK = 0x2F
    TEMPO = 0x51
    METER = 0x58
    KEY_SIGNATURE = 0x59


@dataclass(frozen=True, slots=True)
class MetaEvent:
    """A meta event of a file, such as a lyric, a marker, a key signature or a port.

    Attributes:
        kind: Number of the kind, 0-127; some are in MetaKind.
        data: The bytes of its content.
    """

    kind: int
    data: bytes

    @property
    def text(self) -> str:
        """The content as text, decoded as UTF-8 if it is valid UTF-8, else as Latin-1."""
        try:
            return self.data.decode("utf-8")
        except UnicodeError:
            return self.data.decode("latin-1")


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """A message or a meta event, and its time in ticks since the start of the song (0 or more)."""

    tick: int
    message: Message | MetaEvent


@dataclass(frozen=True, slots=True)
class Track:
    """A named part: events in the order of their ticks; the name may be empty."""

    name: str
    events: tuple[TimedEvent, ...]


@dataclass(frozen=True, slots=True)
class TempoChange:
    """A tempo from `tick` on: 1-16777215 microseconds per quarter note."""

    tick: int
    us_per_beat: int


@dataclass(frozen=True, slots=True)
class MeterChange:
    """A time signature from `tick` on: numerator 1-255, denominator a power of two up to 128."""

    tick: int
    numerator: int
    denominator: int


NO_CONDUCTOR: Final = Track("", ())


@dataclass(frozen=True, slots=True)
class Song:
    """The music in a Standard MIDI File: tempo, meter and tracks.

    Attributes:
        ticks_per_beat: Ticks per quarter note, 1-32767.
        tempo_map: Tempo changes in the order of ticks, at most one per tick.
        meter_map: Meter changes in the order of ticks, at most one per tick.
        tracks: The parts.
        conductor: A track with what concerns all parts: the title as its name, key signatures, markers. It holds
            no messages.
        skipped: What could not be read in the file, one line each. It is not music, so equality ignores it.
    """

    ticks_per_beat: int
    tempo_map: tuple[TempoChange, ...]
    meter_map: tuple[MeterChange, ...]
    tracks: tuple[Track, ...]
    conductor: Track = NO_CONDUCTOR
    skipped: tuple[str, ...] = field(default=(), compare=False)

    @property
    def end_tick(self) -> int:
        """The tick of the last event of any track; 0 for a song without events."""
        return max((track.events[-1].tick for track in self.tracks if track.events), default=0)


def has_messages(track: Track) -> bool:
    """Return whether a track holds more than meta events."""
    return any(not isinstance(event.message, MetaEvent) for event in track.events)


def checked_tempo(change: TempoChange) -> TempoChange:
    """Return `change`; raise ValueError if its tempo is impossible."""
    if not 1 <= change.us_per_beat <= MAX_US_PER_BEAT:
        msg = f"tempo of {change.us_per_beat} microseconds a beat"
        raise ValueError(msg)
    return change


def checked_meter(change: MeterChange) -> MeterChange:
    """Return `change`; raise ValueError if its meter is impossible."""
    power_of_two = change.denominator > 0 and not change.denominator & (change.denominator - 1)
    if not (1 <= change.numerator <= MAX_NUMERATOR and power_of_two and change.denominator <= MAX_DENOMINATOR):
        msg = f"meter of {change.numerator}/{change.denominator}"
        raise ValueError(msg)
    return change


def key_signature(key: Key) -> MetaEvent:
    """Return the key signature of `key` with the fewest accidentals: F# has six sharps, Ebm six flats."""
    lowest = -5 - key.mode
    sharps = (7 * (key.tonic + 3 * key.mode) - lowest) % 12 + lowest
    return MetaEvent(MetaKind.KEY_SIGNATURE, bytes((sharps & 0xFF, int(key.mode))))


def refined(song: Song, factor: int) -> Song:
    """Return `song` with `factor` times as many ticks per quarter note; every event keeps its time."""
    return replace(
        song,
        ticks_per_beat=song.ticks_per_beat * factor,
        tempo_map=tuple(replace(change, tick=change.tick * factor) for change in song.tempo_map),
        meter_map=tuple(replace(change, tick=change.tick * factor) for change in song.meter_map),
        tracks=tuple(_refined_track(track, factor) for track in song.tracks),
        conductor=_refined_track(song.conductor, factor),
    )


def _refined_track(track: Track, factor: int) -> Track:
    """Return `track` with the ticks of its events multiplied by `factor`."""
    return replace(track, events=tuple(replace(event, tick=event.tick * factor) for event in track.events))
