"""The improviser beside a player who stands in a file."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiFileError, UsageError
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.smf import Song, TimedEvent, Track
from improviser.music.meter import METERS, Meter
from improviser.offline.session import Report, engine_in_beats, ignore, improviser_track, play_along

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.midi.message import Message

PLAYER: Final = "player"
CHANNELS: Final = 16
# Channel 10. Source: General MIDI 1, where it is the percussion's.
PERCUSSION: Final = 9
# Nearly three hours at 120 beats a minute; a file that lasts longer is a damaged one.
MAX_BEATS: Final = 20_000


def render_song(
    song: Song,
    track: int | None,
    settings: EngineSettings,
    actor: Actor,
    rng: np.random.Generator,
    report: Report = ignore,
) -> Song:
    """Give `song`'s player and the improviser beside it, with the song's ticks, tempo and meters.

    The improviser counts in the meter of the song's longest stretch, and comes in on a downbeat of it. It
    does not hear drums, which have no pitch, and plays on a channel that the player leaves free.

    Args:
        song: What the player plays.
        track: Which track is the player, from 0; None takes all together.
        settings: How the improviser plays; the song's meter and tempo come before theirs.
        actor: What decides.
        rng: Of every random choice.
        report: Told how many beats of how many are done.

    Raises:
        UsageError: There is no such track.
        MidiFileError: It has no notes, or is endless.
    """
    events = _player_events(song, track)
    meter, downbeat_tick = song_meter(song, Meter(*settings.meter))
    bar_ticks = round(meter.bar_beats * song.ticks_per_beat)
    bars = max(1, math.ceil((events[-1].tick - downbeat_tick) / bar_ticks))
    end_tick = downbeat_tick + bars * bar_ticks
    beats = song.ticks_per_beat
    channel = _free_channel(events, settings.channel)
    own = replace(settings, meter=(meter.numerator, meter.denominator), channel=channel)
    engine = engine_in_beats(own, actor, rng, downbeat_tick / beats)
    heard = [
        TimedMessage(event.tick / beats, event.message) for event in events if not _is_drum(event.message)
    ]
    played = play_along(engine, heard, end_tick / beats, report=report)
    player = Track(PLAYER, (*events, *_missing_ends(events, end_tick)))
    return replace(song, tracks=(player, improviser_track(played, beats)))


def song_meter(song: Song, otherwise: Meter) -> tuple[Meter, int]:
    """Give the meter of the song's longest stretch, and the tick of its first downbeat, after any pickup.

    Where that meter is none of METERS it is `otherwise`, from the start.
    """
    if not song.meter_map:
        return otherwise, 0
    ends = [*(change.tick for change in song.meter_map[1:]), song.end_tick]
    spans = [end - change.tick for change, end in zip(song.meter_map, ends, strict=True)]
    longest = song.meter_map[spans.index(max(spans))]
    meter = Meter(longest.numerator, longest.denominator)
    if meter not in METERS:
        return otherwise, 0
    return meter, longest.tick % round(meter.bar_beats * song.ticks_per_beat)


def _player_events(song: Song, track: int | None) -> list[TimedEvent]:
    """Give what the player plays, in the order of time."""
    if track is not None and not 0 <= track < len(song.tracks):
        msg = f"there is no track {track + 1}; --player-track can be 1 to {len(song.tracks)}"
        raise UsageError(msg)
    tracks = song.tracks if track is None else song.tracks[track : track + 1]
    events = sorted((event for chosen in tracks for event in chosen.events), key=lambda event: event.tick)
    if not any(isinstance(event.message, NoteOn) and not _is_drum(event.message) for event in events):
        raise MidiFileError("the player has no notes, drums aside; choose another file, or --player-track")
    beats = events[-1].tick // song.ticks_per_beat
    if beats > MAX_BEATS:
        raise MidiFileError(f"the player's part lasts {beats:,} beats; cut it to at most {MAX_BEATS:,}")
    return events


def _missing_ends(events: Iterable[TimedEvent], end_tick: int) -> list[TimedEvent]:
    """Give a note-off at `end_tick` for each note that never ends."""
    sounding: Counter[tuple[int, int]] = Counter()
    for message in (event.message for event in events):
        if isinstance(message, NoteOn):
            sounding[message.channel, message.note] += 1
        elif isinstance(message, NoteOff) and sounding[message.channel, message.note]:
            sounding[message.channel, message.note] -= 1
    return [TimedEvent(end_tick, NoteOff(*key)) for key in sorted(sounding.elements())]


def _is_drum(message: Message) -> bool:
    """Tell whether a message is a note of the percussion channel: a drum, not a pitch."""
    return isinstance(message, NoteOn | NoteOff) and message.channel == PERCUSSION


def _free_channel(events: Iterable[TimedEvent], wanted: int) -> int:
    """Give the channel `wanted`, or the first that the player does not play on; `wanted` if there is none."""
    taken = {event.message.channel for event in events if isinstance(event.message, NoteOn)} | {PERCUSSION}
    return next((channel for channel in (wanted, *range(CHANNELS)) if channel not in taken), wanted)
