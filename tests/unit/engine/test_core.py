"""The engine: what counts for a step, when it decides and what it plays."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.engine.step_times import DECIDE_AHEAD_S
from improviser.errors import UsageError
from improviser.midi.message import SUSTAIN_PEDAL, ControlChange, Message, NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import GestureKind
from improviser.rewards import COMPONENTS, TERMS
from tests.actors import Indifferent, pulse
from tests.scales import in_key
from tests.sessions import BAR_S, STEP_S, TEMPO, make_engine, note, ons, play_session, seen, steps, tell


def gesture(engine: Engine) -> GestureKind:
    """Return the gesture of the last decision."""
    assert engine.decision is not None
    return engine.decision.gesture.kind


def test_it_waits_for_the_player() -> None:
    """Before the first note there is no step, and calling one returns nothing."""
    engine = make_engine(pulse(), key="C")
    engine.prepare()
    assert (None, [], [], None) == (engine.next_step_s, engine.step(1.0), engine.skip(1.0), engine.decision)


@pytest.mark.parametrize("message", [NoteOff(0, 60), ControlChange(0, SUSTAIN_PEDAL, 127)])
def test_only_a_note_wakes_it(message: Message) -> None:
    """A stray note-off or the pedal does not start the beat."""
    assert None is tell(make_engine(pulse(), key="C"), TimedMessage(1.0, message)).next_step_s


def test_a_pedal_pressed_before_the_first_note_holds_it() -> None:
    """A pedal pressed before the first note holds that note."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, TimedMessage(0.5, ControlChange(0, SUSTAIN_PEDAL, 127)), *note(1.0))
    steps(engine, 4)
    assert 1 == seen(actor, "player_pcs")[0]


def test_the_first_note_is_the_downbeat() -> None:
    """The beat starts at the first note, where the figure begins."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(3.25))
    assert 3.25 == engine.next_step_s
    assert [(3.25 + beat * 4 * STEP_S, 60) for beat in range(4)] == ons(steps(engine, 16))


def test_the_figure_stands_in_its_meter() -> None:
    """In three quarters the fourth beat is a downbeat again."""
    actor = pulse()
    engine = tell(make_engine(actor, key="C", tempo_bpm=TEMPO, meter=(3, 4)), *note(0.0))
    steps(engine, 13)
    assert ([0], [1], [2]) == (seen(actor, "sixteenth"), seen(actor, "bar"), seen(actor, "meter"))


@pytest.mark.parametrize("steps_per_beat", [1, 2, 3, 4])
def test_the_grid_has_its_steps(steps_per_beat: int) -> None:
    """One to four steps a beat are evenly spaced, and the fifth beat is the next downbeat."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, steps_per_beat=steps_per_beat)
    tell(engine, *note(0.0))
    steps(engine, 4 * steps_per_beat)
    assert pytest.approx(BAR_S) == engine.next_step_s
    steps(engine, 1)
    assert ([0], [1]) == (seen(actor, "sixteenth"), seen(actor, "bar"))


def test_in_an_unknown_key_the_first_bar_is_listened_to() -> None:
    """In an unknown key the engine only listens for a bar, then plays."""
    actor = pulse()
    engine = tell(make_engine(actor, tempo_bpm=TEMPO), *note(0.0))
    assert [] == steps(engine, 16)
    assert (0, GestureKind.REST) == (len(actor.asked), gesture(engine))
    assert [(BAR_S, engine.base)] == ons(steps(engine, 1))


def test_the_key_is_heard() -> None:
    """After a scale and triad in D the key is D, with more confidence than at first, and the register begins at D."""
    engine = make_engine(pulse(), tempo_bpm=TEMPO)
    pitches = (62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62)
    tell(engine, *(timed for at, pitch in enumerate(pitches) for timed in note(at * STEP_S, pitch)))
    steps(engine, 16)
    assert ("D", 62) == (engine.key.name, engine.base)
    assert 0.5 < engine.listener.heard_key.confidence <= 1


def test_a_locked_key_is_kept() -> None:
    """A locked key stays certain whatever is heard, and every note played belongs to it."""
    engine = make_engine(Indifferent(), key="Ebm", tempo_bpm=TEMPO, temperature=1.0)
    tell(engine, *(timed for at in range(24) for timed in note(at * STEP_S, 60 + at)))
    played = ons(steps(engine, 64))
    assert ("Ebm", 1.0) == (engine.key.name, engine.listener.heard_key.confidence)
    assert len(played) > 20
    assert all(in_key(engine.key, pitch) for _, pitch in played)


@pytest.mark.parametrize(
    "settings",
    [EngineSettings(key="H"), EngineSettings(meter=(11, 5)), EngineSettings(meter=(7, 8), steps_per_beat=3)],
)
def test_an_unknown_key_or_meter_is_refused(settings: EngineSettings) -> None:
    """An unknown key or meter is a user error."""
    with pytest.raises(UsageError):
        Engine(settings, pulse(), np.random.default_rng(0))


