"""A storm of random input with faults in between: no note hangs, no exception occurs, no event is lost.

It runs in simulated time through the real performer loop. The small storm runs with the default tests; the large one,
100,000 events and 200 faults, is marked slow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.ipc.shared_state import NOTE_CELLS
from improviser.midi.message import NoteOff, NoteOn
from improviser.performer.inbox import ARRIVALS_MAX, PortLost
from improviser.protocol import (
    TEMPO_BPM,
    TURNS_MAX,
    Act,
    Action,
    Failed,
    Heard,
    Knob,
    Played,
    Turn,
    Warned,
)
from improviser.session.journal import Journal
from improviser.session.replay import replay
from improviser.session.session_log import read_session
from tests.actors import Indifferent
from tests.performing import ENGINE, KEYBOARD, Performance, performer_settings

PORTS = (KEYBOARD, "Improviser In")
# Seconds of music over which the events of one performance are spread.
LENGTH_S = 20.0


def fuzzed(rng: np.random.Generator) -> list[int]:
    """Return the bytes of a random message: a note, another message, a clock message, or random bytes."""
    match rng.integers(8):
        case 0 | 1 | 2:
            return [int(rng.integers(0x80, 0xA0)), int(rng.integers(128)), int(rng.integers(128))]
        case 3:
            return [int(rng.integers(0xA0, 0xF0)), int(rng.integers(128)), int(rng.integers(128))]
        case 4:
            return [int(rng.choice([0xF8, 0xF8, 0xF8, 0xFA, 0xFB, 0xFC]))]
        case 5:
            return [0xF2, int(rng.integers(128)), int(rng.integers(128))]
        case 6:
            return [0xF0, *map(int, rng.integers(0, 256, rng.integers(40))), 0xF7]
        case _:
            return [*map(int, rng.integers(0, 256, rng.integers(1, 6)))]


def fault(performance: Performance, rng: np.random.Generator) -> None:
    """Cause a random fault or a sudden command at a random time."""
    at_s = float(rng.uniform(0, LENGTH_S))
    kind = rng.integers(9)
    if kind == 0:  # a stopped process or a clock that jumps: nothing runs for seconds
        performance.at(at_s, lambda: performance.clock.advance(performance.clock.now_s() + 5.0))
    elif kind == 1:  # more messages at once than a cable carries
        for _ in range(3000):
            performance.play_bytes(at_s, fuzzed(rng), port=PORTS[rng.integers(2)])
    else:
        tempo_bpm, position = float(rng.uniform(*TEMPO_BPM)), float(rng.uniform(0, TURNS_MAX))
        items: tuple[Any, ...] = (
            *map(Act, Action),
            Turn(Knob.TEMPO, tempo_bpm),
            *(Turn(knob, position) for knob in Knob if knob is not Knob.TEMPO),
            *(PortLost(port, is_output=False) for port in PORTS),
            PortLost("Improviser Out", is_output=True, may_return=True),
        )
        item = items[rng.integers(len(items))]
        performance.at(at_s, lambda: performance.inbox.put(item))


def storm(seed: int, events: int, faults: int) -> tuple[Performance, Callable[[float], Engine]]:
    """Play a storm to the end; return the performance and its engine maker."""
    rng = np.random.default_rng(seed)
    engine = ENGINE | {"temperature": 1.0, "key": "auto" if seed % 2 else "C"}
    settings = performer_settings(
        engine=engine, seed=seed, thru=bool(seed % 3), sends_clock=bool(seed % 2), metronome=bool(seed % 5)
    )

    def make_engine(ahead_s: float = 0.0) -> Engine:
        """Return the engine of these settings."""
        values = EngineSettings(**settings.engine, ahead_s=ahead_s)
        return Engine(values, Indifferent(), np.random.default_rng(seed))

    performance = Performance(settings, new_engine=make_engine)
    for at_s in np.sort(rng.uniform(0, LENGTH_S, events)):
        performance.play_bytes(float(at_s), fuzzed(rng), port=PORTS[rng.integers(2)])
    for _ in range(faults):
        fault(performance, rng)
    performance.run(until_s=LENGTH_S + 10.0)
    return performance, make_engine


def sounding(performance: Performance) -> set[tuple[int, int]]:
    """Return what a receiver still sounds at the end; any note-off ends its note."""
    keys: set[tuple[int, int]] = set()
    for _, message in performance.sent:
        if isinstance(message, NoteOn):
            keys.add((message.channel, message.note))
        elif isinstance(message, NoteOff):
            keys.discard((message.channel, message.note))
    return keys


def check(seed: int, events: int, faults: int, folder: Path) -> None:
    """Play a storm, and check its result."""
    performance, make_engine = storm(seed, events, faults)
    assert set() == sounding(performance)
    assert not any(performance.cells[:NOTE_CELLS])
    assert [] == performance.told(Failed)
    journal = Journal(performance.settings, lambda: folder, pytest.fail)
    for event in performance.events:
        journal.append(event)
    journal.close()
    assert journal.path is not None
    session = read_session(journal.path)
    for kind in (Heard, Played, Warned):
        kept = [event for event in session.events if isinstance(event, kind)]
        assert len(performance.told(kind)) == len(kept)
    assert any(isinstance(event, Played) for event in session.events)
    for _ in range(2):
        assert replay(session, make_engine).difference is None


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_does_no_harm(seed: int, tmp_path: Path) -> None:
    """After a thousand messages and seven faults all notes are released, and the journal replays identically twice."""
    check(seed, 1000, 7, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_storms_of_100_000_events_and_210_faults_do_no_harm(seed: int, tmp_path: Path) -> None:
    """The same holds for thirty large storms."""
    check(seed, 3400, 7, tmp_path)


@pytest.mark.parametrize("name", ["a saturated cable", "a burst of 10,000", "a megabyte of SysEx"])
def test_too_much_is_taken_calmly(name: str) -> None:
    """After 1,000 messages a second for 15 s, 10,000 at once and one endless message, the music continues."""
    performance = Performance(performer_settings(thru=True))
    if name == "a saturated cable":
        for place in range(15_000):
            note = NoteOn(0, 30 + place % 60, 80) if place % 2 else NoteOff(0, 30 + (place - 1) % 60)
            performance.play(1.0 + place / 1000, note)
    elif name == "a burst of 10,000":
        performance.play(1.0, *(NoteOn(0, place % 128, 1 + place // 128) for place in range(10_000)))
    else:
        performance.play(0.5, NoteOn(0, 60, 80))
        performance.play_bytes(1.0, bytes([0xF0, *[0x55] * 1_000_000, 0xF7]))
    performance.play(17.0, NoteOn(0, 60, 80), NoteOff(0, 60))
    summary = performance.run(until_s=20.0)
    assert set() == sounding(performance)
    assert [] == performance.told(Failed)
    assert any(played.due_s > 117.0 for played in performance.told(Played))
    assert (0, 0) == (summary.late_decisions, summary.stuck_notes)
    assert (10_000 - ARRIVALS_MAX if "burst" in name else 0) == summary.dropped
