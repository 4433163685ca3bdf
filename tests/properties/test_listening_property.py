"""Properties of listening and acting that do not depend on how the input is written."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from improviser.listening.line import RANGE, fold
from improviser.listening.window import NoteWindow
from improviser.midi.message import SUSTAIN_PEDAL, ControlChange, NoteOff, NoteOn, TimedMessage
from improviser.music.pitch import pitch_class_bits
from improviser.playing.actions import ACTION_COUNT, action_to_gesture, gesture_to_action
from tests.strategies import DATA, performances


@given(st.integers(0, ACTION_COUNT - 1), DATA)
def test_actions_and_gestures_are_one_to_one(action: int, base: int) -> None:
    """An action's gesture converts back to that action, above any base."""
    assert action == gesture_to_action(action_to_gesture(action, base), base)


@given(st.integers(-127, 127))
def test_folding_keeps_the_pitch_class_and_what_lies_in_the_range(semitones: int) -> None:
    """A distance is folded into the range by whole octaves, and folding again changes nothing."""
    folded = int(fold(np.array([semitones]))[0])
    assert 0 <= folded < RANGE
    assert semitones % 12 == folded % 12
    assert folded == fold(np.array([folded]))[0]


@given(performances(), st.lists(st.integers(0, 30), max_size=20))
def test_the_window_sounds_what_keys_and_pedals_hold(heard: list[TimedMessage], forgotten: list[int]) -> None:
    """Whatever is forgotten meanwhile, the notes that sound at the end are those that a replay of keys gives."""
    window = NoteWindow()
    moments = sorted(forgotten)
    for timed in heard:
        while moments and moments[0] < timed.due_s:
            window.forget(moments.pop(0))
        window.hear(timed.message, int(timed.due_s))
    last = max((int(timed.due_s) for timed in heard), default=0)
    assert pitch_class_bits([note for _, note in _sounding(heard)]) == window.played(last + 1).bits
    onsets = sum(isinstance(timed.message, NoteOn) for timed in heard)
    assert onsets >= sum(len(window.played(step).onsets) for step in range(last + 1))


def _sounding(heard: list[TimedMessage]) -> set[tuple[int, int]]:
    """Return the (channel, note) pairs that sound after all messages, each computed on its own."""
    pairs = {(one.message.channel, one.message.note) for one in heard if isinstance(one.message, NoteOn)}
    return {pair for pair in pairs if _is_sounding(heard, *pair)}


def _is_sounding(heard: list[TimedMessage], channel: int, note: int) -> bool:
    """Return whether one key's note sounds after all messages."""
    is_down = is_pedal = is_kept = False
    for message in (one.message for one in heard):
        match message:
            case NoteOn(channel=c, note=n) if (c, n) == (channel, note):
                is_down = True
            case NoteOff(channel=c, note=n) if (c, n) == (channel, note):
                is_kept = is_kept or (is_down and is_pedal)
                is_down = False
            case ControlChange(channel=c, control=control, value=value) if c == channel:
                is_pedal = control == SUSTAIN_PEDAL and value >= 64
                is_kept = is_kept and is_pedal
    return is_down or is_kept
