"""Bars whose meter changes: where they begin, how strong their steps are, what counts as a bar ago."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.engine.bars import Bars
from improviser.listening.line import Line
from improviser.listening.tempo import BeatClock
from improviser.midi.message import NoteOn
from improviser.music.meter import METERS, Meter
from tests.actors import pulse

IN_C = EngineSettings(tempo_bpm=60.0, key="C", temperature=0.0, patience_bars=0)
FOUR, TWO, THREE = Meter(4, 4), Meter(2, 4), Meter(3, 4)


def bars_of(meter: Meter) -> Bars:
    """Return bars on a grid of four steps a beat, from the first step on."""
    return Bars.of(meter, 4)


def velocities(engine: Engine, changes: dict[float, Meter], beats: int) -> list[int]:
    """Return the velocities of what an engine plays on each beat, with changes of meter at given times."""
    played = []
    for beat in range(beats):
        if beat in changes:
            engine.begin_bar(beat, changes[beat])
        for _ in range(4):
            messages = engine.step(0.0)
            played += [timed.message.velocity for timed in messages if isinstance(timed.message, NoteOn)]
    return played


def test_bars_follow_each_other() -> None:
    """With one bar of 2/4 after two of 4/4, each bar begins in its place, and all are counted."""
    clock = BeatClock(60.0)
    short = bars_of(FOUR).followed_by(TWO, clock, 8.0, 4)
    again = short.followed_by(FOUR, clock, 10.0, 4)
    assert (Bars(METERS.index(TWO), 8, 32, 2), Bars(0, 16, 40, 3)) == (short, again)
    assert [(3, 0), (3, 15), (4, 0)] == [again.place(step) for step in (40, 55, 56)]
    assert [40, 56, 56] == [again.next_line(step) for step in (40, 41, 56)]


def test_a_bar_that_is_cut_counts() -> None:
    """A change of meter within a bar begins the next bar."""
    assert 1 == bars_of(FOUR).followed_by(THREE, BeatClock(60.0), 3.0, 4).first_bar


@pytest.mark.parametrize(("swing", "beat"), [(0.5, 1.75), (0.6, 1.75)])
def test_the_grid_begins_anew_where_no_step_falls_on_the_bar(swing: float, beat: float) -> None:
    """On a grid of two steps a beat, after a bar of 7/16, the next step is moved to the bar line."""
    clock = BeatClock(60.0, swing)
    bars = Bars.of(Meter(7, 16), 2)
    assert 4 == bars.steps
    after = bars.followed_by(FOUR, clock, beat, 2)
    assert (4, 1) == (after.first_step, after.first_bar)
    assert beat == pytest.approx(clock.s_at(after.first_step / 2))


def test_the_downbeats_are_those_of_the_meters() -> None:
    """The first beat of each bar is the loudest, also right after a change."""
    engine = Engine(IN_C, pulse(), np.random.default_rng(0))
    engine.start(0.0, 0.0)
    played = velocities(engine, {4: TWO, 6: FOUR, 14: THREE}, 20)
    assert [0, 4, 6, 10, 14, 17] == [beat for beat, at in enumerate(played) if at == max(played)]


def test_a_given_beat_may_wait_for_the_player() -> None:
    """On a given beat nothing is played before the player's first note; then the engine listens for a bar."""
    engine = Engine(EngineSettings(tempo_bpm=60.0, patience_bars=0), pulse(), np.random.default_rng(0))
    engine.give_beat(0.0, 0.0)
    assert engine.next_step_s is None
    assert [] == engine.step(0.0)
    engine.hear(NoteOn(0, 60, 80), 17.0)
    played: list[float] = []
    while (at_s := engine.next_step_s) is not None and at_s < 24:
        played += [timed.due_s for timed in engine.step(at_s) if isinstance(timed.message, NoteOn)]
    assert 21.0 == played[0]


def test_bars_change_while_the_player_is_waited_for() -> None:
    """Bars that begin before the player's first note count."""
    engine = Engine(IN_C, pulse(), np.random.default_rng(0))
    engine.give_beat(0.0, 0.0)
    engine.begin_bar(2.0, THREE)
    engine.hear(NoteOn(0, 60, 80), 3.0)
    played = velocities(engine, {}, 6)
    assert [5, 8] == [beat for beat, at in enumerate(played, 3) if at == max(played)]


def test_a_line_is_compared_with_a_bar_of_the_new_meter() -> None:
    """After a change of meter repetition at the lags of bars is counted again; that at the lags of beats stays."""
    line = Line(np.array([4]), np.array([16]))
    for _ in range(40):
        line.push(np.array([60], dtype=np.int16))
    copied, runs = line.copy(), line.runs.tolist()
    line.set_bar(16)
    assert runs == line.runs.tolist()
    line.set_bar(12)
    assert [[4, 8, 12, 24]] == line.lags.tolist()
    assert [[*runs[0][:2], 0, 0]] == line.runs.tolist()
    assert (runs, [[4, 8, 16, 32]]) == (copied.runs.tolist(), copied.lags.tolist())
