"""Renders improviser beside a player whose part is in a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiFileError
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.song import Song, refined
from improviser.music.meter import COMMON, Meter
from improviser.offline.bar_line import after_pickup, bar_end, counted_lines, meter_stretches, with_bars
from improviser.offline.part import (
    ENDLESS_BEATS,
    ended,
    free_part,
    player_events,
    port_opening,
    track_list,
    without_endless_pedals,
)
from improviser.offline.session import Report, engine_in_beats, ignore, improviser_track, play_along

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.offline.bar_line import BarLine
    from improviser.offline.part import PortEvent

# Nearly three hours at 120 beats per minute. A part that lasts longer is damaged.
MAX_BEATS: Final = 20_000
# With fewer ticks per quarter note, sixteenths do not fit; then the ticks are multiplied to about _ENOUGH_TICKS.
_FEWEST_TICKS: Final = 24
_ENOUGH_TICKS: Final = 96


@dataclass(frozen=True, slots=True)
class Wishes:
    """Changes to what the file says; None keeps the file's value.

    Attributes:
        player: The player's track, see `part.player_events`; None for all tracks together.
        meter: The meter of the whole song.
        pickup: Quarter notes before the first downbeat; 0 says that a short first bar is not a pickup.
        channel: improviser's channel, 0-15, whether it is free or not.
    """

    player: str | None = None
    meter: Meter | None = None
    pickup: float | None = None
    channel: int | None = None


def render_song(
    song: Song,
    wishes: Wishes,
    settings: EngineSettings,
    actor: Actor,
    rng: np.random.Generator,
    report: Report = ignore,
) -> Song:
    """Return `song` with improviser's track added after its own tracks.

    improviser plays as in a live performance. It waits for the player's first note, stops when the player has been
    silent for `patience_bars`, and starts again with the player. Its bars follow the song's time signatures, each from
    its position on. It does not hear drums, because they have no pitch.

    Args:
        song: What the player and others play.
        wishes: Changes to what the file says.
        settings: How improviser plays; the song's meter and tempo replace those of the settings.
        actor: Values the actions.
        rng: The generator of all random choices.
        report: Called with the number of beats that are done, and with the total.

    Raises:
        UsageError: There is no such track, no free channel, or the pickup is not possible.
        MidiFileError: The player has no notes, or the part lasts more than MAX_BEATS beats.
    """
    otherwise = Meter(*settings.meter)
    song = with_bars(_fine(song), otherwise, wishes.meter, wishes.pickup)
    events = player_events(song, wishes.player)
    last_beat = _last_note(song, events) / song.ticks_per_beat
    stretches: Sequence[BarLine] = meter_stretches(song, otherwise)
    if wishes.pickup != 0:
        stretches = after_pickup(stretches)
    end, meter = bar_end(stretches, last_beat)
    end_tick, longest = (round(beats * song.ticks_per_beat) for beats in (end, ENDLESS_BEATS))
    heard_song = replace(song, tracks=tuple(ended(track, end_tick, longest) for track in song.tracks))
    song = replace(song, tracks=tuple(ended(track, end_tick) for track in song.tracks))
    heard = without_endless_pedals(
        TimedMessage(event.tick / song.ticks_per_beat, event.apart())
        for event in player_events(heard_song, wishes.player)
        if event.is_note or not isinstance(event.message, NoteOn | NoteOff)
    )
    port, channel = free_part(song, settings.channel) if wishes.channel is None else (0, wishes.channel)
    until = end + settings.patience_bars * meter.bar_beats
    lines = list(counted_lines(stretches, settings.steps_per_beat, until))
    own = replace(settings, meter=_longest(lines, settings.steps_per_beat), channel=channel)
    engine = engine_in_beats(own, actor, rng, lines[0].beat, waits=True)
    played = play_along(engine, heard, until, bars=lines, report=report)
    part = improviser_track(played, song.ticks_per_beat, port_opening(song, port))
    return replace(song, tracks=(*song.tracks, part))


def _fine(song: Song) -> Song:
    """Return `song` with enough ticks per quarter note for improviser's notes."""
    if song.ticks_per_beat >= _FEWEST_TICKS:
        return song
    return refined(song, -(-_ENOUGH_TICKS // song.ticks_per_beat))


def _longest(lines: Sequence[BarLine], steps_per_beat: int) -> tuple[int, int]:
    """Return the longest meter that fits the grid; the longest duration of a note depends on it."""
    meters = [line.meter for line in lines if not line.meter.bar_beats * steps_per_beat % 1]
    meter = max((*meters, COMMON), key=lambda meter: meter.bar_beats)
    return meter.numerator, meter.denominator


def _last_note(song: Song, events: Sequence[PortEvent]) -> int:
    """Return the tick at which the player's last note begins or ends."""
    notes = [event for event in events if event.is_note]
    if not any(isinstance(event.message, NoteOn) for event in notes):
        raise MidiFileError(
            f"the player has no notes except drums in {track_list(song)}. Choose another file, or use --player-track"
        )
    beats = notes[-1].tick // song.ticks_per_beat
    if beats > MAX_BEATS:
        raise MidiFileError(f"the player's part lasts {beats:,} beats; cut it to at most {MAX_BEATS:,}")
    return notes[-1].tick
