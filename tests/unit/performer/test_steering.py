"""Likes, knobs and switches during a performance; the session can be replayed."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from improviser.choices import PlayMode
from improviser.engine import Engine, EngineSettings
from improviser.midi.message import ControlChange, NoteOff, NoteOn, ProgramChange
from improviser.protocol import (
    Act,
    Action,
    Binding,
    Command,
    ControlMessage,
    EndAsked,
    Heard,
    Judged,
    Knob,
    MeterSet,
    ModeSet,
    Played,
    PlayerUse,
    Refused,
    Restarted,
    Rested,
    SetMode,
    Started,
    Switched,
    Tasted,
    Turn,
    Turned,
    Understood,
    Undone,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.actors import random_policy
from tests.performing import ENGINE, KEYBOARD, START_S, Performance, bound, performer_settings

LENGTH_S = 20.0


def jam(*commands: tuple[float, Command], **values: object) -> Performance:
    """Play a tune for a while, with commands at their times."""
    settings = performer_settings(engine=ENGINE | {"temperature": 0.3, "collect_s": 0.02}, **values)
    policy = random_policy()

    def make_engine(ahead_s: float = 0.0) -> Engine:
        """Return an engine."""
        engine = EngineSettings(**settings.engine, ahead_s=ahead_s)
        return Engine(engine, policy, np.random.default_rng(settings.seed))

    performance = Performance(settings, new_engine=make_engine)
    for beat in range(36):
        performance.play(beat * 0.5, NoteOn(0, 60 + beat % 5, 80))
        performance.play(beat * 0.5 + 0.4, NoteOff(0, 60 + beat % 5))
    for at_s, command in commands:
        performance.at(at_s, partial(performance.inbox.put, command))
    performance.run(until_s=LENGTH_S)
    lines = "".join(map(value_to_line, (settings, *performance.events)))
    again = replay(parse_session(lines, "test"), make_engine)
    assert len(again.live) > 20
    assert again.difference is None
    return performance


def test_presses_are_learned_from_and_told_in_words() -> None:
    """A like and a dislike each change the preference, which is reported each time."""
    performance = jam((6.0, Act(Action.DISLIKE)), (7.0, Act(Action.LIKE)))
    dislike, like = performance.told(Judged)
    assert (False, True) == (dislike.liked, like.liked)
    assert dislike.taste != like.taste


def test_a_press_before_anything_was_played_is_told() -> None:
    """A press or an undo before any note is refused with a reason."""
    performance = jam((0.1, Act(Action.LIKE)), (0.2, Act(Action.UNDO)))
    told = [notice.text for notice in performance.told(Refused)]
    assert [
        "nothing was played just now to like or dislike",
        "nothing to undo",
    ] == told


def test_undo_takes_back_the_last_or_all() -> None:
    """Undo restores the preference exactly, for the last press or for all."""
    presses = [(6.0 + place, Act(Action.DISLIKE)) for place in range(3)]
    performance = jam(*presses, (9.5, Act(Action.UNDO)), (10.0, Act(Action.UNDO_ALL)))
    judged, undone = performance.told(Judged), performance.told(Undone)
    assert [False, True] == [event.everything for event in undone]
    assert judged[1].taste == undone[0].taste
    assert {} == undone[1].taste


def test_frozen_nothing_is_learned() -> None:
    """While learning is frozen a press is refused with a reason."""
    performance = jam((5.0, Act(Action.FREEZE)), (6.0, Act(Action.LIKE)), (7.0, Act(Action.FREEZE)))
    assert [] == performance.told(Judged)
    assert [True, False] == [event.is_on for event in performance.told(Switched)]
    assert "learning is paused (freeze); press freeze again" in [notice.text for notice in performance.told(Refused)]


@pytest.mark.parametrize("position", [-0.1, 2.5, float("nan"), float("inf"), "1.5", None, True])
def test_a_turn_out_of_range_is_none(position: Any) -> None:  # noqa: ANN401 - whatever is sent
    """A turn with a position outside 0 to 2, or without a number, raises ValueError."""
    with pytest.raises(ValueError, match="takes a number from 0 to 2"):
        Turn(Knob.HARMONY, position)


def test_knobs_and_switches_are_replayed() -> None:
    """A session with all knobs and switches at random times replays identically."""
    rng = np.random.default_rng(1)
    turns = [
        (
            float(rng.uniform(0, LENGTH_S)),
            Turn(knob, float(rng.uniform(60, 160) if knob is Knob.TEMPO else rng.uniform(0, 2))),
        )
        for knob in Knob
    ]
    acts = [(float(rng.uniform(0, LENGTH_S)), Act(action)) for action in Action]
    performance = jam(*turns, *acts, *acts[::2])
    assert len(Knob) - 1 == len(performance.told(Turned))  # the tempo is told by another event


def test_mute_silences() -> None:
    """After mute no note is played from the next step on."""
    performance = jam((5.0, Act(Action.MUTE)))
    assert not [played for played in performance.told(Played) if played.due_s > 105.3]


def test_a_successor_takes_up_knobs_and_taste() -> None:
    """The next performer reports and uses the knobs and the preference of the one before."""
    performance = jam(panel={"density": 0.2}, taste={"leap": -0.5, "unknown": 1.0})
    assert [Turned("density", 0.2, at_once=True)] == performance.told(Turned)
    assert [Tasted({"leap": -0.5}, "less leaping")] == performance.told(Tasted)


def test_a_successor_counts_the_bars_that_were_found() -> None:
    """The next performer tells the bars that it takes over, after its start, which counts from beat 0."""
    resume = (START_S - 9.0, START_S, 18.0, 120.0)
    performance = jam(resume=resume, bars_counted=(7.0, 3, 4))
    assert [(7.0, (3, 4))] == [(event.beat, event.meter) for event in performance.told(MeterSet)]
    kinds = [type(event) for event in performance.events]
    assert kinds.index(Started) < kinds.index(MeterSet)


def test_pedals_like_and_knobs_turn() -> None:
    """Bound controls act and are neither heard nor passed on; the sustain pedal stays a pedal."""
    settings = {"bindings": bound(like=66, density=21), "thru": True}
    performance = Performance(performer_settings(**settings), actor=random_policy())
    performance.play(0.0, NoteOn(0, 60, 80), ControlChange(0, 64, 127))
    performance.play(3.0, ControlChange(0, 66, 127), ControlChange(0, 21, 64), ControlChange(0, 21, 30))
    performance.run(until_s=6.0)
    assert 1 == len(performance.told(Judged))
    assert [1.0, 30 / 64] == [turned.position for turned in performance.told(Turned)]
    passed = [message for _, message in performance.sent if isinstance(message, ControlChange)]
    assert {64} == {message.control for message in passed if message.value}
    assert [KEYBOARD] == [heard.port for heard in performance.told(Heard)]


def test_the_summary_tells_of_presses() -> None:
    """The summary counts likes and dislikes, and holds the preference."""
    performance = Performance(performer_settings(), actor=random_policy())
    performance.play(0.0, NoteOn(0, 60, 80))
    for at_s, action in ((4.0, Action.LIKE), (5.0, Action.DISLIKE), (6.0, Action.DISLIKE)):
        performance.at(at_s, partial(performance.inbox.put, Act(action)))
    summary = performance.run(until_s=8.0)
    last = performance.told(Judged)[-1]
    assert (1, 2, last.taste, last.words) == (summary.likes, summary.dislikes, summary.taste, summary.words)


def test_presses_and_undoing_keep_their_order() -> None:
    """Presses and undos take effect in their order."""
    actions = (Action.DISLIKE, Action.UNDO, Action.LIKE, Action.UNDO_ALL)
    performance = jam(*((6.0, Act(action)) for action in actions))
    kinds = [type(event) for event in performance.events if isinstance(event, Judged | Undone)]
    assert [Judged, Undone, Judged, Undone] == kinds


def test_solo_begins_by_itself_as_a_first_note_does() -> None:
    """Solo begins without a note, sends the program change, and ends after the requested bars."""
    performance = Performance(performer_settings(program=5, bars=2), actor=random_policy())
    performance.at(1.0, partial(performance.inbox.put, Act(Action.SOLO)))
    summary = performance.run(until_s=20.0)
    assert 101.0 == summary.start_s
    assert summary.notes_played
    assert [5] == [message.program for _, message in performance.sent if isinstance(message, ProgramChange)]
    assert max(at_s for at_s, _ in performance.sent) <= 1.0 + 2 * 2.0 + 0.1


def test_the_mode_is_told_and_replayed() -> None:
    """A mode by name and the action that goes on to the next are told; in the player's turn nothing is played."""
    performance = jam((3.1, SetMode(PlayMode.TRADE_2)), (13.1, Act(Action.NEXT_MODE)), (15.1, Act(Action.NEXT_MODE)))
    assert ["trade-2", "alone", "with-me"] == [told.mode for told in performance.told(ModeSet)]
    due = [played.due_s - START_S for played in performance.told(Played)]
    assert not [at_s for at_s in due if 4.1 < at_s < 7.9]
    assert [at_s for at_s in due if 8.0 <= at_s < 12.0]
    turns = {told.turn for told in performance.told(Understood) if 4.3 < told.at_s - START_S < 11.9}
    assert {(False, 1, 2), (False, 2, 2), (True, 1, 2), (True, 2, 2)} <= turns


