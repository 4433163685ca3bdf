"""Renders improviser beside a player whose beat is found, not told: only the seconds of the notes are used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiFileError
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.song import Song, TimedEvent, Track
from improviser.midi.tempo_map import TempoMap
from improviser.offline.beat_teller import BeatTeller, beat_views
from improviser.offline.found_time import TICKS_PER_BEAT, FoundTime, WrittenTime
from improviser.offline.part import ended, free_part, player_events, port_opening, track_list, without_endless_pedals
from improviser.offline.session import IMPROVISER, Report, engine_in_beats, ignore, play_along

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.listening.beat_tracker import BeatTracker
    from improviser.offline.bar_line import BarLine
    from improviser.offline.render import Wishes

# The tracker hears nothing for this long after the last note.
_TAIL_S: Final = 4.0
MAX_S: Final = 3 * 3600.0


@dataclass(frozen=True, slots=True)
class HeardHarmony:
    """What improviser understood at a moment: the key, and the chord or None."""

    at_s: float
    key: str
    chord: str | None


@dataclass(frozen=True, slots=True)
class Followed:
    """A song with improviser's part, in the time that was found.

    Attributes:
        song: All parts; tempo and meter are those that were found.
        time: The beats that were told.
        understood: Key and chord, each time that one of them changed.
    """

    song: Song
    time: FoundTime
    understood: tuple[HeardHarmony, ...]


def follow_song(  # noqa: PLR0913, PLR0917 - those of render_song, and the tracker
    song: Song,
    wishes: Wishes,
    settings: EngineSettings,
    actor: Actor,
    rng: np.random.Generator,
    tracker: BeatTracker,
    report: Report = ignore,
) -> Followed:
    """Return `song` with improviser's track, played to the beat that `tracker` finds as it hears.

    Raises:
        UsageError: There is no such track, or no free channel.
        MidiFileError: The player has no notes, or plays longer than MAX_S.
    """
    clock = TempoMap(song)
    heard = _heard(song, wishes.player, clock)
    end_s = heard[-1].due_s + _TAIL_S
    time = find_time(tracker, heard, end_s)
    port, channel = free_part(song, settings.channel) if wishes.channel is None else (0, wishes.channel)
    understood: list[HeardHarmony] = []
    played = play_in_time(time, heard, replace(settings, channel=channel), actor, rng, understood, report)
    written = WrittenTime(time, max(end_s, float(clock.seconds_at(song.end_tick))))
    own = written.ticks_at([timed.due_s for timed in played])
    events = [TimedEvent(tick, timed.message) for tick, timed in zip(own.tolist(), played, strict=True)]
    part = Track(IMPROVISER, (*port_opening(song, port), *events))
    tracks = (*(_moved(track, clock, written) for track in song.tracks), part)
    rendered = Song(
        TICKS_PER_BEAT,
        written.tempo_map,
        written.meter_map,
        tracks,
        _moved(song.conductor, clock, written),
        skipped=song.skipped,
    )
    return Followed(rendered, time, tuple(understood))


def play_in_time(  # noqa: PLR0913, PLR0917 - as above
    time: FoundTime,
    heard: Sequence[TimedMessage],
    settings: EngineSettings,
    actor: Actor,
    rng: np.random.Generator,
    understood: list[HeardHarmony] | None = None,
    report: Report = ignore,
) -> list[TimedMessage]:
    """Return what improviser plays to the beats of `time`, which has at least one, beside the player's messages.

    All moments are in seconds. What it understands is added to `understood`.
    """
    lines = time.bar_lines()
    engine = engine_in_beats(replace(settings, meter=_meter(lines)), actor, rng, 0.0, waits=True)
    placed = [TimedMessage(time.position_at(timed.due_s), timed.message) for timed in heard]
    found = [] if understood is None else understood

    def note(done: float, total: float) -> None:
        """Take down the key and the chord if one of them has changed."""
        key, chord = engine.key.name, None if engine.decision is None else engine.decision.chord
        if not found or (found[-1].key, found[-1].chord) != (key, chord):
            found.append(HeardHarmony(float(time.moments_of(done)), key, chord))
        report(done, total)

    played = play_along(engine, placed, time.positions[-1], bars=lines, report=note)
    moments = time.moments_of([timed.due_s for timed in played])
    return [replace(timed, due_s=at_s) for timed, at_s in zip(played, moments.tolist(), strict=True)]


def _heard(song: Song, wanted: str | None, clock: TempoMap) -> list[TimedMessage]:
    """Return the player's messages in seconds."""
    events = player_events(replace(song, tracks=tuple(ended(track, song.end_tick) for track in song.tracks)), wanted)
    seconds = clock.seconds_at([event.tick for event in events])
    if not any(event.is_note and isinstance(event.message, NoteOn) for event in events):
        raise MidiFileError(
            f"the player has no notes except drums in {track_list(song)}. Choose another file, or use --player-track"
        )
    if seconds[-1] > MAX_S:
        raise MidiFileError(f"the player's part lasts {seconds[-1]:,.0f} s; cut it to at most {MAX_S:,.0f}")
    return without_endless_pedals(
        TimedMessage(at_s, event.apart())
        for at_s, event in zip(seconds.tolist(), events, strict=True)
        if event.is_note or not isinstance(event.message, NoteOn | NoteOff)
    )


def find_time(tracker: BeatTracker, heard: Sequence[TimedMessage], end_s: float) -> FoundTime:
    """Return the beats that the tracker tells while it hears, until `end_s`."""
    time, teller = FoundTime(), BeatTeller()
    for now_s, view in beat_views(tracker, heard, end_s):
        told_s = teller.told(view, now_s)
        if told_s is None:
            time.add_reading(now_s, view)
        else:
            time.add_beat(told_s, view)
    return time


def _meter(lines: Sequence[BarLine]) -> tuple[int, int]:
    """Return the longest of the meters that were found; the longest duration of a note depends on it."""
    meter = max((line.meter for line in lines), key=lambda meter: meter.bar_beats)
    return meter.numerator, meter.denominator


def _moved(track: Track, clock: TempoMap, written: WrittenTime) -> Track:
    """Return a track with its events at the same seconds in the time that is written."""
    ticks = written.ticks_at(clock.seconds_at([event.tick for event in track.events]))
    return replace(
        track,
        events=tuple(replace(event, tick=tick) for event, tick in zip(track.events, ticks.tolist(), strict=True)),
    )