def test_a_decision_says_what_was_done() -> None:
    """A decision holds the step, beat, action, gesture, key and chord, and the numbers behind it."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(0.0, 64, 1.0))
    steps(engine, 5)
    decision = engine.decision
    assert decision is not None
    assert (4, 1.0, 2, (60,), "C") == (
        decision.step,
        decision.beat,
        decision.action,
        decision.gesture.notes,
        decision.key,
    )
    assert decision.chord is not None
    assert decision.choice is not None
    assert 2 == decision.choice.action


def test_rewards_are_those_of_the_last_step() -> None:
    """Rewards hold every term and component by name, each within its bounds."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(0.0, 72, 1.0))
    steps(engine, 1)
    earned = engine.rewards()
    assert [*TERMS, *COMPONENTS] == list(earned)
    assert all(-1 <= value <= 1 for value in earned.values())
    assert earned["consonance"] > 0
    assert earned == engine.rewards()


def test_rewards_before_the_first_step_are_there() -> None:
    """Rewards are available before the first step."""
    assert all(-1 <= value <= 1 for value in make_engine(pulse()).rewards().values())


def test_the_touch_is_the_players() -> None:
    """A soft player gets a soft answer."""
    soft, loud = (
        tell(make_engine(pulse(), key="C"), TimedMessage(0.0, NoteOn(0, 60, velocity))) for velocity in (30, 110)
    )
    messages = [timed.message for engine in (soft, loud) for timed in steps(engine, 1)]
    velocities = [message.velocity for message in messages if isinstance(message, NoteOn)]
    assert velocities[0] < 40
    assert velocities[1] > 90


def test_what_comes_after_the_steps_moment_does_not_count_for_it() -> None:
    """A step counts what came up to its time, however late it is decided; the next step counts the rest."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60), *note(1.5 * STEP_S, 64, 1.0))
    for tokens in ([39, 39, 14], [39, 14, 1], [14, 1, 18]):
        engine.step(9.0)
        assert tokens == seen(actor, "player_tokens")[-3:]


def test_without_a_collecting_time_a_note_on_the_beat_counts_one_step_later() -> None:
    """A note just after its step is added to that step when the next one is decided."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60), *note(STEP_S + 0.01, 64, 1.0))
    for tokens in ([39, 39, 14], [39, 14, 1], [14, 18, 0]):
        steps(engine, 1)
        assert tokens == seen(actor, "player_tokens")[-3:]


def test_in_the_collecting_time_a_note_counts_for_its_step() -> None:
    """A collecting time delays the decision, and its notes are due at its end."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, collect_s=0.02)
    tell(engine, *note(0.0, 60), *note(STEP_S + 0.01, 64, 1.0))
    assert 0.02 - DECIDE_AHEAD_S == pytest.approx(engine.next_step_s)
    assert [(0.02, 60)] == ons(steps(engine, 1))
    steps(engine, 1)
    assert [14, 18] == seen(actor, "player_tokens")[-2:]


def test_an_early_note_counts_for_the_nearest_step() -> None:
    """A note less than half a step early counts for the following step."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60), *note(1.6 * STEP_S, 64, 1.0))
    steps(engine, 3)
    assert [14, 1, 18] == seen(actor, "player_tokens")[-3:]


def test_preparing_decides_nothing() -> None:
    """Preparing at any time does not change the decision, and later notes still count."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60))
    steps(engine, 1)
    engine.prepare()
    asked = len(actor.asked)
    engine.prepare()
    assert asked == len(actor.asked)
    tell(engine, *note(0.9 * STEP_S, 64, 1.0))
    engine.prepare()
    assert asked + 1 == len(actor.asked)
    assert [14, 18] == seen(actor, "player_tokens")[-2:]
    assert engine.decision is not None
    assert 0 == engine.decision.step


def test_a_whole_session_is_released() -> None:
    """After a session no note sounds."""
    engine = make_engine(Indifferent(), tempo_bpm=TEMPO, temperature=1.0)
    heard = [timed for at in range(40) for timed in note(at * 0.2, 60 + at % 5)]
    played = play_session(engine, heard, 10.0)
    sounding = 0
    for timed in played:
        sounding += isinstance(timed.message, NoteOn) - isinstance(timed.message, NoteOff)
        assert sounding in {0, 1}
    assert (0, True) == (sounding, len(played) > 40)


def test_settings_know_their_lengths() -> None:
    """Settings give the steps of a bar, and the longest note in seconds."""
    settings = EngineSettings(tempo_bpm=60.0, meter=(6, 8), steps_per_beat=2, max_note_bars=1.5)
    assert (6, 4.5) == (settings.bar_steps, settings.max_note_s)


def test_chance_is_the_generators_alone() -> None:
    """The same generator gives the same music, and another one gives other music."""
    heard = note(0.0, length_s=9.0)
    played = [
        ons(play_session(make_engine(Indifferent(), seed, key="C", temperature=1.0), heard, 5.0)) for seed in (1, 1, 2)
    ]
    assert played[0] == played[1] != played[2]