def test_the_end_is_told_and_replayed() -> None:
    """After the end nothing is planned until the player's next note, with which it goes on."""
    performance = jam((5.1, Act(Action.END)))
    assert [START_S + 5.1] == [told.at_s for told in performance.told(EndAsked)]
    (rested,) = performance.told(Rested)
    assert 8.0 == pytest.approx(rested.at_s - START_S, abs=0.2)
    assert [played for played in performance.told(Played) if played.due_s > rested.at_s + 1.0]


def test_alone_it_begins_by_itself() -> None:
    """The mode alone begins without a note."""
    performance = Performance(performer_settings(bars=2), actor=random_policy())
    performance.at(1.0, partial(performance.inbox.put, SetMode(PlayMode.ALONE)))
    assert 101.0 == performance.run(until_s=20.0).start_s


def test_a_jam_that_is_alone_from_the_start_begins_by_itself() -> None:
    """The mode alone of the preset or of an option needs no note either, and is told, so that a replay begins too."""
    performance = Performance(performer_settings(engine=ENGINE | {"mode": "alone"}, bars=2), actor=random_policy())
    assert START_S == pytest.approx(performance.run(until_s=20.0).start_s, abs=0.1)
    assert ["alone"] == [told.mode for told in performance.told(ModeSet)]
    assert performance.told(Played)


