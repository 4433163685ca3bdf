"""The engine's beat: when it waits, holds, skips, and follows a beat from outside."""

from __future__ import annotations

import pytest

from improviser.engine import Engine
from improviser.midi.message import NoteOff, TimedMessage
from improviser.playing.actions import GestureKind
from tests.actors import holder, pulse
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


def test_it_decides_earlier_where_the_output_looks_ahead() -> None:
    """With a look-ahead the engine decides earlier, but the notes keep their times."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    steps(engine, 4)
    moment_s = engine.next_step_s
    assert moment_s is not None
    engine.look_ahead(0.05)
    assert moment_s - 0.05 == pytest.approx(engine.next_step_s)
    assert [(4 * STEP_S, 60)] == ons(steps(engine, 4))
    engine.look_ahead(0.0)
    assert 8 * STEP_S == pytest.approx(engine.next_step_s)
    assert [(8 * STEP_S, 60)] == ons(steps(engine, 4))
