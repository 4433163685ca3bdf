"""The engine's beat: when it waits, holds, skips, and follows a beat from outside."""

from __future__ import annotations

import pytest

from improviser.choices import NoteTiming
from improviser.engine import Engine, EngineSettings
from improviser.engine.step_times import DECIDE_AHEAD_S
from improviser.errors import UsageError
from improviser.midi.message import NoteOff, TimedMessage
from improviser.music.meter import COMMON, THREE, Meter
from improviser.playing.actions import GestureKind
from tests.actors import Figure, holder, pulse
from tests.sessions import BAR_S, STEP_S, TEMPO, make_engine, note, ons, seen, steps, tell


def gesture(engine: Engine) -> GestureKind:
    """Return the gesture of the last decision."""
    assert engine.decision is not None
    return engine.decision.gesture.kind


def test_after_the_players_silence_it_ends_its_note_and_waits() -> None:
    """After a silent bar of patience the engine ends its note and asks for no further step."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=1), *note(0.0))
    assert [(0.0, 60)] == ons(steps(engine, 16))
    assert [TimedMessage(BAR_S, NoteOff(0, 60))] == steps(engine, 1)
    assert None is engine.next_step_s
    assert [] == engine.step(9.0)


@pytest.mark.parametrize("held", [note(0.0, length_s=9.0), [*note(0.0), *note(0.7 * BAR_S)]])
def test_while_the_player_plays_or_holds_it_stays(held: list[TimedMessage]) -> None:
    """A held note, or another note within the bar, restarts the patience."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=1), *held)
    steps(engine, 18)
    assert None is not engine.next_step_s


def test_a_beat_of_its_own_stops_with_a_rest_and_a_given_one_goes_on() -> None:
    """While the engine rests, only a beat from outside runs on."""
    own = make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    assert not own.has_beat
    tell(own, *note(0.0))
    assert own.has_beat
    steps(own, 17)
    assert not own.has_beat
    given = make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    given.start(0.0, 0.0)
    steps(given, 16)
    assert None is given.next_step_s
    assert given.has_beat
    given.halt()
    assert not given.has_beat


def test_without_a_bound_its_patience_is_endless() -> None:
    """Without a limit of patience the engine plays on alone."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    assert 20 == len(ons(steps(engine, 20 * 16)))


def test_after_waiting_the_next_note_begins_a_bar() -> None:
    """After waiting the player's next note is the downbeat of the next bar."""
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
    """A note before a late step that would end the music begins the next bar at its own time."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    tell(engine, *note(0.0), *note(BAR_S + 0.01, 64, 1.0))
    steps(engine, 17)
    assert pytest.approx(BAR_S + 0.01) == engine.next_step_s


@pytest.mark.parametrize(("bars", "length"), [(0.5, 8), (0.75, 12), (2.0, 16)])
def test_no_note_is_held_longer_than_allowed(bars: float, length: int) -> None:
    """A note that the actor would hold for the whole bar ends at the longest duration."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, max_note_bars=bars), *note(0.0))
    off = next(timed for timed in steps(engine, 17) if isinstance(timed.message, NoteOff))
    assert length * STEP_S == off.due_s
    assert off.due_s <= engine.settings.max_note_s


def test_a_skipped_step_holds_what_sounds() -> None:
    """A skipped step plays nothing and counts, and its input is not lost."""
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
    """A skipped step is a rest where nothing sounds."""
    engine = tell(make_engine(holder(), key="C"), *note(0.0))
    assert [] == engine.skip(9.0)
    assert GestureKind.REST is gesture(engine)


def test_skipping_ends_a_note_that_is_too_long() -> None:
    """No note exceeds the longest duration, even if every step is skipped."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, max_note_bars=0.5), *note(0.0))
    steps(engine, 1)
    skipped = [timed for _ in range(9) for timed in engine.skip(9.0)]
    assert [TimedMessage(8 * STEP_S, NoteOff(0, 60))] == skipped


def test_a_given_beat_runs_without_the_player() -> None:
    """On a given beat the engine plays from its start on, without the player."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0)
    engine.start(10.0, 4.0)
    assert [(10.0 + beat * 4 * STEP_S, 60) for beat in range(4)] == ons(steps(engine, 16))


