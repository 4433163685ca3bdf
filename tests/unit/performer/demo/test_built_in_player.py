"""The built-in player: what it plays, when it begins and when it stops."""

from __future__ import annotations

from functools import partial

import pytest

from improviser.choices import PlayMode
from improviser.errors import UsageError
from improviser.midi.message import NoteOff, NoteOn
from improviser.music.meter import METERS, Meter
from improviser.performer.demo.built_in_player import PROMPT_S
from improviser.performer.demo.melody_player import MelodyPlayer
from improviser.performer.demo.tunes import DEFAULT_TUNE, TUNES, Tune, find_tune
from improviser.performer.ports.opening import GRACE_S
from improviser.protocol import (
    Act,
    Action,
    Heard,
    Knob,
    ModeSet,
    Notice,
    PlayerUse,
    SetMode,
    Turn,
    Understood,
)
from tests.performing import BAR_S, START_S, Performance, performer_settings, tell

SCALE = Tune("Scale", "nobody", (4, 4), "C4 D4*.5 -*.5 | E4*2")


def test_tunes_are_parsed_into_notes_and_beats() -> None:
    """Each word of a tune is a note or a rest with its beats; bar lines are ignored."""
    assert ((60, 1.0), (62, 0.5), (None, 0.5), (64, 2.0)) == SCALE.notes
    assert (4.0, 1) == (SCALE.beats, SCALE.bars)


@pytest.mark.parametrize("name", TUNES)
def test_every_tune_fills_whole_bars(name: str) -> None:
    """Every tune has a known meter, whole bars and a source."""
    tune = TUNES[name]
    meter = Meter(*tune.meter)
    assert meter in METERS
    assert tune.bars * meter.bar_beats == tune.beats
    assert tune.source
    beats = 0.0
    for word in tune.text.split():
        if word == "|":
            assert 0 == beats % meter.bar_beats, f"a bar of {name} before beat {beats}"
        else:
            beats += float(word.partition("*")[2] or 1)


def test_an_unknown_tune_is_a_usage_error() -> None:
    """The error lists the available tunes."""
    assert TUNES[DEFAULT_TUNE] is find_tune(DEFAULT_TUNE)
    with pytest.raises(UsageError, match="ode_to_joy, scarborough_fair, drowsy_maggie"):
        find_tune("nothing")


def test_the_player_plays_the_tune_in_time() -> None:
    """Notes begin on their beats and end before the next one; the first note of a bar is accented."""
    player = MelodyPlayer(SCALE, 120.0, repeats=False)
    assert player.next_due_s is None
    player.start(10.0)
    assert 10.0 == player.next_due_s
    due = player.pop_due(20.0)
    assert [(10.0, NoteOn(0, 60, 88)), (10.45, NoteOff(0, 60)), (10.5, NoteOn(0, 62, 76))] == [
        (round(timed.due_s, 6), timed.message) for timed in due[:3]
    ]
    assert 6 == len(due)
    assert (None, False) == (player.next_due_s, player.is_playing)


def test_a_repeating_player_begins_again() -> None:
    """At the end of the tune the player repeats it in time."""
    player = MelodyPlayer(SCALE, 120.0, repeats=True)
    player.start(10.0)
    starts = [timed.due_s for timed in player.pop_due(16.5) if timed.message == NoteOn(0, 60, 88)]
    assert [10.0, 12.0, 14.0, 16.0] == starts


def test_a_stopped_player_lifts_its_keys() -> None:
    """A stopped player releases its notes and plays no more."""
    player = MelodyPlayer(SCALE, 120.0, repeats=True)
    player.start(10.0)
    player.pop_due(10.2)
    assert [NoteOff(0, 60)] == [timed.message for timed in player.stop(10.3)]
    assert [] == player.pop_due(99.0)


def test_the_player_knows_its_own_notes() -> None:
    """A message counts as the player's own once, within a tenth of a second after it was sent."""
    player = MelodyPlayer(SCALE, 120.0, repeats=True)
    player.start(10.0)
    player.pop_due(10.0)
    assert not player.is_own(NoteOn(0, 61, 88), 10.01)
    assert player.is_own(NoteOn(0, 60, 88), 10.01)
    assert not player.is_own(NoteOn(0, 60, 88), 10.01)
    player.pop_due(10.5)
    assert not player.is_own(NoteOn(0, 62, 76), 10.7)


def test_a_demo_begins_at_once_and_ends_with_the_tune() -> None:
    """The built-in player is heard through the input, and the demo ends with its tune."""
    performance = Performance(player=PlayerUse.ALWAYS)
    summary = performance.run()
    tune = TUNES[DEFAULT_TUNE]
    assert sum(note is not None for note, _ in tune.notes) == summary.notes_heard
    assert START_S + PROMPT_S == pytest.approx(summary.start_s)
    assert PROMPT_S + tune.beats / 2 == pytest.approx(summary.duration_s)


def test_a_demo_of_some_bars_ends_with_them() -> None:
    """No note of the bar after the last one begins."""
    performance = Performance(performer_settings(bars=2), player=PlayerUse.ALWAYS)
    assert 8 == performance.run().notes_heard


