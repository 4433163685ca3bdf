"""Listening to the player, step by step."""

from __future__ import annotations

import numpy as np

from improviser.listening.line import HOLD, REST
from improviser.listening.listener import Listener
from improviser.listening.tempo import BeatClock
from improviser.midi.message import Message, NoteOff, NoteOn
from improviser.music.scale import parse_key

GRID = np.array([4]), np.array([16])
DOWNBEAT = np.array([4])


def listener(key: str | None = None) -> Listener:
    """Return a listener in four quarters and sixteenths."""
    return Listener(GRID, BeatClock(120.0), 0, None if key is None else parse_key(key))


def close(listening: Listener, since_s: float) -> None:
    """Close the step that began at `since_s`."""
    player, _ = listening.foresee(since_s, DOWNBEAT)
    listening.close(since_s, player)


def test_what_is_heard_counts_when_its_moment_is_reached() -> None:
    """A message waits until `follow` reaches its time, and `follow` returns whether there was one."""
    listening = listener()
    listening.hear(NoteOn(0, 60, 100), 1.0)
    assert not listening.follow(0.9)
    assert REST == listening.foresee(0.5, DOWNBEAT)[1].event
    assert listening.follow(1.0)
    assert 60 == listening.foresee(0.5, DOWNBEAT)[1].event


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
    listening.hear(NoteOn(0, 60, 100), 1.0)
    listening.follow(1.0)
    foreseen = [listening.foresee(0.5, DOWNBEAT)[0].line.note[0] for _ in range(3)]
    assert [60] * 3 == foreseen
    assert listening.player.line.note[0] < 0
    close(listening, 0.5)
    assert (60, HOLD) == (listening.player.line.note[0], listening.foresee(1.5, DOWNBEAT)[1].event)


def test_a_late_onset_is_put_into_the_step_before() -> None:
    """An onset that belongs to the previous step is moved there, and is held in this step."""
    listening = listener()
    close(listening, 0.0)
    listening.hear(NoteOn(0, 60, 100), 0.9)
    listening.follow(1.1)
    close(listening, 1.0)
    assert [60, HOLD] == listening.player.line.events[0, -2:].tolist()


def test_a_late_onset_does_not_overwrite_one_in_time() -> None:
    """Where the previous step already has an onset, a second one is left out."""
    listening = listener()
    listening.hear(NoteOn(0, 60, 100), 0.1)
    listening.follow(0.2)
    close(listening, 0.0)
    listening.hear(NoteOn(0, 64, 100), 0.9)
    listening.follow(1.1)
    close(listening, 1.0)
    assert [60, HOLD] == listening.player.line.events[0, -2:].tolist()


def test_the_register_follows_a_player_who_stays_away() -> None:
    """One leap does not move the register; staying an octave higher does."""
    listening = listener()
    registers = []
    for at_s, note in enumerate([60, 72, *[72] * 12]):
        listening.hear(NoteOn(0, note, 100), at_s)
        listening.follow(at_s)
        registers.append(listening.register_note)
    assert [60, 60] == registers[:2]
    assert 67 < registers[-1] <= 72


def test_touch_and_key_are_followed() -> None:
    """The velocity is the player's, and the key is the tracked or the locked one."""
    listening = [listener(), listener("F#m")]
    for one in listening:
        for eighth, note in enumerate((62, 66, 69, 74, 73, 71, 69, 67, 66, 64, 62)):
            one.hear(NoteOn(0, note, 33), eighth / 4)
        one.follow(3.0)
    assert ["D", "F#m"] == [one.keys.key.name for one in listening]
    assert 33 == listening[0].velocity
