"""The parts of a song: which of them the player's are, and which channel is free.

A part is a channel of a port. Files for several devices name a port for each track, and channel 1 of one
device is not channel 1 of another.
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
# A note that never ends sounds for so many quarter notes, and so long a pedal holds what nobody plays anew.
ENDLESS_BEATS: Final = 8.0


@dataclass(frozen=True, slots=True)
class PortEvent:
    """A message at its tick, and the port that its track names for it: 0 where it names none."""

    tick: int
    port: int
    message: Message

    @property
    def channel(self) -> int | None:
        """The message's channel, 0-15; None where it concerns none."""
        message = self.message
        return None if isinstance(message, SystemMessage) else message.channel

    @property
    def is_note(self) -> bool:
        """Whether a note begins or ends that has a pitch: drums have none."""
        return isinstance(self.message, NoteOn | NoteOff) and self.channel != PERCUSSION_CHANNEL

    def apart(self) -> Message:
        """Return the message with its port in the channel, so that no two parts share one."""
        message = self.message
        if isinstance(message, SystemMessage):
            return message
        return replace(message, channel=message.channel + CHANNELS * self.port)


def port_events(track: Track) -> Iterator[PortEvent]:
    """Return the messages of a track with their ports."""
    port = 0
    for event in track.events:
        if not isinstance(event.message, MetaEvent):
            yield PortEvent(event.tick, port, event.message)
        elif event.message.kind == MetaKind.PORT:
            port = event.message.data[0]


def player_events(song: Song, wanted: str | None) -> list[PortEvent]:
    """Return what the player plays, in the order of time.

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
    """Return the channel, 0-15, that "channel:N" names, on which there are notes."""
    number = wanted[len(_CHANNEL) :].strip()
    channel = int(number) - 1 if number.isdecimal() else -1
    if channel not in {taken for _, taken in _taken(song)}:
        raise UsageError(f"'{wanted}' has no notes; {_choice(song)}")
    return channel


def _track(song: Song, wanted: str) -> int:
    """Return the index of the track that a number or a name means."""
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
    """Return what --player-track can be."""
    return f"--player-track takes a number, a name or channel:N of {track_list(song)}"


def track_list(song: Song) -> str:
    """Return the tracks in a line: number, name, channels and how many notes."""
    tracks = (_described(number, track) for number, track in enumerate(song.tracks, 1))
    return "; ".join(tracks) or "no track"


def _described(number: int, track: Track) -> str:
    """Return what a track is: `1 'Piano' channel 1, 120 notes`."""
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
    """Return the port and the channel on which the improviser is alone.

    Never the drums' channel. Before others come a channel that is free on every port, one that no controller
    has set up for something else, and the channel `wanted`, 0-15.

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
    """Return the event that a track of the improviser begins with in a song whose tracks name ports."""
    names_port = any(
        isinstance(event.message, MetaEvent) and event.message.kind == MetaKind.PORT
        for track in song.tracks
        for event in track.events
    )
    return (TimedEvent(0, MetaEvent(MetaKind.PORT, bytes((port,)))),) if names_port else ()


def ended(track: Track, end_tick: int, longest: int | None = None) -> Track:
    """Return `track` with a note-off for each note that never ends.

    It comes at `end_tick`, or `longest` ticks after the note's beginning where that is sooner.
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
    """Return what a player does, with the sustain pedal up where it has long held nothing that is played.

    That is from ENDLESS_BEATS after the last key came up until the next one goes down: a file may lack the
    pedal's end.
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
