"""The engine: when it listens, when it decides, what it plays and when it waits."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.engine import Engine, EngineSettings
from improviser.engine.core import DECIDE_AHEAD_S
from improviser.errors import UsageError
from improviser.listening.observation import COLUMNS
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    TimedMessage,
)
from improviser.playing.actions import HOLD_ACTION, REST_ACTION, GestureKind
from improviser.rewards import COMPONENTS, TERMS
from tests.actors import Figure, Indifferent, holder, make_engine, play_session

# At 120 beats a minute a sixteenth takes an eighth of a second, which floating point holds exactly.
TEMPO = 120.0
STEP_S = 0.125
BAR_S = 16 * STEP_S
# An eighth and a rest, in every beat.
PULSE = (2, HOLD_ACTION, REST_ACTION, REST_ACTION)


def pulse() -> Figure:
    """Give an actor that plays the lowest note of its register in every beat."""
    return Figure(PULSE)


def note(at_s: float, pitch: int = 60, length_s: float = 0.1) -> list[TimedMessage]:
    """Give a note-on and its note-off."""
    return [TimedMessage(at_s, NoteOn(0, pitch, 80)), TimedMessage(at_s + length_s, NoteOff(0, pitch))]


def tell(engine: Engine, *heard: TimedMessage) -> Engine:
    """Let an engine hear messages at their times."""
    for timed in heard:
        engine.hear(timed.message, timed.due_s)
    return engine


def steps(engine: Engine, count: int) -> list[TimedMessage]:
    """Give what an engine plays in its next steps, each asked for when it is due."""
    played: list[TimedMessage] = []
    for _ in range(count):
        assert engine.next_step_s is not None
        played += engine.step(engine.next_step_s)
    return played


def ons(played: list[TimedMessage]) -> list[tuple[float, int]]:
    """Give moment and note of each note-on."""
    return [(timed.due_s, timed.message.note) for timed in played if isinstance(timed.message, NoteOn)]


def gesture(engine: Engine) -> GestureKind:
    """Give what the last decision was."""
    assert engine.decision is not None
    return engine.decision.gesture.kind


def seen(actor: Figure, feature: str) -> list[int]:
    """Give a feature as the actor saw it last."""
    values: list[int] = actor.asked[-1][COLUMNS[feature]].tolist()
    return values


def test_it_waits_for_the_player() -> None:
    """Before the first note there is nothing to decide, and asking for it gives nothing."""
    engine = make_engine(pulse(), key="C")
    engine.prepare()
    assert (None, [], [], None) == (engine.next_step_s, engine.step(1.0), engine.skip(1.0), engine.decision)


@pytest.mark.parametrize("message", [NoteOff(0, 60), ControlChange(0, SUSTAIN_PEDAL, 127)])
def test_only_a_note_wakes_it(message: Message) -> None:
    """A stray note-off or the pedal does not start the beat."""
    assert None is tell(make_engine(pulse(), key="C"), TimedMessage(1.0, message)).next_step_s


def test_a_pedal_pressed_before_the_first_note_holds_it() -> None:
    """What was heard while waiting counts."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, TimedMessage(0.5, ControlChange(0, SUSTAIN_PEDAL, 127)), *note(1.0))
    steps(engine, 4)
    assert 1 == seen(actor, "player_pcs")[0]


