"""The live clock that follows the player, with the shipped beat model and generated players in simulated time."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import numpy as np
import pytest

from improviser.choices import ClockUse
from improviser.engine import Engine, EngineSettings
from improviser.midi.message import START, NoteOn
from improviser.protocol import (
    Act,
    Action,
    BeatFound,
    Heard,
    Knob,
    Notice,
    Refused,
    Stepped,
    Summary,
    Synced,
    Turn,
    line_to_value,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import Session
from tests.human import Human, apart, beat_at, followed, ramp, shared_maker, steady
from tests.performing import ENGINE, START_S, BarNote, Performance, hanging, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock

# Sixteen beats: four bars.
LOCK_BEATS = 16


@pytest.mark.parametrize(("plays_bpm", "expects_bpm"), [(100.0, 112.0), (84.0, 112.0), (126.0, 112.0), (100.0, 90.0)])
def test_it_locks_within_four_bars(plays_bpm: float, expects_bpm: float) -> None:
    """From the fifth bar on, our beat is within a tenth of the player's, whatever tempo was expected."""
    human = Human(steady(plays_bpm), 40)
    performance = followed(human, expects_bpm)
    assert max(map(abs, apart(performance, human, range(LOCK_BEATS, 40)))) < 0.1
    assert performance.told(BeatFound)[-1].tempo_bpm == pytest.approx(plays_bpm, rel=0.03)
    assert not hanging(performance)


@pytest.mark.parametrize("plays_bpm", [100.0, 110.0, 120.0])
def test_plain_quarters_are_quarters(plays_bpm: float) -> None:
    """Plain quarters from 100 to 120 are not read at half the tempo."""
    human = Human(steady(plays_bpm), 40, only_quarters=True)
    performance = followed(human, 108.0)
    assert performance.told(BeatFound)[-1].tempo_bpm == pytest.approx(plays_bpm, rel=0.03)


@pytest.mark.parametrize("end_bpm", [120.0, 80.0])
def test_a_change_of_a_fifth_is_followed_within_two_beats(end_bpm: float) -> None:
    """A player who becomes a fifth faster or slower in four bars is followed: our tempo is theirs of two beats ago."""
    human = Human(ramp(100.0, end_bpm, 16.0, 32.0), 48)
    performance = followed(human, 100.0)
    for beat in range(20, 46):
        ours = _tempo(performance, human, beat)
        theirs = [human.tempo_bpm(place) for place in (beat - 2, beat + 1)]
        assert min(theirs) * 0.94 < ours < max(theirs) * 1.06
    assert max(map(abs, apart(performance, human, range(20, 46)))) < 0.2
    assert max(map(abs, apart(performance, human, range(40, 47)))) < 0.1


def _tempo(performance: Performance, human: Human, beat: int) -> float:
    """Return our mean tempo over the two beats of the player around `beat`."""
    first_s, last_s = human.s_at(beat - 1), human.s_at(beat + 1)
    return 60 * (beat_at(performance, last_s) - beat_at(performance, first_s)) / (last_s - first_s)


def test_a_fermata_waits() -> None:
    """While the player holds a note far too long, our beat waits, and goes on with their next note."""
    human = Human(steady(100.0), 48, holds_s={24: 3.4}, has_bass=False)
    performance = followed(human, 100.0)
    waiting = [event for event in performance.told(BeatFound) if event.is_waiting]
    assert waiting
    # The note begins on beat 24. Without a wait, more than six beats would have passed before the next one.
    assert beat_at(performance, human.s_at(25)) - beat_at(performance, human.s_at(24)) < 4.0
    assert max(map(abs, apart(performance, human, range(32, 47)))) < 0.15


def test_nothing_is_lost_if_the_note_was_only_long() -> None:
    """A note of six beats in tempo is waited for as well, but the beats are made up for and no decision was late."""
    human = Human(steady(100.0), 48, holds_s={24: 3.0}, has_bass=False, jitter_s=0.004)
    performance = followed(human, 100.0)
    assert beat_at(performance, human.s_at(26)) - beat_at(performance, human.s_at(23)) == pytest.approx(8.0, abs=0.3)
    assert not any(event.late_decisions for event in performance.told(Summary))


def test_the_beat_never_goes_back() -> None:
    """No step is decided twice, and the beat goes back by less than a step, where it waits."""
    performance = followed(Human(ramp(110.0, 85.0, 8.0, 40.0), 48, holds_s={20: 2.0}), 100.0)
    events = performance.told(Synced)
    for before, event in itertools.pairwise(events):
        expected = before.beat + (event.at_s - before.at_s) * before.tempo_bpm / 60
        assert event.beat > expected - 0.25
    played = [event.through_s for event in performance.told(Stepped)]
    assert played == sorted(played)


def test_without_a_beat_the_tempo_stays() -> None:
    """Notes at random moments are no beat: the tempo stays about as it was."""
    rng = np.random.default_rng(3)
    performance = Performance(performer_settings(), new_tracker=shared_maker())
    for at_s in np.cumsum(rng.exponential(0.7, 40)):
        performance.play(float(at_s), NoteOn(0, int(rng.integers(50, 80)), 80))
    performance.run(until_s=28.0)
    told = performance.told(BeatFound)
    assert statistics.mean(event.is_followed for event in told) < 0.8
    assert 120 / 1.5 < statistics.median(event.tempo_bpm for event in told) < 120 * 1.5


