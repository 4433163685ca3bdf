"""Written music, for the tests of reading and writing files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, Track
from improviser.music.pitch import parse_note
from improviser.protocol import value_to_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from improviser.protocol import Event, PerformerSettings

TICKS: Final = 96
TUNE: Final = "C4 D4 E4 F4 G4 A4 G4 F4 E4 G4 F4 D4 E4 C4 D4 C4"


def to_track(notes: str, *, start: int = 0, channel: int = 0, name: str = "", ticks: int = TICKS) -> Track:
    """Return a track of notes, one per beat from the tick `start` on; "-" is a beat's rest."""
    events: list[TimedEvent] = []
    for beat, word in enumerate(notes.split()):
        if word != "-":
            tick = start + beat * ticks
            events.append(TimedEvent(tick, NoteOn(channel, parse_note(word), 80)))
            events.append(TimedEvent(tick + ticks, NoteOff(channel, parse_note(word))))
    return Track(name, tuple(events))


def to_song(
    *tracks: Track | str,
    tempos: Sequence[TempoChange] = (),
    meters: Sequence[MeterChange] = (),
    ticks: int = TICKS,
) -> Song:
    """Return a song of tracks; a string is a track of notes, one per beat."""
    parts = (to_track(track, ticks=ticks) if isinstance(track, str) else track for track in tracks)
    return Song(ticks, tuple(tempos), tuple(meters), tuple(parts))


def onsets(track: Track) -> list[tuple[int, int]]:
    """Return the tick and the note of each note-on of a track."""
    return [(event.tick, event.message.note) for event in track.events if isinstance(event.message, NoteOn)]


def channels(track: Track) -> set[int]:
    """Return the channels on which a track has notes."""
    return {event.message.channel for event in track.events if isinstance(event.message, NoteOn)}


def write_session(path: Path, settings: PerformerSettings, *events: Event) -> None:
    """Write a session as a journal file."""
    path.write_text("".join(map(value_to_line, (settings, *events))), "utf-8")