def test_a_mode_that_does_not_exist_is_refused() -> None:
    """A name that is no mode is not a command."""
    with pytest.raises(ValueError, match="never"):
        SetMode("never")  # type: ignore[arg-type]


def test_a_pad_is_nobody_who_plays() -> None:
    """A bound pad does not stop the built-in player."""
    settings = performer_settings(bindings=(Binding((), ControlMessage.NOTE, 36, 9, "mute"),))
    performance = Performance(settings, actor=random_policy(), player=PlayerUse.WHEN_ALONE)
    performance.backend.name = "jack"
    performance.play(8.0, NoteOn(9, 36, 90), NoteOff(9, 36))
    performance.run(until_s=10.0)
    assert [True] == [event.is_on for event in performance.told(Switched)]
    assert [] == performance.told(Restarted)


def test_a_knob_that_was_turned_back_stays_so_with_another_player() -> None:
    """A turned knob keeps its position when a player replaces the built-in one, also where the preset has another."""
    engine = ENGINE | {"panel": {"density": 1.5}}
    performance = Performance(performer_settings(engine=engine), actor=random_policy(), player=PlayerUse.WHEN_ALONE)
    performance.backend.name = "jack"
    performance.at(6.0, partial(performance.inbox.put, Turn(Knob.DENSITY, 1.0)))
    performance.play(8.0, NoteOn(0, 61, 90))
    performance.run(until_s=10.0)
    assert performance.told(Restarted)
    assert 1.0 == [event.position for event in performance.told(Turned) if event.knob == "density"][-1]