def test_the_first_note_is_the_downbeat() -> None:
    """The beat starts at the first note, and there the figure begins."""
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
    """One to four steps a beat follow one another evenly, and the fifth beat is the next downbeat."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, steps_per_beat=steps_per_beat)
    tell(engine, *note(0.0))
    steps(engine, 4 * steps_per_beat)
    assert pytest.approx(BAR_S) == engine.next_step_s
    steps(engine, 1)
    assert ([0], [1]) == (seen(actor, "sixteenth"), seen(actor, "bar"))


def test_in_an_unknown_key_the_first_bar_is_listened_to() -> None:
    """With the key to be found nothing is asked and nothing played for a bar; then it plays."""
    actor = pulse()
    engine = tell(make_engine(actor, tempo_bpm=TEMPO), *note(0.0))
    assert [] == steps(engine, 16)
    assert (0, GestureKind.REST) == (len(actor.asked), gesture(engine))
    assert [(BAR_S, 60)] == ons(steps(engine, 1))


def test_the_key_is_heard() -> None:
    """After a scale and triad in D the key is D, surer than at first, and the register begins at D."""
    engine = make_engine(pulse(), tempo_bpm=TEMPO)
    pitches = (62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62)
    tell(engine, *(timed for at, pitch in enumerate(pitches) for timed in note(at * STEP_S, pitch)))
    steps(engine, 16)
    assert ("D", 62) == (engine.key.name, engine.base)
    assert 0.5 < engine.key_confidence <= 1


def test_a_locked_key_is_kept() -> None:
    """Whatever is heard the key stays, certain, and every note played belongs to it."""
    engine = make_engine(Indifferent(), key="Ebm", tempo_bpm=TEMPO, temperature=1.0)
    tell(engine, *(timed for at in range(24) for timed in note(at * STEP_S, 60 + at)))
    played = ons(steps(engine, 64))
    assert ("Ebm", 1.0) == (engine.key.name, engine.key_confidence)
    assert len(played) > 20
    assert all(engine.key.holds(pitch) for _, pitch in played)


@pytest.mark.parametrize("settings", [EngineSettings(key="H"), EngineSettings(meter=(5, 4))])
def test_an_unknown_key_or_meter_is_refused(settings: EngineSettings) -> None:
    """The error is one for the user."""
    with pytest.raises(UsageError):
        Engine(settings, pulse(), np.random.default_rng(0))


def test_a_decision_says_what_was_done() -> None:
    """Step, beat, action, gesture, key and chord of the last step, and the numbers behind it."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(0.0, 64, 1.0))
    steps(engine, 5)
    decision = engine.decision
    assert decision is not None
    assert (4, 1.0, 2, 60, "C") == (
        decision.step,
        decision.beat,
        decision.action,
        decision.gesture.note,
        decision.key,
    )
    assert decision.chord is not None
    assert decision.choice is not None
    assert 2 == decision.choice.action


def test_rewards_are_those_of_the_last_step() -> None:
    """Every term and component by name, each within its bounds; an unprepared octave is worth a little."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(0.0, 72, 1.0))
    steps(engine, 1)
    earned = engine.rewards()
    assert [*TERMS, *COMPONENTS] == list(earned)
    assert all(-1 <= value <= 1 for value in earned.values())
    assert earned["consonance"] > 0
    assert earned == engine.rewards()


def test_rewards_before_the_first_step_are_there() -> None:
    """A display may ask at any time."""
    assert all(-1 <= value <= 1 for value in make_engine(pulse()).rewards().values())


def test_the_touch_is_the_players() -> None:
    """A soft player is answered softly."""
    soft, loud = (
        tell(make_engine(pulse(), key="C"), TimedMessage(0.0, NoteOn(0, 60, velocity)))
        for velocity in (30, 110)
    )
    messages = [timed.message for engine in (soft, loud) for timed in steps(engine, 1)]
    velocities = [message.velocity for message in messages if isinstance(message, NoteOn)]
    assert velocities[0] < 40
    assert velocities[1] > 90


# ------------------------------------------------------------------------------------ what counts when


def test_what_comes_after_the_steps_moment_does_not_count_for_it() -> None:
    """However late a step is decided, it hears what came up to its moment; the next one hears the rest."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60), *note(1.5 * STEP_S, 64, 1.0))
    for tokens in ([39, 39, 14], [39, 14, 1], [14, 1, 18]):
        engine.step(9.0)
        assert tokens == seen(actor, "player_tokens")[-3:]


