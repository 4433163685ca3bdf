"""A change of preset during a performance: from a bar line on, in time, replayed identically."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from improviser.app.jam_settings import JamOptions, performer_settings
from improviser.midi.message import NoteOff, NoteOn, ProgramChange
from improviser.performer.assembly import engine_maker
from improviser.protocol import (
    Act,
    Action,
    Changed,
    Judged,
    Knob,
    PerformerSettings,
    PlayerUse,
    PresetEntry,
    Refused,
    Restarted,
    Silenced,
    Stepped,
    Summary,
    Turn,
    Warned,
    line_to_value,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.performing import BAR_S, Performance, hanging, ready, tell

READY = ready(backend="loopback", seed=7)


@pytest.fixture(scope="module")
def settings() -> PerformerSettings:
    """Settings of a jam with the shipped models that begins with the fiddle preset."""
    return performer_settings(JamOptions(preset="fiddle", tempo_bpm=120.0, key="C", seed=7))


def jam(settings: PerformerSettings, **values: Any) -> Performance:  # noqa: ANN401 - any field
    """Return a performance of sixteen bars of quarter notes."""
    performance = Performance(settings, new_engine=lambda: engine_maker(settings)(0.0), **values)
    for beat in range(64):
        performance.play(beat * 0.5, NoteOn(0, 60 + beat % 5, 80))
        performance.play(beat * 0.5 + 0.4, NoteOff(0, 60 + beat % 5))
    return performance


def ask_next(performance: Performance, at_s: float) -> None:
    """Ask for the next preset, and wait until it is loaded."""
    tell(performance, at_s, Act(Action.NEXT_PRESET), waits=True)


def replays_alike(performance: Performance) -> bool:
    """Return whether the session replays identically."""
    lines = "".join(map(value_to_line, (performance.settings, *performance.events)))
    again = replay(parse_session(lines, "test"), engine_maker(performance.settings))
    assert len(again.live) > 20
    return again.difference is None


def test_the_next_preset_begins_with_a_bar(settings: PerformerSettings) -> None:
    """The next preset plays from a bar line on, no note hangs, and the session replays identically."""
    performance = jam(settings)
    ask_next(performance, 5 * BAR_S + 0.7)
    ask_next(performance, 8 * BAR_S + 0.7)
    performance.run(until_s=12 * BAR_S)
    names = [piece.preset for piece in settings.pieces]
    at = names.index("fiddle")
    assert [names[(at + turn) % len(names)] for turn in (1, 2)] == [
        changed.preset for changed in performance.told(Changed)
    ]
    order = [event for event in performance.events if isinstance(event, Changed | Stepped)]
    changes = [place for place, event in enumerate(order) if isinstance(event, Changed)]
    steps_before = [place - turn for turn, place in enumerate(changes)]
    assert [0, 0] == [steps % 16 for steps in steps_before]
    assert 16 < steps_before[0] < steps_before[1]
    assert set() == hanging(performance)
    assert replays_alike(performance)


def test_all_presets_come_round(settings: PerformerSettings) -> None:
    """After all presets the first one comes again, also over comping."""
    performance, turns = jam(settings), len(settings.pieces)
    for turn in range(turns):
        ask_next(performance, (2 + 2 * turn) * BAR_S + 0.7)
    performance.run(until_s=(5 + 2 * turns) * BAR_S)
    changed = [event.preset for event in performance.told(Changed)]
    assert "fiddle" == changed[-1]
    assert sorted(piece.preset for piece in settings.pieces) == sorted(changed)
    assert set() == hanging(performance)
    assert replays_alike(performance)


def test_knobs_and_taste_stay(settings: PerformerSettings) -> None:
    """Within a role the preference stays, and the tempo remains the jam's."""
    performance = jam(settings)
    for at_s, command in ((6.0, Turn(Knob.DENSITY, 1.5)), (8.0, Act(Action.DISLIKE))):
        performance.at(at_s, partial(performance.inbox.put, command))
    for turn in range(3):
        ask_next(performance, (5 + 2 * turn) * BAR_S)
    performance.at(13 * BAR_S, partial(performance.inbox.put, Act(Action.LIKE)))
    summary = performance.run(until_s=14 * BAR_S)
    judged = performance.told(Judged)
    assert judged[-1].taste == summary.taste != {}
    assert all(changed.engine["tempo_bpm"] == 120.0 for changed in performance.told(Changed))
    assert replays_alike(performance)


def test_it_comes_before_the_first_note_too(settings: PerformerSettings) -> None:
    """Before the first note a preset is changed at once, and only its program is sent."""
    pieces = tuple(replace(piece, program=place) for place, piece in enumerate(settings.pieces))
    waiting = replace(settings, pieces=pieces, program=99)
    performance = Performance(waiting, new_engine=lambda: engine_maker(waiting)(0.0))
    ask_next(performance, 0.5)
    performance.play(2.0, NoteOn(0, 60, 80))
    performance.run(until_s=6.0)
    (changed,) = performance.told(Changed)
    programs = [message.program for _, message in performance.sent if isinstance(message, ProgramChange)]
    assert [changed.program] == programs


def test_what_the_player_holds_goes_on(settings: PerformerSettings) -> None:
    """A change of preset does not end a key that is passed on."""
    performance = jam(replace(settings, thru=True))
    performance.play(4 * BAR_S, NoteOn(0, 40, 80))
    performance.play(9 * BAR_S, NoteOff(0, 40))
    ask_next(performance, 5 * BAR_S + 0.7)
    performance.run(until_s=10 * BAR_S)
    assert performance.told(Changed)
    ends = [at_s for at_s, message in performance.sent if message == NoteOff(0, 40)]
    assert [9 * BAR_S] == [at_s for at_s in ends if at_s > 4 * BAR_S]
    assert 1 == len(performance.told(Silenced))  # at the end
    assert replays_alike(performance)


