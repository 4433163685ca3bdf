"""Runs a session of the engine in beats instead of seconds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from improviser.engine import Engine
from improviser.midi.message import NoteOff, NoteOn, ProgramChange, TimedMessage
from improviser.midi.song import MetaEvent, Song, TimedEvent, Track
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.offline.bar_line import BarLine

IMPROVISER: Final = "improviser"
# One beat per second.
BEAT_BPM: Final = 60.0
TOLERANCE_S: Final = 1e-6

Report = Callable[[float, float], None]


def ignore(done: float, total: float) -> None:
    """Ignore a report of progress."""


def engine_in_beats(
    settings: EngineSettings,
    actor: Actor,
    rng: np.random.Generator,
    downbeat: float,
    *,
    waits: bool = False,
) -> Engine:
    """Return an engine whose seconds are beats, and whose first bar begins at `downbeat`.

    It begins there and never waits for the player. With `waits` it waits for the player's first note, and again after
    `patience_bars` without the player, as in a live performance.
    """
    in_beats = replace(settings, tempo_bpm=BEAT_BPM, has_hindsight=True)
    if waits:
        engine = Engine(in_beats, actor, rng)
        engine.give_beat(downbeat, 0.0)
        return engine
    engine = Engine(replace(in_beats, patience_bars=0), actor, rng)
    engine.start(downbeat, 0.0)
    return engine


def play_along(
    engine: Engine,
    heard: Sequence[TimedMessage],
    until_s: float,
    *,
    bars: Sequence[BarLine] = (),
    opening: Sequence[int] = (),
    report: Report = ignore,
) -> list[TimedMessage]:
    """Run `engine` beside `heard` until `until_s`, or until it waits and no more messages come.

    Args:
        engine: The engine that plays.
        heard: The player's messages, in the order of time.
        until_s: The moment at which everything ends.
        bars: Bar lines at which the meter changes, in the order of time; the engine counts on from each.
        opening: The actions of the first steps; these are not decided.
        report: Called with the number of seconds that are done, and with the total.

    Returns:
        The messages that the engine plays, in the order of time; every note is ended.
    """
    scheduler = Scheduler(engine.settings.max_note_s)
    played: list[TimedMessage] = []
    pending, lines, forced = deque(heard), deque(bars), deque(opening)
    while (moment_s := _next_s(engine, pending)) < until_s - TOLERANCE_S:
        step_s = engine.next_step_s
        reached_s = moment_s if step_s is None else engine.next_grid_s
        while lines and lines[0].beat <= reached_s + TOLERANCE_S:
            line = lines.popleft()
            engine.begin_bar(line.beat, line.meter)
        if step_s is None:
            timed = pending.popleft()
            engine.hear(timed.message, timed.due_s)
            continue
        while pending and pending[0].due_s <= step_s + TOLERANCE_S:
            timed = pending.popleft()
            for mending in engine.hear(timed.message, timed.due_s):
                scheduler.add(mending)
        decided = engine.force(forced.popleft()) if forced else engine.step(step_s)
        for message in decided + engine.prepare():
            scheduler.add(message)
        played += scheduler.pop_due(step_s)
        report(reached_s, until_s)
    played += scheduler.pop_due(until_s)
    return played + [timed for timed in scheduler.release(until_s) if isinstance(timed.message, NoteOff)]


def _next_s(engine: Engine, pending: Sequence[TimedMessage]) -> float:
    """Return the moment of the engine's next step, or of the next message; infinity if there is neither."""
    if engine.next_step_s is not None:
        return engine.next_step_s
    return pending[0].due_s if pending else math.inf


def improviser_track(played: Sequence[TimedMessage], ticks_per_beat: int, opening: Sequence[TimedEvent] = ()) -> Track:
    """Return the track of the played messages, whose times are beats, after the events of `opening`."""
    events = (TimedEvent(round(timed.due_s * ticks_per_beat), timed.message) for timed in played)
    return Track(IMPROVISER, (*opening, *events))


def with_program(song: Song, program: int | None) -> Song:
    """Return `song` with a program change to `program`, 0-127, at the start of its last track; None adds none."""
    *others, part = song.tracks
    channels = [event.message.channel for event in part.events if isinstance(event.message, NoteOn)]
    if program is None or not channels:
        return song
    choice = TimedEvent(0, ProgramChange(channels[0], program))
    # A track must name its port before its first message.
    metas = [event for event in part.events if isinstance(event.message, MetaEvent)]
    messages = [event for event in part.events if not isinstance(event.message, MetaEvent)]
    return replace(song, tracks=(*others, Track(part.name, (*metas, choice, *messages))))
