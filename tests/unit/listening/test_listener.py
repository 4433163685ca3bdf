"""Listening to the player, step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest

from improviser.listening.line import HOLD, REST
from improviser.listening.listener import Listener
from improviser.listening.tempo import BeatClock
from improviser.midi.message import Message, NoteOff, NoteOn
from improviser.music.scale import parse_key

GRID = np.array([4]), np.array([16])
DOWNBEAT = np.array([4])
STEP_S = 0.125


def listener(key: str | None = None) -> Listener:
    """Return a listener in four quarters and sixteenths."""
    return Listener(GRID, BeatClock(120.0), None if key is None else parse_key(key))


def hear(listening: Listener, *heard: tuple[Message, float]) -> None:
    """Receive messages and process them all."""
    for message, at_s in heard:
        listening.hear(message, at_s)
    listening.follow(math.inf)


def close(listening: Listener, step: int) -> None:
    """Close a step."""
    listening.close(step, DOWNBEAT, listening.foresee(step, DOWNBEAT))


def events(listening: Listener, count: int) -> list[int]:
    """Return the player's last events."""
    return [int(event) for event in listening.player.line.events[0, -count:]]


def test_what_is_heard_counts_when_its_moment_is_reached() -> None:
    """A message waits until `follow` reaches its time, and `follow` returns whether there was one."""
    listening = listener()
    listening.hear(NoteOn(0, 60, 100), 1.0)
    assert not listening.follow(0.9)
    assert REST == listening.foresee(8, DOWNBEAT).heard.event
    assert listening.follow(1.0)
    assert 60 == listening.foresee(8, DOWNBEAT).heard.event


def test_what_was_not_reached_can_be_taken_back() -> None:
    """Messages after the time reached are returned and dropped."""
    listening = listener()
    heard: list[tuple[Message, float]] = [(NoteOn(0, 60, 100), 1.0), (NoteOff(0, 60), 2.0)]
    for message, at_s in heard:
        listening.hear(message, at_s)
    listening.follow(1.0)
    assert heard[1:] == listening.take_pending()
    assert [] == listening.take_pending()


def test_foreseeing_changes_nothing_until_the_step_is_closed() -> None:
    """Looking at the next step does not change the player."""
    listening = listener()
    hear(listening, (NoteOn(0, 60, 100), 0.0))
    foreseen = [listening.foresee(0, DOWNBEAT).player.line.note[0] for _ in range(3)]
    assert [60] * 3 == foreseen
    assert listening.player.line.note[0] < 0
    close(listening, 0)
    outlook = listening.foresee(1, DOWNBEAT)
    assert (60, 60, HOLD, 0) == (*listening.player.line.note, *outlook.before.line.note, outlook.heard.event, 0)


def test_a_note_belongs_to_the_nearest_step() -> None:
    """A little early or late, or after the step was decided, a note counts in its step."""
    listening = listener()
    close(listening, 0)
    close(listening, 1)
    hear(listening, (NoteOn(0, 60, 100), 0.02), (NoteOff(0, 60), 0.06), (NoteOn(0, 64, 100), 2 * STEP_S - 0.03))
    assert 64 == listening.foresee(2, DOWNBEAT).heard.event
    close(listening, 2)
    assert [60, REST, 64] == events(listening, 3)


def test_a_released_note_does_not_reach_into_the_next() -> None:
    """A note that is held up to a quarter of a step into the next one, as in legato, does not sound there."""
    for length, expected in ((1.2, REST), (1.3, HOLD)):
        listening = listener()
        hear(listening, (NoteOn(0, 60, 100), 0.0), (NoteOff(0, 60), length * STEP_S))
        close(listening, 0)
        close(listening, 1)
        assert [60, expected] == events(listening, 2)


def test_the_players_habit_decides_which_step_is_nearest() -> None:
    """For a player who is always late, a note of more than half a step belongs to the step before."""
    listening = listener()
    for beat in range(8):
        hear(listening, (NoteOn(0, 60, 100), 0.5 * beat + 0.05), (NoteOff(0, 60), 0.5 * beat + 0.2))
    hear(listening, (NoteOn(0, 64, 100), 4.0 + 0.07))
    assert 0.4 == pytest.approx(listening.habit.steps, abs=0.05)
    assert 64 == listening.foresee(32, DOWNBEAT).heard.event


def test_steps_are_settled_when_all_of_them_is_heard() -> None:
    """A step is settled half a step after the next one, with what came late; what comes later still counts after it."""
    listening = listener()
    for step in range(3):
        close(listening, step)
    hear(listening, (NoteOn(0, 60, 100), 0.01))
    assert [] == listening.settle(listening.reached(1.4 * STEP_S))
    ((step, player),) = listening.settle(listening.reached(1.5 * STEP_S))
    assert (0, 60) == (step, player.line.note[0])
    hear(listening, (NoteOn(0, 64, 100), 0.02))
    assert [1, 2] == [step for step, _ in listening.settle(math.inf)]
    close(listening, 3)
    assert [60, 64, HOLD, HOLD] == events(listening, 4)


def test_a_new_beginning_holds_what_sounds() -> None:
    """After a new beginning, a key that is down is held, whatever the numbers of the steps."""
    listening = listener()
    hear(listening, (NoteOn(0, 60, 100), 0.0))
    close(listening, 0)
    listening.begin(100)
    assert (HOLD, 60) == (listening.foresee(100, DOWNBEAT).heard.event, listening.player.line.note[0])
    assert [] == listening.settle(math.inf)


def test_a_new_bar_length_counts_for_open_steps_too() -> None:
    """The lags of a bar follow the meter, also after open steps are computed anew."""
    listening = listener()
    close(listening, 0)
    listening.set_bar(12)
    hear(listening, (NoteOn(0, 60, 100), 0.0))
    close(listening, 1)
    assert [4, 8, 12, 24] == listening.player.line.lags[0].tolist()
    assert [60, HOLD] == events(listening, 2)


def test_the_register_follows_a_player_who_stays_away() -> None:
    """One leap does not move the register; staying an octave higher does."""
    listening = listener()
    registers = []
    for at_s, note in enumerate([60, 72, *[72] * 12]):
        hear(listening, (NoteOn(0, note, 100), at_s))
        registers.append(listening.register_note)
    assert [60, 60] == registers[:2]
    assert 67 < registers[-1] <= 72


def test_touch_and_key_are_followed() -> None:
    """The velocity is the player's, and the key is the heard or the locked one."""
    listening = [listener(), listener("F#m")]
    for one in listening:
        for eighth, note in enumerate((62, 66, 69, 74, 73, 71, 69, 67, 66, 64, 62)):
            one.hear(NoteOn(0, note, 33), eighth / 4)
            one.hear(NoteOff(0, note), (eighth + 1) / 4)
        one.follow(3.0)
        for step in range(22):
            close(one, step)
    assert ["D", "F#m"] == [one.heard_key.key.name for one in listening]
    assert 33 == listening[0].velocity


def test_a_chart_goes_round_from_beat_0() -> None:
    """Each step has the chord of its eighth, and after the last bar the first one comes again."""
    chart = [0] * 8 + [45] * 8
    listener = Listener((np.array([4]), np.array([16])), BeatClock(120.0), None, chart=chart)
    found = []
    for step in (0, 15, 16, 31, 32, 48):
        given = listener.foresee(step, np.array([0])).given
        assert given is not None
        found.append(given[0].tolist())
    assert [[0, 0], [0, 45], [45, 45], [45, 0], [0, 0], [45, 45]] == found
    assert [45] == listener.foresee(16, np.array([0])).player.chord.tolist()