def test_a_tempo_ends_it_and_follow_brings_it_back() -> None:
    """After a set tempo the player is no longer followed, until the command follow."""
    human = Human(steady(100.0), 80)
    performance = Performance(performer_settings(), new_tracker=shared_maker())
    human.perform(performance)
    performance.at(14.0, lambda: performance.inbox.put(Turn(Knob.TEMPO, 140.0)))
    performance.at(22.0, lambda: performance.inbox.put(Act(Action.FOLLOW)))
    performance.run(until_s=40.0)
    held = [event for event in performance.told(Synced) if 114.1 < event.at_s < 122]
    assert not held
    at_140 = [(event.is_own, event.is_heard) for event in performance.told(Synced) if event.tempo_bpm == 140]
    assert [(True, False), (False, True)] == at_140[:2]
    assert any("follows your beat" in event.text for event in performance.told(Notice))
    assert performance.told(BeatFound)[-1].tempo_bpm == pytest.approx(100.0, rel=0.03)


def test_one_tap_corrects_and_two_set_the_tempo() -> None:
    """One tap is a beat of the player. A second one sets the tempo, and the player is no longer followed."""
    human = Human(steady(100.0), 60)
    performance = Performance(performer_settings(), new_tracker=shared_maker())
    human.perform(performance)
    performance.at(human.s_at(8), lambda: performance.inbox.put(Act(Action.TAP)))
    for place in (30, 31):
        performance.at(human.s_at(place), lambda: performance.inbox.put(Act(Action.TAP)))
    performance.run(until_s=human.s_at(40))
    assert max(map(abs, apart(performance, human, range(LOCK_BEATS, 30)))) < 0.12
    last = performance.told(Synced)[-1]
    assert (last.is_heard, last.tempo_bpm) == (False, pytest.approx(100.0, abs=0.1))
    assert last.at_s - START_S == pytest.approx(human.s_at(31))


def test_a_midi_clock_wins() -> None:
    """A MIDI clock that starts is followed instead, and `follow` is refused while it leads."""
    human = Human(steady(100.0), 40)
    performance = Performance(performer_settings(), new_tracker=shared_maker())
    human.perform(performance)
    play_clock(performance, 130.0, 10.0, 24 * 20, START)
    performance.at(14.0, lambda: performance.inbox.put(Act(Action.FOLLOW)))
    performance.run(until_s=19.0)
    assert not [event for event in performance.told(Synced) if event.at_s > 110.2 and event.is_heard]
    assert performance.told(Synced)[-1].tempo_bpm == pytest.approx(130.0, abs=0.5)
    assert ["tempo"] == [event.what for event in performance.told(Refused)]


@pytest.mark.parametrize(
    "settings",
    [{"keeps_tempo": True}, {"metronome": True}, {"bars": 8}, {"count_in": 1}, {"clock": ClockUse.OWN}],
)
def test_it_follows_nobody_where_something_else_says_the_beat(settings: dict[str, Any]) -> None:
    """A chosen tempo, a click, a number of bars, a count-in and the own clock keep the tempo."""
    assert not performer_settings(**settings).follows_player
    performance = followed(Human(steady(90.0), 20), 100.0, **settings)
    assert not [event for event in performance.told(Synced) if event.is_heard]


def test_follow_is_followed_whatever_else_is_chosen() -> None:
    """With --clock follow the tempo is only where it begins."""
    settings = performer_settings(clock=ClockUse.FOLLOW, keeps_tempo=True, metronome=True)
    assert settings.follows_player


def test_the_note_is_told_before_the_beat_that_it_causes() -> None:
    """Each beat that is heard in a note is reported after the note."""
    performance = followed(Human(steady(90.0), 24), 100.0)
    heard_s = 0.0
    for event in performance.events:
        if isinstance(event, Heard):
            heard_s = event.at_s
        if isinstance(event, Synced):
            assert heard_s
            assert event.at_s >= heard_s - 1e-6


def test_a_replay_plays_the_same() -> None:
    """A replay of the events plays the same notes, since all that was decided about the beat is among them."""
    engine = {"tempo_bpm": 110.0, "collect_s": 0.02, "steps_per_beat": 4}
    performance = followed(Human(ramp(95.0, 118.0, 10.0, 40.0), 60, holds_s={30: 3.1}), 110.0, engine=ENGINE | engine)
    session = Session(performance.settings, [line_to_value(value_to_line(event)) for event in performance.events])

    def make_engine(ahead_s: float) -> Engine:
        """Return an engine like that of the performance."""
        values = {"temperature": 0.0} | dict(performance.settings.engine) | {"ahead_s": ahead_s}
        return Engine(EngineSettings(**values), BarNote(), np.random.default_rng(performance.settings.seed))

    result = replay(session, make_engine)
    assert len(result.live) > 20
    assert result.difference is None