def test_on_a_given_beat_the_player_joins_where_it_stands() -> None:
    """After waiting the engine resumes with the next or the last step of the given beat, anywhere in the bar."""
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
    """After a new start the next step is where the new beat says."""
    actor = pulse()
    engine = make_engine(actor, key="C", tempo_bpm=TEMPO, patience_bars=0)
    engine.start(0.0, 0.0)
    engine.prepare()
    engine.start(5.0, 1.0)
    engine.prepare()
    assert [4] == seen(actor, "sixteenth")


def test_it_swings() -> None:
    """Swing delays the steps between the beats and not the beats."""
    engine = make_engine(pulse(), key="C", tempo_bpm=60.0, swing=2 / 3)
    engine.start(0.0, 0.0)
    assert [0.0, 1 / 3, 2 / 3, 5 / 6, 1.0] == pytest.approx([at_s for at_s, _ in _stepped(engine, 5)])


def _stepped(engine: Engine, count: int) -> list[tuple[float, int]]:
    """Return the times of the next steps, with their numbers."""
    moments = []
    for number in range(count):
        assert engine.next_step_s is not None
        moments.append((engine.next_step_s, number))
        engine.step(engine.next_step_s)
    return moments


def _rounded(played: list[TimedMessage]) -> list[tuple[float, int]]:
    """Return the time, to a nanosecond, and the note of each note-on."""
    return [(round(due_s, 9), note) for due_s, note in ons(played)]


def test_on_the_grid_it_decides_earlier_where_the_output_looks_ahead() -> None:
    """On the grid, the engine decides as much earlier as the output looks ahead, and the notes leave on the step."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0, timing="on-grid"), *note(0.0))
    steps(engine, 4)
    moment_s = engine.next_step_s
    assert moment_s is not None
    engine.look_ahead(0.05)
    assert moment_s - 0.05 == pytest.approx(engine.next_step_s)
    assert [(4 * STEP_S, 60)] == ons(steps(engine, 4))
    engine.look_ahead(0.0)
    assert 8 * STEP_S - DECIDE_AHEAD_S == pytest.approx(engine.next_step_s)
    assert [(8 * STEP_S, 60)] == ons(steps(engine, 4))


def sixteenths(engine: Engine, actor: Figure, count: int) -> list[int]:
    """Return the place in the bar of each of the next steps."""
    places = []
    for _ in range(count):
        steps(engine, 1)
        places += seen(actor, "sixteenth")
    return places


def test_a_recount_moves_the_bars_and_keeps_the_music() -> None:
    """After a loop of two bars and a beat the bars are counted anew, and no moment is decided twice or left out."""
    actor = pulse()
    engine = tell(make_engine(actor, key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    steps(engine, 36)
    assert [3] == seen(actor, "sixteenth")
    engine.recount(36 * STEP_S, 0.0, COMMON)
    assert 36 * STEP_S == engine.next_step_s
    assert [0, 1, 2, 3] == sixteenths(engine, actor, 4)
    assert 40 * STEP_S == engine.next_step_s
    assert engine.decision is not None
    assert 3 == engine.decision.step


@pytest.mark.parametrize("late_steps", [-0.4, 0.3, 0.49])
def test_a_recount_within_a_step_moves_the_next_step(late_steps: float) -> None:
    """If the new grid lies between the old steps, the next step is the first one that is no second play of the last."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    steps(engine, 16)
    engine.recount(BAR_S, 100.0 - late_steps / 4, COMMON)
    assert BAR_S + late_steps * STEP_S == pytest.approx(engine.next_step_s)
    assert 100.0 - late_steps / 4 == pytest.approx(engine.beat_at(BAR_S))


