"""The parts of a song: which of them the player plays, and which channel is free.

A part is a channel of a port. Files for several devices name a port for each track. Channel 1 of one device is not
channel 1 of another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from improviser.errors import UsageError
from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import (
    DATA_MAX,
    PERCUSSION_CHANNEL,
    SUSTAIN_PEDAL,
    ControlChange,
    NoteOff,
    NoteOn,
    SystemMessage,
    TimedMessage,
)
from improviser.midi.song import MetaEvent, MetaKind, TimedEvent, Track

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from improviser.midi.message import Message
    from improviser.midi.song import Song

CHANNELS: Final = 16
_CHANNEL: Final = "channel:"
# Quarter notes for which a note without an end sounds, and for which a pedal holds while no key is down.
ENDLESS_BEATS: Final = 8.0


@dataclass(frozen=True, slots=True)
class PortEvent:
    """A message with its tick, and the port that its track names for it; 0 if it names none."""

    tick: int
    port: int
    message: Message

    @property
    def channel(self) -> int | None:
        """The message's channel, 0-15; None if it has none."""
        message = self.message
        return None if isinstance(message, SystemMessage) else message.channel

    @property
    def is_note(self) -> bool:
        """Whether the message begins or ends a note with a pitch; drums have none."""
        return isinstance(self.message, NoteOn | NoteOff) and self.channel != PERCUSSION_CHANNEL

    def apart(self) -> Message:
        """Return the message with its port in the channel, so that no two parts share one."""
        message = self.message
        if isinstance(message, SystemMessage):
            return message
        return replace(message, channel=message.channel + CHANNELS * self.port)


def port_events(track: Track) -> Iterator[PortEvent]:
    """Yield the messages of a track with their ports."""
    port = 0
    for event in track.events:
        if not isinstance(event.message, MetaEvent):
            yield PortEvent(event.tick, port, event.message)
        elif event.message.kind == MetaKind.PORT:
            port = event.message.data[0]


def player_events(song: Song, wanted: str | None) -> list[PortEvent]:
    """Return the messages of the player, in the order of time.

    Args:
        song: All parts.
        wanted: A track's number from 1, its name or a part of it, or "channel:N", 1-16; None for all tracks.

    Raises:
        UsageError: There is no such track, or more than one; the text lists them.
    """
    tracks, channel = song.tracks, None
    if wanted is not None and wanted.lower().startswith(_CHANNEL):
        channel = _channel(song, wanted)
    elif wanted is not None:
        tracks = (song.tracks[_track(song, wanted)],)
    events = chain.from_iterable(map(port_events, tracks))
    chosen = (event for event in events if channel is None or event.channel == channel)
    return sorted(chosen, key=lambda event: event.tick)


def _channel(song: Song, wanted: str) -> int:
    """Return the channel, 0-15, that "channel:N" names; raise UsageError if it has no notes."""
    number = wanted[len(_CHANNEL) :].strip()
    channel = int(number) - 1 if number.isdecimal() else -1
    if channel not in {taken for _, taken in _taken(song)}:
        raise UsageError(f"'{wanted}' has no notes; {_choice(song)}")
    return channel


def _track(song: Song, wanted: str) -> int:
    """Return the index of the track that a number or a name means; raise UsageError if it is not exactly one."""
    if wanted.isdecimal():
        if not 1 <= int(wanted) <= len(song.tracks):
            raise UsageError(f"no track {wanted}; {_choice(song)}")
        return int(wanted) - 1
    names = [track.name.casefold() for track in song.tracks]
    name = wanted.casefold()
    same = [index for index, other in enumerate(names) if other == name]
    found = same or [index for index, other in enumerate(names) if name in other]
    if len(found) != 1 or not name:
        fault = f"more than one track is called '{wanted}'" if found else f"no track is called '{wanted}'"
        raise UsageError(f"{fault}; {_choice(song)}")
    return found[0]


def _choice(song: Song) -> str:
    """Return the text that lists the values of --player-track."""
    return f"--player-track takes a number, a name or channel:N of {track_list(song)}"


def track_list(song: Song) -> str:
    """Return the tracks in one line: number, name, channels and number of notes of each."""
    tracks = (_described(number, track) for number, track in enumerate(song.tracks, 1))
    return "; ".join(tracks) or "no track"


def _described(number: int, track: Track) -> str:
    """Return the description of a track, such as `1 'Piano' channel 1, 120 notes`."""
    notes = [(event.port, event.message.channel) for event in port_events(track) if isinstance(event.message, NoteOn)]
    parts = sorted(set(notes))
    where = " ".join(f"{channel + 1}" + (f" of port {port + 1}" if port else "") for port, channel in parts)
    on = f"channel{'s' if len(parts) > 1 else ''} {where}, " if parts else ""
    return f"{number} '{track.name}' {on}{len(notes)} note{'' if len(notes) == 1 else 's'}"


