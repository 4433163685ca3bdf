"""A session of the engine in beats instead of seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.engine import Engine
from improviser.midi.message import NoteOff, NoteOn, ProgramChange, TimedMessage
from improviser.midi.smf import Song, TimedEvent, Track
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings

IMPROVISER: Final = "improviser"
# One beat a second.
BEAT_BPM: Final = 60.0
TOLERANCE_S: Final = 1e-6

Report = Callable[[float, float], None]


def ignore(done: float, total: float) -> None:
    """Take a report of progress that nobody wants."""


def engine_in_beats(
    settings: EngineSettings, actor: Actor, rng: np.random.Generator, downbeat: float
) -> Engine:
    """Give an engine whose seconds are beats, which starts at a downbeat and never waits for the player."""
    in_beats = replace(settings, tempo_bpm=BEAT_BPM, collect_s=0.0, patience_bars=0)
    engine = Engine(in_beats, actor, rng)
    engine.start(downbeat, 0.0)
    return engine


def play_along(
    engine: Engine,
    heard: Sequence[TimedMessage],
    until_s: float,
    *,
    opening: Sequence[int] = (),
    report: Report = ignore,
) -> list[TimedMessage]:
    """Let `engine` play beside `heard`, in the order of time, until `until_s`.

    Args:
        engine: Plays; it never waits.
        heard: What the player does.
        until_s: When all ends.
        opening: The actions of the first steps, which are not decided.
        report: Told how many seconds of how many are done.

    Returns:
        What it plays, in the order of time, every note ended.
    """
    scheduler = Scheduler(engine.settings.max_note_s)
    played: list[TimedMessage] = []
    pending, forced = deque(heard), deque(opening)
    while (step_s := engine.next_step_s) is not None and step_s < until_s - TOLERANCE_S:
        while pending and pending[0].due_s <= step_s + TOLERANCE_S:
            timed = pending.popleft()
            engine.hear(timed.message, timed.due_s)
        for message in engine.force(forced.popleft()) if forced else engine.step(step_s):
            scheduler.add(message)
        played += scheduler.pop_due(step_s)
        report(step_s, until_s)
    played += scheduler.pop_due(until_s)
    return played + [timed for timed in scheduler.release(until_s) if isinstance(timed.message, NoteOff)]


def improviser_track(played: Sequence[TimedMessage], ticks_per_beat: int) -> Track:
    """Give the track of what was played, in beats."""
    events = (TimedEvent(round(timed.due_s * ticks_per_beat), timed.message) for timed in played)
    return Track(IMPROVISER, tuple(events))


def with_program(song: Song, program: int | None) -> Song:
    """Give `song` with the instrument of its last track, 0-127, chosen at the start; None leaves it open."""
    *others, part = song.tracks
    channels = [event.message.channel for event in part.events if isinstance(event.message, NoteOn)]
    if program is None or not channels:
        return song
    choice = TimedEvent(0, ProgramChange(channels[0], program))
    return replace(song, tracks=(*others, Track(part.name, (choice, *part.events))))