def test_without_a_collecting_time_a_note_on_the_beat_counts_one_step_later() -> None:
    """A note just after its step is put into that step when the next one is decided."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60), *note(STEP_S + 0.01, 64, 1.0))
    for tokens in ([39, 39, 14], [39, 14, 1], [14, 18, 0]):
        steps(engine, 1)
        assert tokens == seen(actor, "player_tokens")[-3:]


def test_in_the_collecting_time_a_note_counts_for_its_step() -> None:
    """With a collecting time the decision waits for it, and its notes are due at its end."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, collect_s=0.02)
    tell(engine, *note(0.0, 60), *note(STEP_S + 0.01, 64, 1.0))
    assert 0.02 - DECIDE_AHEAD_S == pytest.approx(engine.next_step_s)
    assert [(0.02, 60)] == ons(steps(engine, 1))
    steps(engine, 1)
    assert [14, 18] == seen(actor, "player_tokens")[-2:]


def test_an_early_note_counts_for_the_nearest_step() -> None:
    """A note less than half a step before its step is that step's."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO)
    tell(engine, *note(0.0, 60), *note(1.6 * STEP_S, 64, 1.0))
    steps(engine, 3)
    assert [14, 1, 18] == seen(actor, "player_tokens")[-3:]


def test_preparing_decides_nothing() -> None:
    """Preparing may happen at any time; what is heard after it counts all the same."""
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


# ------------------------------------------------------------------------------------------ waiting


def test_after_the_players_silence_it_ends_its_note_and_waits() -> None:
    """A bar of patience: in the step that makes the bar full its note ends, and it asks for nothing more."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=1), *note(0.0))
    assert [(0.0, 60)] == ons(steps(engine, 16))
    assert [TimedMessage(BAR_S, NoteOff(0, 60))] == steps(engine, 1)
    assert None is engine.next_step_s
    assert [] == engine.step(9.0)


@pytest.mark.parametrize("held", [note(0.0, length_s=9.0), [*note(0.0), *note(0.7 * BAR_S)]])
def test_while_the_player_plays_or_holds_it_stays(held: list[TimedMessage]) -> None:
    """A held note, or another note within the bar, and its patience begins anew."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=1), *held)
    steps(engine, 18)
    assert None is not engine.next_step_s


def test_without_a_bound_its_patience_is_endless() -> None:
    """With no bars of patience set it goes on alone."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    assert 20 == len(ons(steps(engine, 20 * 16)))


def test_after_waiting_the_next_note_begins_a_bar() -> None:
    """It goes on with the next bar's number, whose downbeat is the note."""
    actor = pulse()
    engine = tell(make_engine(actor, key="C", tempo_bpm=TEMPO, patience_bars=1), *note(0.0))
    steps(engine, 17)
    tell(engine, *note(7.77))
    assert 7.77 == engine.next_step_s
    assert [(7.77, 60)] == ons(steps(engine, 1))
    assert engine.decision is not None
    assert 32 == engine.decision.step
    assert ([0], [2]) == (seen(actor, "sixteenth"), seen(actor, "bar"))


def test_a_note_that_came_while_it_was_late_wakes_it() -> None:
    """A note that came before the step that gives up was decided begins the next bar at its own time."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    tell(engine, *note(0.0), *note(BAR_S + 0.01, 64, 1.0))
    steps(engine, 17)
    assert pytest.approx(BAR_S + 0.01) == engine.next_step_s


# --------------------------------------------------------------------------------- holding, skipping


@pytest.mark.parametrize(("bars", "length"), [(0.5, 8), (0.75, 12), (2.0, 16)])
def test_no_note_is_held_longer_than_allowed(bars: float, length: int) -> None:
    """A note that the actor would hold for the whole bar ends after the longest time, at the latest."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, max_note_bars=bars), *note(0.0))
    off = next(timed for timed in steps(engine, 17) if isinstance(timed.message, NoteOff))
    assert length * STEP_S == off.due_s
    assert off.due_s <= engine.settings.max_note_s