def test_a_recount_brings_another_meter() -> None:
    """A recount brings a meter, which stays when the preset changes; one that does not fit changes nothing."""
    actor = pulse()
    engine = tell(make_engine(actor, key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    steps(engine, 16)
    engine.recount(BAR_S, 3.0, THREE)
    engine.change(EngineSettings(tempo_bpm=TEMPO, key="C", patience_bars=0), actor)
    assert [*range(12), 0] == sixteenths(engine, actor, 13)
    assert (3, 4) == engine.settings.meter
    triplets = tell(make_engine(pulse(), steps_per_beat=3, key="C"), *note(0.0))
    with pytest.raises(UsageError, match="7/8 does not fit"):
        triplets.recount(1.0, 0.0, Meter(7, 8))
    assert (4, 4) == triplets.settings.meter


def test_a_loop_does_not_make_it_only_listen_again() -> None:
    """After its first bar, in which it looks for the key, a jump back to the beginning does not silence it."""
    engine = make_engine(pulse(), tempo_bpm=TEMPO, patience_bars=0)
    engine.start(0.0, 32.0)
    assert [] == ons(steps(engine, 16))
    assert 4 == len(ons(steps(engine, 16)))
    engine.recount(2 * BAR_S, 0.0, COMMON)
    assert 4 == len(ons(steps(engine, 16)))


def test_a_recount_while_it_waits_is_where_it_wakes() -> None:
    """If the player rests during a jump back, their next note is answered at once, on the new grid."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    engine.start(0.0, 400.0)
    steps(engine, 16)
    engine.step(BAR_S)
    assert None is engine.next_step_s
    engine.recount(4 * BAR_S, 0.0, COMMON)
    tell(engine, *note(4 * BAR_S + STEP_S))
    assert 4 * BAR_S + STEP_S == engine.next_step_s


def test_after_the_player_it_waits_as_long_whatever_the_output_needs() -> None:
    """After the player, the engine decides at the same time, and the notes leave later by the look-ahead."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0, collect_s=0.02), *note(0.0))
    steps(engine, 4)
    moment_s = engine.next_step_s
    assert 4 * STEP_S + 0.02 - DECIDE_AHEAD_S == pytest.approx(moment_s)
    engine.look_ahead(0.05)
    assert moment_s == engine.next_step_s
    assert [(round(4 * STEP_S + 0.07, 9), 60)] == _rounded(steps(engine, 4))


def test_when_notes_leave_can_be_changed() -> None:
    """From the next step on, notes leave on the grid or after the player, and earlier or later by the offset."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0, collect_s=0.02), *note(0.0))
    assert NoteTiming.AFTER_YOU is engine.timing
    assert [(round(0.02, 9), 60)] == _rounded(steps(engine, 4))
    engine.set_timing(NoteTiming.ON_GRID, -0.01)
    assert [(round(4 * STEP_S - 0.01, 9), 60)] == _rounded(steps(engine, 4))
    engine.set_timing(NoteTiming.AFTER_YOU, 0.005)
    assert [(round(8 * STEP_S + 0.025, 9), 60)] == _rounded(steps(engine, 4))
    engine.set_timing(NoteTiming.AFTER_YOU, -0.005)
    assert [(round(12 * STEP_S + 0.015, 9), 60)] == _rounded(steps(engine, 4))


def test_bars_are_counted_from_another_beat() -> None:
    """From a beat on, bars of another meter are counted; the beat itself does not move."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO), *note(0.0))
    steps(engine, 5)
    before_s = engine.s_at(3.0)
    engine.count_bars(3.0, THREE)
    assert (THREE, 3.0, before_s) == (engine.meter, engine.bar_beat, engine.s_at(3.0))
    assert engine.next_step_beat == pytest.approx(5 / engine.settings.steps_per_beat)
    assert not engine.is_between_bars()
    while engine.next_step_beat < 3.0:
        steps(engine, 1)
    assert engine.is_between_bars()


def test_a_start_counts_bars_from_its_first_beat() -> None:
    """After bars that were found by ear, a start of the beat counts bars of that meter from beat 0 on."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO), *note(0.0))
    steps(engine, 4)
    engine.count_bars(3.0, THREE)
    engine.start(10.0, 0.0)
    assert (THREE, 0.0) == (engine.meter, engine.bar_beat)
    assert engine.is_between_bars()


def test_a_heard_beat_has_no_habit() -> None:
    """While the beat is heard in the player's notes, our notes do not wait for their habit; else they do."""
    engine = make_engine(holder(), key="C", tempo_bpm=TEMPO, collect_s=0.02)
    engine.start(0.0, 0.0)
    for place in range(24):
        tell(engine, *note(place * STEP_S * 2 + 0.03))
        steps(engine, 2)
    own_s = engine.due_lag_s
    engine.sync(9.0, 18.0, TEMPO, is_heard=True)
    assert engine.due_lag_s == pytest.approx(0.02)
    assert own_s > 0.03
    engine.sync(9.0, 18.0, TEMPO)
    assert engine.due_lag_s == pytest.approx(own_s)


def test_a_beat_that_jumps_far_ahead_ends_no_step_before_it_was_played() -> None:
    """Right after it began the clock may jump by a bar: steps that are past at once are played and judged like others.

    A step whose time is over when it is decided was once settled before our own note was written down.
    """
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *note(10.0))
    engine.sync(10.0, 4.0, TEMPO)
    assert steps(engine, 12)
    assert [step.decision.step for step in engine.take_settled() if step.own is not None] == list(range(12))
