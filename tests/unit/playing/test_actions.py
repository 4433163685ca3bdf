"""The action space."""

from __future__ import annotations

import re

import pytest

from improviser.music.scale import SCALE_BITS
from improviser.playing import actions
from improviser.playing.actions import (
    ACTION_COUNT,
    FIRST_ONSET,
    HOLD_ACTION,
    REST_ACTION,
    Gesture,
    GestureKind,
    action_to_gesture,
    gesture_to_action,
    legal_actions,
    register_base,
)

HOLD, REST = Gesture(GestureKind.HOLD), Gesture(GestureKind.REST)


def onset(note: int) -> Gesture:
    """Return the gesture that begins a note."""
    return Gesture(GestureKind.ONSET, (note,))


def test_the_docstring_table_is_the_action_space() -> None:
    """Every row of the docstring's table is the gesture of its action, and the table is complete."""
    rows = re.findall(r"^\| (\d+)(?:\.\.(\d+))? \| (\w+)", actions.__doc__ or "", re.MULTILINE)
    table = [kind for first, last, kind in rows for _ in range(int(first), int(last or first) + 1)]
    assert table == [action_to_gesture(action, 60).kind.name.lower() for action in range(ACTION_COUNT)]
    lowest, highest = re.findall(r"onset: the note (\d+)\.\.(\d+) semitones", actions.__doc__ or "")[0]
    assert onset(60 + int(lowest)) == action_to_gesture(FIRST_ONSET, 60)
    assert onset(60 + int(highest)) == action_to_gesture(ACTION_COUNT - 1, 60)


@pytest.mark.parametrize("action", range(ACTION_COUNT))
def test_every_action_is_a_gesture_and_back(action: int) -> None:
    """A gesture belongs to exactly one action."""
    assert action == gesture_to_action(action_to_gesture(action, 50), 50)
    assert 1 == [action_to_gesture(other, 50) for other in range(ACTION_COUNT)].count(action_to_gesture(action, 50))


@pytest.mark.parametrize("action", [-1, ACTION_COUNT])
def test_what_is_no_action_is_refused(action: int) -> None:
    """An index outside the action space raises ValueError."""
    with pytest.raises(ValueError, match=rf"action {action} is none of 0\.\.38"):
        action_to_gesture(action, 60)


@pytest.mark.parametrize("note", [59, 97])
def test_a_note_out_of_range_has_no_action(note: int) -> None:
    """A note below the base or beyond three octaves raises ValueError."""
    with pytest.raises(ValueError, match=f"note {note} is not within 37 semitones of 60"):
        gesture_to_action(onset(note), 60)


@pytest.mark.parametrize(
    ("base", "low", "tonic"),
    [(60, 60, 0), (62, 60, 2), (65, 60, 5), (54, 60, 6), (59, 60, 11), (5, 0, 5), (6, 0, 6)],
)
def test_the_register_begins_at_the_nearest_tonic(base: int, low: int, tonic: int) -> None:
    """The base is the tonic from six semitones below the low note to five above it."""
    assert base == register_base(low, tonic)


@pytest.mark.parametrize("tonic", range(12))
def test_every_register_lies_within_midi(tonic: int) -> None:
    """For every low note base and top are MIDI notes, and the base is the tonic."""
    for low in range(128):
        base = register_base(low, tonic)
        assert tonic == base % 12
        assert 0 <= base <= base + ACTION_COUNT - FIRST_ONSET - 1 <= 127


def test_hold_is_legal_only_while_something_sounds() -> None:
    """A rest is always legal, and a hold only while a note sounds."""
    silent, sounding = (legal_actions(60, is_sounding=is_sounding, pitch_classes=None) for is_sounding in (False, True))
    assert (False, True) == (silent[HOLD_ACTION], silent[REST_ACTION])
    assert sounding.all()
    assert (ACTION_COUNT,) == silent.shape


def test_a_locked_scale_masks_what_is_outside() -> None:
    """With the tones of C major allowed, exactly the onsets on them are legal."""
    mask = legal_actions(60, is_sounding=True, pitch_classes=int(SCALE_BITS[0]))
    notes = [60 + action - FIRST_ONSET for action in range(FIRST_ONSET, ACTION_COUNT) if mask[action]]
    assert [note for note in range(60, 97) if note % 12 in {0, 2, 4, 5, 7, 9, 11}] == notes
    assert mask[HOLD_ACTION]
    assert mask[REST_ACTION]


def test_notes_beyond_midi_are_masked() -> None:
    """Onsets above note 127 are not legal."""
    assert 127 - 120 + 1 == legal_actions(120, is_sounding=False, pitch_classes=None)[FIRST_ONSET:].sum()
