"""Hours of playing: memory does not grow, timing does not drift, no note hangs."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.midi.message import NoteOff, NoteOn
from improviser.protocol import Event, Played, Stepped, Summary
from tests.actors import random_policy
from tests.performing import ENGINE, START_S, STEP_S, Performance, performer_settings

HOUR_S = 3600.0
BEAT_S = 0.5
# The player plays this many of this many beats.
PLAYED, ROUND = 100, 120
GROWTH_KB = 1024


def resident_kb() -> int:
    """Return the resident memory of this process in kB."""
    gc.collect()
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


class Figures(list[Event]):
    """Replaces a list of events: counts them, and measures how far the improviser's notes are off the grid."""

    def __init__(self) -> None:
        """Start with no events."""
        super().__init__()
        self.steps, self.notes, self.off_s = 0, 0, 0.0

    def append(self, event: Event) -> None:
        """Count an event without keeping it."""
        self.steps += isinstance(event, Stepped)
        if isinstance(event, Played):
            self.notes += 1
            place = (event.due_s - START_S) / STEP_S
            self.off_s = max(self.off_s, abs(place - round(place)) * STEP_S)


class Endless(Performance):
    """A performance that does not keep what it has sent, with a player who never stops."""

    def begin(self, until_s: float) -> None:
        """Start the player, and read the memory once an hour."""
        self.until_s, self.memory_kb = until_s, list[int]()
        self.rng = np.random.default_rng(0)
        self.at(0.0, lambda: self.play_beat(0))

    def play_beat(self, beat: int) -> None:
        """Play a beat unless it is a rest, and schedule the next one."""
        at_s, note = beat * BEAT_S, 60 + int(self.rng.integers(12))
        if beat % ROUND < PLAYED:
            self.play(at_s, NoteOn(0, note, 80))
            self.play(at_s + 0.9 * BEAT_S, NoteOff(0, note))
        if at_s % HOUR_S == 0:
            self.memory_kb.append(resident_kb())
        if at_s + BEAT_S < self.until_s:
            self.at(at_s + BEAT_S, lambda: self.play_beat(beat + 1))

    def _sent(self, *_: object) -> None:
        """Drop a sent message; the statistics have counted it."""


def soak(hours: float) -> tuple[Endless, Figures, Summary]:
    """Play for some hours and seconds; the player stops before the end."""
    figures = Figures()
    settings = performer_settings(sends_clock=True, thru=True, engine=ENGINE | {"temperature": 1.0})

    def engine() -> Engine:
        """Return an engine."""
        return Engine(EngineSettings(**settings.engine), random_policy(), np.random.default_rng(0))

    performance = Endless(settings, events=figures, new_engine=engine)
    performance.begin(hours * HOUR_S)
    return performance, figures, performance.run(until_s=hours * HOUR_S + 10.0)


def test_a_minute_is_on_its_grid() -> None:
    """In one minute each step is decided, each note is on the grid, and none hangs."""
    _, figures, summary = soak(1 / 60)
    assert 70 / STEP_S == pytest.approx(figures.steps, abs=2)
    assert (0, 0, 0) == (summary.stuck_notes, summary.late_decisions, summary.dropped)
    assert figures.notes > 0
    assert figures.off_s < 1e-5


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_hours_grow_by_less_than_a_megabyte(capsys: pytest.CaptureFixture[str]) -> None:
    """After the first hour the memory stays constant, and the last note is on the grid of the first."""
    performance, figures, summary = soak(10.0)
    growth_kb = performance.memory_kb[-1] - performance.memory_kb[1]
    with capsys.disabled():
        sys.stdout.write(f"\n10 h: {figures.notes} notes, {growth_kb} KB, {1e6 * figures.off_s:.1f} us off\n")
    assert growth_kb <= GROWTH_KB
    assert (0, 0) == (summary.stuck_notes, summary.late_decisions)
    assert figures.off_s < 1e-5