def _taken(song: Song) -> set[tuple[int, int]]:
    """Return the parts, (port, channel), that have notes."""
    events = chain.from_iterable(map(port_events, song.tracks))
    return {(at.port, at.message.channel) for at in events if isinstance(at.message, NoteOn)}


def channel_users(song: Song, channel: int) -> list[str]:
    """Return the names, or numbers, of the tracks that have notes on `channel`, 0-15."""
    return [
        track.name or f"track {number}"
        for number, track in enumerate(song.tracks, 1)
        if any(isinstance(at.message, NoteOn) and at.channel == channel for at in port_events(track))
    ]


def free_part(song: Song, wanted: int) -> tuple[int, int]:
    """Return a port and a channel without notes, for improviser alone.

    It is never the drums' channel. These channels come first, in this order: one that is free on every port; one that
    no other message sets up for something else; the channel `wanted`, 0-15.

    Raises:
        UsageError: Every channel has notes.
    """
    taken, ports = _taken(song), {0} | {port for port, _ in _taken(song)}
    events = chain.from_iterable(map(port_events, song.tracks))
    touched = {(event.port, event.channel) for event in events}
    shared = {channel for _, channel in taken}
    free = [
        (channel in shared, (port, channel) in touched, channel != wanted, port, channel)
        for port in sorted(ports)
        for channel in range(CHANNELS)
        if channel != PERCUSSION_CHANNEL and (port, channel) not in taken
    ]
    if not free:
        raise UsageError("no free channel: all except 10 have notes. Choose one to share: --channel 1-16")
    *_, port, channel = min(free)
    return port, channel


def port_opening(song: Song, port: int) -> tuple[TimedEvent, ...]:
    """Return the port event at the start of improviser's track; nothing if the song's tracks name no ports."""
    names_port = any(
        isinstance(event.message, MetaEvent) and event.message.kind == MetaKind.PORT
        for track in song.tracks
        for event in track.events
    )
    return (TimedEvent(0, MetaEvent(MetaKind.PORT, bytes((port,)))),) if names_port else ()


def ended(track: Track, end_tick: int, longest: int | None = None) -> Track:
    """Return `track` with a note-off for each note without an end.

    It comes at `end_tick`, or `longest` ticks after the note's beginning if that is sooner.
    """
    sounding: dict[tuple[int, int], list[int]] = {}
    for event in port_events(track):
        message = event.message
        if isinstance(message, NoteOn):
            sounding.setdefault((message.channel, message.note), []).append(event.tick)
        elif isinstance(message, NoteOff) and sounding.get((message.channel, message.note)):
            sounding[message.channel, message.note].pop(0)
    ends = [
        TimedEvent(max(begun, end_tick if longest is None else min(begun + longest, end_tick)), NoteOff(*key))
        for key, starts in sorted(sounding.items())
        for begun in starts
    ]
    events = sorted((*track.events, *ends), key=lambda event: event.tick) if ends else track.events
    return replace(track, events=tuple(events))


def without_endless_pedals(heard: Iterable[TimedMessage]) -> list[TimedMessage]:
    """Return the messages of a player, with the sustain pedal up during long stretches without a key.

    The pedal comes up ENDLESS_BEATS after the last key came up, and goes down again with the next key. A file may lack
    the end of a pedal.
    """
    kept: list[TimedMessage] = []
    keys: set[tuple[int, int]] = set()
    pedals: set[int] = set()
    silent_from = 0.0
    for timed in heard:
        match timed.message:
            case NoteOn(channel, note):
                if not keys and timed.due_s - silent_from > ENDLESS_BEATS:
                    kept += _moved(pedals, silent_from + ENDLESS_BEATS, 0) + _moved(pedals, timed.due_s, DATA_MAX)
                keys.add((channel, note))
            case NoteOff(channel, note):
                keys.discard((channel, note))
                silent_from = timed.due_s
            case ControlChange(channel, control, value) if control == SUSTAIN_PEDAL:
                (pedals.add if value >= PEDAL_DOWN else pedals.discard)(channel)
            case _:
                pass
        kept.append(timed)
    return sorted(kept, key=lambda timed: timed.due_s)


def _moved(pedals: Iterable[int], at: float, value: int) -> list[TimedMessage]:
    """Return the messages that move the sustain pedals of some channels to a value at a moment."""
    return [TimedMessage(at, ControlChange(channel, SUSTAIN_PEDAL, value)) for channel in sorted(pedals)]