def test_a_skipped_step_holds_what_sounds() -> None:
    """The step passes with nothing played, and counts; what it heard is not lost."""
    actor = holder()
    engine = tell(make_engine(actor, key="C", tempo_bpm=TEMPO), *note(0.0))
    steps(engine, 1)
    tell(engine, *note(0.1, 64, 1.0))
    assert [] == engine.skip(9.0)
    assert (GestureKind.HOLD, 2 * STEP_S) == (gesture(engine), engine.next_step_s)
    assert engine.decision is not None
    assert (1, None) == (engine.decision.step, engine.decision.choice)
    steps(engine, 1)
    assert [14, 18, 0] == seen(actor, "player_tokens")[-3:]


def test_a_skipped_step_in_silence_is_a_rest() -> None:
    """Where nothing sounds there is nothing to hold."""
    engine = tell(make_engine(holder(), key="C"), *note(0.0))
    assert [] == engine.skip(9.0)
    assert GestureKind.REST is gesture(engine)


def test_skipping_ends_a_note_that_is_too_long() -> None:
    """Even where every step is skipped no note is held beyond the longest time."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, max_note_bars=0.5), *note(0.0))
    steps(engine, 1)
    skipped = [timed for _ in range(9) for timed in engine.skip(9.0)]
    assert [TimedMessage(8 * STEP_S, NoteOff(0, 60))] == skipped


# ------------------------------------------------------------------------------------- a given beat


def test_a_given_beat_runs_without_the_player() -> None:
    """From the given moment on it plays on the beats that were given."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0)
    engine.start(10.0, 4.0)
    assert [(10.0 + beat * 4 * STEP_S, 60) for beat in range(4)] == ons(steps(engine, 16))


def test_on_a_given_beat_the_player_joins_where_it_stands() -> None:
    """After waiting it goes on with the next step of the beat, or the one just past, whatever the bar."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    engine.start(0.0, 0.0)
    steps(engine, 16)
    assert None is engine.next_step_s
    tell(engine, *note(4.1 * BAR_S))
    assert 4.125 * BAR_S == engine.next_step_s
    other = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    other.start(0.0, 0.0)
    steps(other, 16)
    assert 4 * BAR_S == tell(other, *note(4 * BAR_S + 0.2 * STEP_S)).next_step_s


def test_a_new_start_outdates_what_was_prepared() -> None:
    """Where the beat is given anew, the next step stands where it says."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, patience_bars=0)
    engine.start(0.0, 0.0)
    engine.prepare()
    engine.start(5.0, 1.0)
    engine.prepare()
    assert [4] == seen(actor, "sixteenth")


# ----------------------------------------------------------------------------------------- sessions


def test_a_whole_session_is_released() -> None:
    """Whatever was played, after the session nothing sounds."""
    engine = make_engine(Indifferent(), tempo_bpm=TEMPO, temperature=1.0)
    heard = [timed for at in range(40) for timed in note(at * 0.2, 60 + at % 5)]
    played = play_session(engine, heard, 10.0)
    sounding = 0
    for timed in played:
        sounding += isinstance(timed.message, NoteOn) - isinstance(timed.message, NoteOff)
        assert sounding in {0, 1}
    assert (0, True) == (sounding, len(played) > 40)


def test_settings_know_their_lengths() -> None:
    """The steps of a bar, and the longest note in seconds."""
    settings = EngineSettings(tempo_bpm=60.0, meter=(6, 8), steps_per_beat=2, max_note_bars=1.5)
    assert (6, 4.5) == (settings.bar_steps, settings.max_note_s)


def test_chance_is_the_generators_alone() -> None:
    """The same generator gives the same music, another one other music."""
    heard = note(0.0, length_s=9.0)
    played = [
        ons(play_session(make_engine(Indifferent(), seed, key="C", temperature=1.0), heard, 5.0))
        for seed in (1, 1, 2)
    ]
    assert played[0] == played[1] != played[2]