def test_a_tune_goes_on_as_long_as_the_bars() -> None:
    """A tune shorter than the requested bars is repeated."""
    performance = Performance(performer_settings(bars=18), player=PlayerUse.ALWAYS)
    tune_notes = sum(note is not None for note, _ in TUNES[DEFAULT_TUNE].notes)
    assert tune_notes + 8 == performance.run().notes_heard


@pytest.mark.parametrize(("tempo_bpm", "beat_s"), [(240.0, 0.25), (60.0, 1.0)])
def test_the_tune_follows_the_tempo(tempo_bpm: float, beat_s: float) -> None:
    """After a change of tempo within a beat, the tune's beats stay on the improviser's beats."""
    performance = Performance(performer_settings(bars=4), player=PlayerUse.ALWAYS)
    tell(performance, PROMPT_S + 1.75, Turn(Knob.TEMPO, tempo_bpm))
    performance.run()
    heard = [event.at_s - START_S - PROMPT_S for event in performance.told(Heard)]
    assert [0.0, 0.5, 1.0, 1.5] == pytest.approx(heard[:4], abs=0.01)
    next_s = 1.75 + 0.5 * beat_s
    assert [next_s + beat * beat_s for beat in range(4)] == pytest.approx(heard[4:8], abs=0.01)


def test_a_demo_ends_with_the_tune_at_another_tempo() -> None:
    """At another tempo the whole tune is played, and nothing after it."""
    performance = Performance(player=PlayerUse.ALWAYS)
    tell(performance, PROMPT_S + 4.0, Turn(Knob.TEMPO, 240.0))
    summary = performance.run()
    tune = TUNES[DEFAULT_TUNE]
    assert sum(note is not None for note, _ in tune.notes) == summary.notes_heard
    assert PROMPT_S + 4.0 + (tune.beats - 8) / 4 == pytest.approx(summary.duration_s, abs=0.02)


def test_the_tune_follows_taps() -> None:
    """Taps move the tune's beats and set their tempo."""
    performance = Performance(performer_settings(bars=6), player=PlayerUse.ALWAYS)
    taps = [PROMPT_S + 4.1 + 0.4 * tap for tap in range(4)]
    for at_s in taps:
        tell(performance, at_s, Act(Action.TAP))
    performance.run()
    heard = [event.at_s - START_S for event in performance.told(Heard)]
    late = [(at_s - taps[-1]) / 0.4 for at_s in heard if at_s > taps[-1] + 0.1]
    assert len(late) > 5
    assert [round(2 * beats) / 2 for beats in late] == pytest.approx(late, abs=0.05)


def alone(**settings: object) -> Performance:
    """Return a performance whose player waits for others, as on a backend that others can reach."""
    performance = Performance(performer_settings(**settings), player=PlayerUse.WHEN_ALONE)
    performance.backend.name = "jack"
    return performance


def test_others_have_time_to_come_in_first() -> None:
    """Without another player the built-in player begins after a few seconds."""
    performance = alone(bars=1)
    assert START_S + GRACE_S == pytest.approx(performance.run().start_s)


def test_a_player_who_comes_first_keeps_the_built_in_one_silent() -> None:
    """The built-in player does not begin when somebody plays within the first seconds."""
    performance = alone(bars=4)
    performance.play(1.0, NoteOn(0, 48, 100), port="Improviser In")
    summary = performance.run()
    assert (1, START_S + 1.0) == (summary.notes_heard, summary.start_s)


@pytest.mark.parametrize(("channels", "message"), [((), NoteOn(9, 36, 90)), ((0,), NoteOn(1, 60, 90))])
def test_what_is_not_listened_to_is_nobody_else(channels: tuple[int, ...], message: NoteOn) -> None:
    """A drum, or a channel that is not listened to, does not stop the built-in player."""
    performance = alone(listen_channels=channels)
    performance.play(GRACE_S + 3.3, message, port="Improviser In")
    performance.run(until_s=GRACE_S + 3.3 + 2 * BAR_S)
    assert not performance.told(Notice)
    assert performance.sent[-1][0] > GRACE_S + 3.3 + BAR_S


def test_the_built_in_player_leaves_for_somebody_else() -> None:
    """Another player's note ends the tune and begins a new bar."""
    performance = alone()
    performance.play(GRACE_S + 3.3, NoteOn(0, 48, 100), port="Improviser In")
    summary = performance.run(until_s=GRACE_S + 3.3 + 2 * BAR_S)
    assert 1 == len(performance.told(Notice))
    assert START_S + GRACE_S + 3.3 == pytest.approx(summary.start_s)
    assert NoteOn(0, 48, 100) == NoteOn(0, performance.told(Heard)[-1].note, performance.told(Heard)[-1].velocity)
    assert 0 == summary.stuck_notes


def test_the_mode_stays_when_the_built_in_player_leaves() -> None:
    """The mode that was chosen beside the built-in player holds beside the person who plays."""
    performance = alone()
    performance.at(GRACE_S + 1.0, partial(performance.inbox.put, SetMode(PlayMode.TRADE_2)))
    performance.play(GRACE_S + 3.3, NoteOn(0, 48, 100), port="Improviser In")
    performance.run(until_s=GRACE_S + 3.3 + BAR_S)
    assert ["trade-2", "trade-2"] == [told.mode for told in performance.told(ModeSet)]
    assert (False, 1, 2) == performance.told(Understood)[-1].turn
