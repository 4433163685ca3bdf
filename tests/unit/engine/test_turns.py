"""When improviser plays: with the player, when the player stops, in turns, and alone."""

from __future__ import annotations

import pytest

from improviser.choices import PlayMode
from improviser.engine import Engine
from improviser.engine.role import COMPING
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.meter import COMMON
from improviser.playing.actions import REST_ACTION
from tests.actors import Figure, holder, pulse, random_policy
from tests.sessions import BAR_S, STEP_S, TEMPO, make_engine, note, ons, steps, tell

QUARTER_S = 4 * STEP_S


def player(bars: int, *, beats: int = 4) -> list[TimedMessage]:
    """Return a player who strikes the first beats of each bar, each for an eighth."""
    return [
        message
        for bar in range(bars)
        for beat in range(beats)
        for message in note(bar * BAR_S + beat * QUARTER_S, length_s=2 * STEP_S)
    ]


def bars_played(engine: Engine, bars: int) -> list[int]:
    """Return the number of onsets in each of the next bars."""
    return [len(ons(steps(engine, 16))) for _ in range(bars)]


def test_turns_are_the_players_first() -> None:
    """Two bars of silence, two bars of its own, over and over; the bars of each turn are counted."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, mode=PlayMode.TRADE_2), *player(8))
    counted = []
    for _ in range(8):
        steps(engine, 16)
        counted.append(engine.turns.now)
    assert [(False, 1, 2), (False, 2, 2), (True, 1, 2), (True, 2, 2)] * 2 == counted
    again = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, mode=PlayMode.TRADE_2), *player(8))
    assert [0, 0, 4, 4] * 2 == bars_played(again, 8)


def test_it_enters_on_the_bar_line() -> None:
    """An actor that would rest enters with the first step of its turn, and then rests as it likes."""
    engine = tell(make_engine(Figure((REST_ACTION,)), key="C", tempo_bpm=TEMPO, mode=PlayMode.TRADE_1), *player(4))
    steps(engine, 16)
    assert [BAR_S] == [at_s for at_s, _ in ons(steps(engine, 16))]


def test_what_it_holds_ends_with_its_turn() -> None:
    """The note that it holds ends on the bar line on which the player's turn begins."""
    engine = tell(make_engine(holder(), key="C", tempo_bpm=TEMPO, mode=PlayMode.TRADE_1), *player(4))
    steps(engine, 16)
    assert [(BAR_S, 60)] == ons(steps(engine, 16))
    assert [TimedMessage(2 * BAR_S, NoteOff(0, 60))] == [
        timed for timed in steps(engine, 16) if isinstance(timed.message, NoteOn | NoteOff)
    ]


def test_its_own_turn_does_not_count_as_the_players_silence() -> None:
    """After a turn of four bars it waits for patience_bars more."""
    mode = PlayMode.TRADE_4
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, mode=mode, patience_bars=1), *player(4))
    assert [0, 0, 0, 0, 4, 4, 4, 4] == bars_played(engine, 8)
    steps(engine, 13)
    assert None is not engine.next_step_s
    steps(engine, 1)
    assert None is engine.next_step_s


def test_when_the_player_stops_it_plays() -> None:
    """It begins three quarters of a beat after the last note of the player has ended, and stops with the next one."""
    heard = [*note(0.0, length_s=4 * STEP_S), *note(12 * STEP_S, length_s=3.9 * STEP_S)]
    engine = tell(make_engine(Figure((2,)), key="C", tempo_bpm=TEMPO, mode=PlayMode.WHEN_I_STOP), *heard)
    assert [step * STEP_S for step in range(6, 12)] == pytest.approx([at_s for at_s, _ in ons(steps(engine, 16))])


