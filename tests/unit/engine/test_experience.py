"""The transitions of an engine: no gaps, the player's events, the meaning of a press."""

from __future__ import annotations

from itertools import count, pairwise

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.engine.experience import Experience, Transition
from improviser.listening.observation import COLUMNS, SURE
from improviser.midi.message import NoteOff, NoteOn
from improviser.music.meter import COMMON, METERS, THREE, Meter
from improviser.rewards import COMPONENTS
from tests.actors import random_policy

STEP_S = 0.125


def new_engine(**values: object) -> Engine:
    """Return an engine in C at 120 bpm with a policy of random weights."""
    settings = EngineSettings(**({"tempo_bpm": 120.0, "key": "C", "patience_bars": 1} | values))  # type: ignore[arg-type]
    return Engine(settings, random_policy(), np.random.default_rng(0))


def play(engine: Engine, steps: int, experience: Experience, *, silent: bool = False) -> list[Transition]:
    """Play a quarter on every beat unless silent; return the transitions."""
    lived = []
    for _ in range(steps):
        at_s = engine.next_step_s
        at_s = 0.0 if at_s is None else at_s
        step = round(at_s / STEP_S)
        if step % 4 == 0 and not silent:
            engine.hear(NoteOn(0, 60 + step % 5, 80), at_s)
            engine.hear(NoteOff(0, 60 + step % 5), at_s + 0.3)
        engine.step(at_s)
        lived += experience.transitions(engine)
    return lived


def test_transitions_follow_one_another() -> None:
    """Each next observation is the one that the next decision used; the reward is the engine's own."""
    engine, experience = new_engine(), Experience()
    lived = play(engine, 30, experience)
    assert 26 == len(lived)  # the last two steps are not settled, and what follows the two before is not known yet
    assert all((one.next_observation == other.observation).all() for one, other in pairwise(lived))
    assert not any(one.is_cut for one in lived)
    assert (len(COMPONENTS),) == lived[0].reward.shape
    again, rewards = new_engine(), []
    for _ in range(len(lived)):
        play(again, 1, Experience())
        rewards.append([again.rewards()[name] for name in COMPONENTS])
    assert np.array(rewards, dtype=np.float32) == pytest.approx(np.array([one.reward for one in lived]))
    assert [one.at_s for one in lived] == pytest.approx([STEP_S * step for step in range(len(lived))])
    assert all(one.next_legal.any() for one in lived)


def test_a_gap_is_cut() -> None:
    """After a wait or a jump the transition before it is cut."""
    engine, experience = new_engine(), Experience()
    before = play(engine, 18, experience)
    waited = play(engine, 40, experience, silent=True)
    assert [one.is_cut for one in waited].count(True) == 1
    assert waited[-1].is_cut
    assert [] == experience.transitions(engine)  # it still waits
    engine.hear(NoteOn(0, 60, 80), 60.0)
    after = []
    for _ in range(6):
        engine.step(60.0)
        after += experience.transitions(engine)
    assert len(before) > 10
    assert len(after) == 2
    assert 2 == len([stretch for stretch in experience.stretches if stretch])
    last = experience.cut()
    assert [True] == [one.is_cut for one in last]
    assert [] == experience.cut()


def test_a_step_that_was_passed_over_is_a_gap() -> None:
    """A skipped step makes a gap, because its hold was not chosen."""
    engine, experience = new_engine(), Experience()
    play(engine, 10, experience)
    engine.skip(0.0)
    cut = play(engine, 2, experience)
    assert [False, False, True] == [one.is_cut for one in [*experience.transitions(engine), *cut]]
    assert len(play(engine, 10, experience)) == 8


def test_what_the_player_did_is_kept_from_a_bar_line_on() -> None:
    """The player's events, pitch classes, bass and key are kept for each step from a bar line on."""
    engine, experience = new_engine(), Experience()
    play(engine, 5, Experience())
    play(engine, 43, experience)
    (stretch,) = experience.stretches
    assert 30 == len(stretch)
    struck = [step for step, one in enumerate(stretch) if one.event >= 0]
    assert [4 * beat for beat in range(8)] == struck
    assert all(one.key == 0 and one.certainty == SURE for one in stretch)
    first = stretch[0]
    assert 1 << first.event % 12 == first.bits
    assert first.bass == first.event


@pytest.mark.parametrize(("meter", "beat"), [(THREE, 8.0), (COMMON, 6.0), (THREE, 5.25)])
def test_bars_that_are_counted_anew_begin_another_stretch(meter: Meter, beat: float) -> None:
    """Another meter or another bar line begins a stretch at the next bar line; the transitions go on."""
    engine, experience = new_engine(), Experience()
    lived = play(engine, 19, experience)
    engine.count_bars(beat, meter)
    lived += play(engine, 40, experience)
    before, after = experience.stretches
    first = next(line for line in count(round(4 * beat) - 4 * 12, meter.bar_sixteenths) if line >= 19)
    assert [0, METERS.index(meter)] == [before[0].meter, after[0].meter]
    assert 19 + 40 - 2 - first == len(after)
    assert not any(one.is_cut for one in lived)


def test_what_the_player_did_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old stretches are dropped first, then bars of the current one, which still begins with a bar."""
    monkeypatch.setattr("improviser.engine.experience.PLAYER_STEPS", 40)
    engine, experience = new_engine(), Experience()
    play(engine, 50, experience)
    assert [32] == [len(stretch) for stretch in experience.stretches]
    experience.cut()
    play(engine, 30, experience)
    assert 1 == len(experience.stretches)
    assert experience.stretches[0][0].event >= 0


def test_at_no_temperature_all_that_is_legal_is() -> None:
    """At temperature 0 all legal actions are recorded as legal."""
    engine, experience = new_engine(temperature=0.0), Experience()
    lived = play(engine, 20, experience)
    assert all(one.next_legal.sum() > 1 for one in lived)


def test_a_press_means_what_was_heard_a_second_ago() -> None:
    """The shares of a press sum to 1, and no step within the reaction time gets one."""
    engine, experience = new_engine(), Experience()
    lived = play(engine, 60, experience)
    at_s = lived[-1].at_s + 0.5
    credits_ = experience.credits(at_s)
    assert 1.0 == pytest.approx(sum(share for _, share in credits_))
    ages = [at_s - lived[-1 - back].at_s for back, _ in credits_]
    assert 0.2 <= min(ages)
    assert max(ages) <= 3.1
    best = max(credits_, key=lambda pair: pair[1])[0]
    assert 1.0 <= at_s - lived[-1 - best].at_s <= 2.3
    assert [] == experience.credits(at_s + 60.0)
    assert [] == Experience().credits(1.0)


def test_what_is_seen_is_a_copy() -> None:
    """A recorded observation does not change with the engine's next step."""
    engine, experience = new_engine(), Experience()
    lived = play(engine, 20, experience)
    kept = [one.observation.copy() for one in lived]
    play(engine, 20, experience)
    assert all((one.observation == copy).all() for one, copy in zip(lived, kept, strict=True))
    assert len({int(one.observation[COLUMNS["sixteenth"].start]) for one in lived}) == 16