def test_a_longer_note_may_last(settings: PerformerSettings) -> None:
    """The note limit is that of the current preset, live and in a replay."""
    short = replace(settings, engine={**settings.engine, "max_note_bars": 0.125})
    performance = jam(short)
    for turn in range(3):
        ask_next(performance, (3 + 3 * turn) * BAR_S + 0.7)
    performance.run(until_s=15 * BAR_S)
    assert 3 == len(performance.told(Changed))
    assert replays_alike(performance)


def test_a_taste_is_of_a_role(settings: PerformerSettings) -> None:
    """A preference belongs to a role: it is empty for chords and returns with the next tune preset."""
    at = {piece.preset: place for place, piece in enumerate(settings.pieces)}
    pieces = (settings.pieces[at["fiddle"]], settings.pieces[at["comping"]])
    performance = jam(replace(settings, pieces=pieces))
    performance.at(8.0, partial(performance.inbox.put, Act(Action.DISLIKE)))
    for bar in (5, 7):
        ask_next(performance, bar * BAR_S)
    performance.run(until_s=9 * BAR_S)
    (judged,) = performance.told(Judged)
    assert [{}, judged.taste] == [changed.taste for changed in performance.told(Changed)]
    assert replays_alike(performance)


def test_a_successor_begins_with_what_was_played(settings: PerformerSettings) -> None:
    """The next performer begins with the changed preset, and both of its parts replay identically."""
    first = jam(settings)
    ask_next(first, 5 * BAR_S)
    first.run(until_s=8 * BAR_S)
    (changed,) = first.told(Changed)
    successor = replace(settings, preset=changed.preset, engine=changed.engine, model=changed.model)
    second = Performance(successor, new_engine=lambda: engine_maker(successor)(0.0), player=PlayerUse.WHEN_ALONE)
    second.backend.name = "jack"
    for beat in range(16):
        second.play(12.0 + beat * 0.5, NoteOn(0, 61 + beat % 5, 80))
    second.run(until_s=24.0)
    assert second.told(Restarted)
    lives = [event for event in first.events if not isinstance(event, Summary)]
    lines = [settings, *lives, READY, *second.events]
    again = replay(parse_session("".join(map(value_to_line, lines)), "test"), engine_maker(settings))
    assert len(again.live) > 20
    assert again.difference is None


def test_a_model_that_is_missing_is_told(settings: PerformerSettings) -> None:
    """A missing model is reported and the music continues; the next change goes to the preset after it."""
    at = [piece.preset for piece in settings.pieces].index("fiddle")
    pieces = list(settings.pieces)
    broken = (at + 1) % len(pieces)
    pieces[broken] = replace(pieces[broken], model="/nowhere.safetensors")
    performance = jam(replace(settings, pieces=tuple(pieces)))
    ask_next(performance, 5 * BAR_S)
    ask_next(performance, 7 * BAR_S)
    performance.run(until_s=10 * BAR_S)
    (warned,) = performance.told(Warned)
    assert "nothing changes" in warned.text
    assert [pieces[(at + 2) % len(pieces)].preset] == [event.preset for event in performance.told(Changed)]


def test_without_another_one_that_is_said(settings: PerformerSettings) -> None:
    """Without another preset the command is refused with a reason."""
    performance = jam(replace(settings, pieces=()))
    performance.at(3.0, partial(performance.inbox.put, Act(Action.NEXT_PRESET)))
    performance.run(until_s=4.0)
    assert ["no other preset has this time grid"] == [notice.text for notice in performance.told(Refused)]


def test_its_sound_is_chosen(settings: PerformerSettings) -> None:
    """A program change is sent with the preset."""
    pieces = tuple(replace(piece, program=place) for place, piece in enumerate(settings.pieces))
    performance = jam(replace(settings, pieces=pieces, program=99))
    ask_next(performance, 5 * BAR_S)
    performance.run(until_s=8 * BAR_S)
    programs = [message.program for _, message in performance.sent if isinstance(message, ProgramChange)]
    (changed,) = performance.told(Changed)
    assert [99, changed.program] == programs


def test_it_stays_when_somebody_else_comes_in(settings: PerformerSettings) -> None:
    """When a player replaces the built-in one, the engine restarts with the chosen preset."""
    performance = Performance(settings, new_engine=lambda: engine_maker(settings)(0.0), player=PlayerUse.WHEN_ALONE)
    performance.backend.name = "jack"  # a backend that others can reach
    ask_next(performance, 3 * BAR_S)
    performance.play(5.3 * BAR_S, NoteOn(0, 61, 80))
    performance.run(until_s=9 * BAR_S)
    kinds = [type(event) for event in performance.events if isinstance(event, Changed | Restarted)]
    assert [Changed, Restarted, Changed] == kinds
    first, second = performance.told(Changed)
    assert first == second
    assert set() == hanging(performance)


def test_pieces_cross_processes(settings: PerformerSettings) -> None:
    """Preset entries are the same after they were written to JSON and read back."""
    again = line_to_value(value_to_line(settings))
    assert isinstance(again, PerformerSettings)
    assert [piece.preset for piece in settings.pieces] == [piece.preset for piece in again.pieces]
    assert all(isinstance(piece, PresetEntry) for piece in again.pieces)
