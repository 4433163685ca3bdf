"""Engine sessions: the player's messages, and what the engine plays."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine import Engine, EngineSettings
from improviser.engine.core import ROUNDING_S
from improviser.listening.observation import COLUMNS
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from improviser.agent.policy import Actor
    from tests.actors import Figure

# At 120 beats a minute a sixteenth takes an eighth of a second, which floating point holds exactly.
TEMPO: Final = 120.0
STEP_S: Final = 0.125
BAR_S: Final = 16 * STEP_S


def make_engine(actor: Actor, seed: int = 0, **settings: object) -> Engine:
    """Return an engine with these settings; the others have their defaults, except for a temperature of 0."""
    chosen = EngineSettings(**{"temperature": 0.0, **settings})  # type: ignore[arg-type]  # any setting may be given
    return Engine(chosen, actor, np.random.default_rng(seed))


def play_session(
    engine: Engine,
    heard: Sequence[TimedMessage],
    until_s: float,
    between: Callable[[Engine], Iterable[TimedMessage]] = lambda _: (),
    lateness: Callable[[], float] = lambda: 0.0,
    after: Callable[[Engine], Iterable[TimedMessage]] = Engine.prepare,
) -> list[TimedMessage]:
    """Return what the scheduler sends when `engine` plays beside `heard` until `until_s`, with all notes released.

    Args:
        engine: The engine.
        heard: The player's messages, in order of time.
        until_s: The end of the session.
        between: Called with the engine after each message; what it returns is played.
        lateness: Returns how many seconds late a step is; messages that arrive meanwhile are heard first.
        after: Called with the engine after each step; what it returns is played.
    """
    scheduler = Scheduler(engine.settings.max_note_s)
    played: list[TimedMessage] = []
    waiting = list(reversed(heard))
    while True:
        late_s = lateness()
        while waiting and waiting[-1].due_s <= _moment(engine, until_s) + ROUNDING_S + late_s:
            timed = waiting.pop()
            for message in engine.hear(timed.message, timed.due_s):
                scheduler.add(message)
            for message in between(engine):
                scheduler.add(message)
        step_s = engine.next_step_s
        if step_s is None or step_s > until_s:
            break
        for message in (*engine.step(step_s + late_s), *after(engine)):
            scheduler.add(message)
        played += scheduler.pop_due(step_s)
    return played + scheduler.pop_due(until_s) + scheduler.release(until_s)


def _moment(engine: Engine, until_s: float) -> float:
    """Return the time of the engine's next step, or the end of the session where the engine waits."""
    step_s = engine.next_step_s
    return until_s if step_s is None else min(step_s, until_s)


def note(at_s: float, pitch: int = 60, length_s: float = 0.1) -> list[TimedMessage]:
    """Return a note-on and its note-off."""
    return [TimedMessage(at_s, NoteOn(0, pitch, 80)), TimedMessage(at_s + length_s, NoteOff(0, pitch))]


def tell(engine: Engine, *heard: TimedMessage) -> Engine:
    """Pass messages to an engine at their times, and return the engine."""
    for timed in heard:
        engine.hear(timed.message, timed.due_s)
    return engine


def steps(engine: Engine, count: int) -> list[TimedMessage]:
    """Return what an engine plays in its next `count` steps, each run when it is due."""
    played: list[TimedMessage] = []
    for _ in range(count):
        assert engine.next_step_s is not None
        played += engine.step(engine.next_step_s)
    return played


def ons(played: list[TimedMessage]) -> list[tuple[float, int]]:
    """Return the time and the note of each note-on."""
    return [(timed.due_s, timed.message.note) for timed in played if isinstance(timed.message, NoteOn)]


def seen(actor: Figure, feature: str) -> list[int]:
    """Return a feature of the actor's last observation."""
    values: list[int] = actor.asked[-1][COLUMNS[feature]].tolist()
    return values


def sounding_after(played: Sequence[TimedMessage]) -> Counter[tuple[int, int]]:
    """Return how often each (channel, note) sounds after `played`.

    Raises:
        AssertionError: A note-off came for a note that was silent.
    """
    sounding: Counter[tuple[int, int]] = Counter()
    for message in (timed.message for timed in played):
        if isinstance(message, NoteOn):
            sounding[message.channel, message.note] += 1
        elif isinstance(message, NoteOff):
            sounding[message.channel, message.note] -= 1
            assert sounding[message.channel, message.note] >= 0
    return +sounding


def longest_note_s(played: Sequence[TimedMessage]) -> float:
    """Return the duration of the longest note in seconds, 0 where there is none."""
    begun: dict[tuple[int, int], float] = {}
    longest_s = 0.0
    for timed in played:
        if isinstance(timed.message, NoteOn):
            begun[timed.message.channel, timed.message.note] = timed.due_s
        elif isinstance(timed.message, NoteOff):
            key = timed.message.channel, timed.message.note
            longest_s = max(longest_s, timed.due_s - begun.pop(key, timed.due_s))
    return longest_s
