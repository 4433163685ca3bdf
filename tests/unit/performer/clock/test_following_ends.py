"""Where following ends: another clock leads, the transport stops, keys come up unheard, or a wait is over."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from improviser.choices import ClockUse
from improviser.engine import Engine, EngineSettings
from improviser.listening.beat.onset_collector import MERGE_S
from improviser.listening.beat_tracker import BeatTracker
from improviser.midi.message import ALL_NOTES_OFF, START, ControlChange, NoteOff, NoteOn
from improviser.performer.clock.beat_follower import WAIT_BPM
from improviser.performer.inbox import PortLost
from improviser.performer.loop import LOOK_S
from improviser.protocol import (
    Act,
    Action,
    BeatFound,
    CountIn,
    Halted,
    Heard,
    Started,
    Synced,
    line_to_value,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import Session
from tests.human import Human, shared_maker, steady
from tests.performing import ENGINE, KEYBOARD, START_S, BarNote, Performance, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock
from tests.unit.performer.clock.test_jack_sync import hear
from tests.unit.performer.clock.test_mmc_sync import PLAY, STOP, send

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.listening.beat_tracker import BeatView
    from improviser.music.meter import Meter

# The player holds a note from beat 24 on, and the beat waits at this moment.
HELD_BEAT, WAITS_S = 24, 17.0


def held(beats: int = 32, **settings: object) -> tuple[Performance, Human]:
    """Return a performance whose player holds a note far too long, and the player."""
    human = Human(steady(100.0), beats, holds_s={HELD_BEAT: 3.4}, has_bass=False)
    engine = ENGINE | {"tempo_bpm": 100.0, "collect_s": 0.02}
    performance = Performance(performer_settings(**({"engine": engine} | settings)), new_tracker=shared_maker())
    human.perform(performance)
    return performance, human


def waits_at(performance: Performance, at_s: float) -> bool:
    """Return whether the beat waits at a time in seconds after the start, as the journal tells it."""
    paces: list[float] = [event.tempo_bpm for event in performance.told(Synced) if event.at_s <= START_S + at_s]
    return paces[-1] == WAIT_BPM


def test_jack_takes_the_lead_from_a_beat_that_waits() -> None:
    """Once the JACK transport rolls, nothing of the player is followed."""
    performance, _ = held()
    hear(performance, WAITS_S, 0.0, 130.0)
    performance.run(until_s=20.0)
    assert waits_at(performance, WAITS_S - 0.01)
    since = [event for event in performance.told(Synced) if event.at_s >= START_S + WAITS_S]
    assert [("jack", 130.0)] == [(event.clock, event.tempo_bpm) for event in since]
    assert not [event for event in performance.told(BeatFound) if event.at_s > START_S + WAITS_S]


def test_a_clock_that_takes_the_lead_finds_the_tempo() -> None:
    """A clock that has not told its tempo yet starts at the tempo, not at the pace of a wait."""
    performance, _ = held()
    play_clock(performance, 130.0, WAITS_S, 24, START)
    performance.run(until_s=WAITS_S + 0.4)
    assert waits_at(performance, WAITS_S - 0.01)
    assert not waits_at(performance, WAITS_S + 0.02)


def test_a_stop_ends_a_wait() -> None:
    """After stop and play the beat has the tempo, and is not held while nobody plays."""
    performance, human = held(25, mmc=True)
    send(performance, WAITS_S, *STOP)
    send(performance, 19.0, *PLAY)
    performance.run(until_s=human.s_at(25) + 4.0)
    assert waits_at(performance, WAITS_S - 0.01)
    assert ["MMC"] == [event.by for event in performance.told(Halted)]
    assert performance.told(Synced)[-1].tempo_bpm == pytest.approx(100.0, rel=0.03)
    assert not [event for event in performance.told(BeatFound) if event.at_s > START_S + WAITS_S]


def test_a_count_in_ends_a_wait() -> None:
    """With the clock that follows, a count-in counts at the tempo, and no look of the wait moves it."""
    performance, _ = held(25, clock=ClockUse.FOLLOW)
    performance.at(WAITS_S, lambda: performance.inbox.put(CountIn(1)))
    performance.run(until_s=WAITS_S + 2.0)
    assert waits_at(performance, WAITS_S - 0.01)
    assert -4.0 == performance.told(Started)[-1].beat
    since = [event.tempo_bpm for event in performance.told(Synced) if event.at_s >= START_S + WAITS_S]
    assert [pytest.approx(100.0, rel=0.03)] == since


def nothing(_performance: Performance) -> None:
    """Lift no key."""


def panic(performance: Performance) -> None:
    """Ask for silence."""
    performance.inbox.put(Act(Action.PANIC))


def lose(performance: Performance) -> None:
    """Lose the keyboard."""
    performance.inbox.put(PortLost(KEYBOARD, is_output=False))


@pytest.mark.parametrize(("lift", "waits"), [(nothing, True), (panic, False), (lose, False)])
def test_lifted_keys_are_not_held(lift: Callable[[Performance], None], *, waits: bool) -> None:
    """A key that stays down holds the beat; one that a panic or a lost port lifts does not."""
    assert waits == _waits_in_rest(lambda performance: performance.at(18.5, lambda: lift(performance)))


def test_keys_that_all_notes_off_lifts_are_not_held() -> None:
    """All notes off lifts the keys of its channel."""
    assert not _waits_in_rest(lambda performance: performance.play(18.5, ControlChange(0, ALL_NOTES_OFF, 0)))


def _waits_in_rest(prepare: Callable[[Performance], None]) -> bool:
    """Return whether the beat waits after 40 quarters of which the last is not heard to end."""
    performance = Performance(
        performer_settings(engine=ENGINE | {"tempo_bpm": 120.0}, mmc=True), new_tracker=shared_maker()
    )
    for beat in range(37):
        performance.play(beat * 0.5, NoteOn(0, 60, 90 if beat % 4 == 0 else 74))
        if beat < 36:
            performance.play(beat * 0.5 + 0.4, NoteOff(0, 60))
    prepare(performance)
    performance.run(until_s=20.5)
    return any(event.is_waiting for event in performance.told(BeatFound))


def test_the_note_that_ends_a_wait_is_in_time() -> None:
    """The beat moves before that note is heard: it belongs to the next step, and a replay plays the same."""
    performance, human = held(40)
    places: dict[float, float] = {}

    def new_engine() -> Engine:
        """Return an engine that notes where in the beat each note is heard."""
        engine = _engine(performance, 0.0)
        hears = engine.hear

        def spy(message: NoteOn, at_s: float) -> list:  # type: ignore[type-arg] # what the engine returns
            """Note the distance to the next step when a note is heard."""
            places[at_s] = engine.beat_at(at_s) - engine.next_step_beat
            return hears(message, at_s)

        engine.hear = spy  # type: ignore[method-assign,assignment] # a spy
        return engine

    performance.new_engine = new_engine
    performance.run(human.s_at(39) + 0.2)
    ends = [
        (synced, heard)
        for (before, synced), heard in zip(pairwise(_synced(performance)), _next_heard(performance), strict=True)
        if before.tempo_bpm == WAIT_BPM != synced.tempo_bpm and heard is not None
    ]
    assert [synced.at_s for synced, _ in ends] == [heard.at_s for _, heard in ends] != []
    for _, heard in ends:
        assert abs(places[heard.at_s]) < 0.02
    session = Session(performance.settings, [line_to_value(value_to_line(event)) for event in performance.events])
    result = replay(session, lambda ahead_s: _engine(performance, ahead_s))
    assert len(result.live) > 10
    assert result.difference is None


def _engine(performance: Performance, ahead_s: float) -> Engine:
    """Return an engine like that of a performance."""
    values = {"temperature": 0.0} | dict(performance.settings.engine) | {"ahead_s": ahead_s}
    return Engine(EngineSettings(**values), BarNote(), np.random.default_rng(performance.settings.seed))


def _synced(performance: Performance) -> list[Synced]:
    """Return the beats of a performance."""
    return performance.told(Synced)


def _next_heard(performance: Performance) -> list[Heard | None]:
    """Return for each beat of a performance but the first the event after it, if that is a note of the player."""
    after = [
        later if isinstance(later, Heard) else None
        for event, later in zip(performance.events, [*performance.events[1:], None], strict=True)
        if isinstance(event, Synced)
    ]
    return after[1:]


def test_it_looks_only_while_there_is_time() -> None:
    """The player's beat is never looked at shortly before a step is decided, but soon after each onset."""
    # Steps are decided just when the onsets on them are complete.
    performance, human = held(24, engine=ENGINE | {"tempo_bpm": 100.0, "collect_s": MERGE_S + 0.003})
    engines: list[Engine] = []
    idle_s: list[float] = []

    def new_engine() -> Engine:
        """Return an engine, and keep it."""
        engines.append(_engine(performance, 0.0))
        return engines[-1]

    def new_tracker(tempo_bpm: float, meter: Meter | None) -> BeatTracker:
        """Return a tracker that notes how soon the next step is decided when it looks."""
        tracker = shared_maker()(tempo_bpm, meter)
        looks = tracker.look

        def spy(at_s: float) -> BeatView | None:
            """Note how much time there is."""
            next_s = engines[-1].next_step_s
            idle_s.append(0.0 if next_s is None else next_s - performance.clock.now_s())
            return looks(at_s)

        tracker.look = spy  # type: ignore[method-assign] # a spy
        return tracker

    performance.new_engine, performance.new_tracker = new_engine, new_tracker
    performance.run(human.s_at(23) + 0.2)
    assert len(idle_s) > 60
    assert min(idle_s) > LOOK_S