def test_alone_it_begins_at_once_and_does_not_wait() -> None:
    """It begins without a first note, and plays on however long the player is silent."""
    engine = make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=1)
    engine.set_mode(PlayMode.ALONE, 3.0)
    assert 3.0 == engine.next_step_s
    assert [4] * 4 == bars_played(engine, 4)
    halted = make_engine(pulse(), key="C", tempo_bpm=TEMPO)
    halted.halt()
    halted.set_mode(PlayMode.ALONE, 3.0)
    assert None is halted.next_step_s


@pytest.mark.parametrize(("key", "tonic"), [("C", 0), ("Am", 9)])
def test_it_ends_on_a_long_tonic(key: str, tonic: int) -> None:
    """Asked within a bar it plays on to the bar line, strikes the tonic there, holds it for a bar, and waits."""
    engine = tell(make_engine(random_policy(), key=key, tempo_bpm=TEMPO, temperature=1.0), *player(3))
    steps(engine, 20)
    engine.end()
    steps(engine, 12)
    (last, *_) = [timed for timed in steps(engine, 1) if isinstance(timed.message, NoteOn)]
    assert isinstance(last.message, NoteOn)
    assert (2 * BAR_S, tonic) == (last.due_s, last.message.note % 12)
    assert [(3 * BAR_S, NoteOff)] == [(timed.due_s, type(timed.message)) for timed in steps(engine, 16)]
    assert None is engine.next_step_s
    tell(engine, *note(9 * BAR_S))
    assert None is not engine.next_step_s
    assert steps(engine, 64)


def test_an_end_is_not_forgotten_for_another_mode() -> None:
    """A mode that is chosen in the bar in which the end is asked for changes nothing in it."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, patience_bars=0), *note(0.0))
    steps(engine, 4)
    engine.set_mode(PlayMode.ALONE, QUARTER_S)
    engine.end()
    steps(engine, 12 + 16 + 1)
    assert None is engine.next_step_s


@pytest.mark.parametrize(("key", "triad"), [("C", {0, 4, 7}), ("Am", {9, 0, 4})])
def test_chords_end_on_the_tonic_triad(key: str, triad: set[int]) -> None:
    """Below a tune the end is the triad of the key."""
    policy = random_policy(role=COMPING)
    engine = tell(make_engine(policy, key=key, tempo_bpm=TEMPO, role=COMPING.name, temperature=1.0), *player(8))
    steps(engine, 4)
    engine.end()
    steps(engine, 12)
    assert triad == {timed.message.note % 12 for timed in steps(engine, 1) if isinstance(timed.message, NoteOn)}


def test_another_mode_begins_with_a_bar() -> None:
    """A mode that is chosen within a bar changes nothing in it, and turns count from the next bar."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO), *player(8))
    steps(engine, 4)
    engine.set_mode(PlayMode.TRADE_1, QUARTER_S)
    assert (PlayMode.WITH_ME, PlayMode.TRADE_1) == (engine.turns.mode, engine.turns.chosen)
    assert 3 == len(ons(steps(engine, 12)))
    assert [0, 4, 0, 4] == bars_played(engine, 4)


def test_turns_begin_anew_where_the_beat_is_counted_anew() -> None:
    """After a jump in another program the player's turn begins with the next bar."""
    engine = tell(make_engine(pulse(), key="C", tempo_bpm=TEMPO, mode=PlayMode.TRADE_1), *player(8))
    steps(engine, 16)
    engine.recount(BAR_S, 40.0, COMMON)
    assert [0, 4, 0] == bars_played(engine, 3)


def test_a_control_goes_through_the_modes() -> None:
    """With me, when I stop, trade fours, alone, and again; turns of any length go on to alone."""
    modes = [PlayMode.WITH_ME]
    for _ in range(4):
        modes.append(modes[-1].following)
    assert [PlayMode.WITH_ME, PlayMode.WHEN_I_STOP, PlayMode.TRADE_4, PlayMode.ALONE, PlayMode.WITH_ME] == modes
    assert PlayMode.ALONE is PlayMode.TRADE_1.following
