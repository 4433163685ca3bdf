"""The chord actions, and the voicings of chords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.music.chord import CHORD_BITS, CHORD_COUNT, QUALITIES, chord_from_index
from improviser.music.pitch import pitch_class_bits
from improviser.music.scale import SCALE_BITS
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION, REST_ACTION, Gesture, GestureKind
from improviser.playing.chords import (
    CHORD_ACTION_COUNT,
    REACH,
    action_to_chord_gesture,
    legal_chords,
    voice_chord,
)

CHORDS = st.integers(0, CHORD_COUNT - 1)
BASES = st.integers(0, 91)
C, F, G7, AM = 0, 45, 67, 82


def test_hold_and_rest_strike_nothing() -> None:
    """The first two actions are hold and rest, as in every role."""
    assert Gesture(GestureKind.HOLD) == action_to_chord_gesture(HOLD_ACTION, 0, 48, ())
    assert Gesture(GestureKind.REST) == action_to_chord_gesture(REST_ACTION, 0, 48, ())


@pytest.mark.parametrize("action", [-1, CHORD_ACTION_COUNT])
def test_other_actions_are_refused(action: int) -> None:
    """There are exactly 110 actions."""
    with pytest.raises(ValueError, match="none of"):
        action_to_chord_gesture(action, 0, 48, ())


@given(st.integers(0, 11))
def test_each_action_is_a_chord_of_its_own(tonic: int) -> None:
    """In every key the actions are the 108 chords, each once, by root above the tonic and quality."""
    gestures = [action_to_chord_gesture(action, tonic, 48, ()) for action in range(FIRST_ONSET, CHORD_ACTION_COUNT)]
    assert set(range(CHORD_COUNT)) == {gesture.chord for gesture in gestures}
    names = [chord_from_index(gesture.chord or 0) for gesture in gestures[:2]]
    assert [(tonic, 0), (tonic, 1)] == [(chord.root, chord.quality) for chord in names if chord]


@given(CHORDS, BASES, st.lists(CHORDS, max_size=3))
def test_a_voicing_is_the_chord_within_reach(chord: int, base: int, past: list[int]) -> None:
    """A voicing has each tone of the chord once, three or four in all, ascending, whatever the previous chord was."""
    before: tuple[int, ...] = ()
    for other in past:
        before = voice_chord(other, base, before)
    notes = voice_chord(chord, base, before)
    assert CHORD_BITS[chord] == pitch_class_bits(notes)
    assert len(QUALITIES[chord % len(QUALITIES)][1]) == len(notes)
    assert list(notes) == sorted(set(notes))
    assert base <= notes[0]
    assert notes[-1] <= base + REACH


@given(CHORDS, CHORDS, st.integers(0, 60), st.integers(1, 30))
def test_voicings_move_with_the_music(first: int, second: int, base: int, semitones: int) -> None:
    """Transposed chords, base and previous chord give the transposed voicing."""

    def higher(chord: int) -> int:
        """Return the chord transposed."""
        return (chord + len(QUALITIES) * semitones) % CHORD_COUNT

    here = voice_chord(second, base, voice_chord(first, base, ()))
    there = base + semitones
    moved = voice_chord(higher(second), there, voice_chord(higher(first), there, ()))
    assert tuple(note + semitones for note in here) == moved


def test_the_first_chord_stands_on_its_root() -> None:
    """The first chord has its root as the lowest note."""
    assert [0, 5, 7, 9] == [voice_chord(chord, 48, ())[0] % 12 for chord in (C, F, G7, AM)]


def test_the_hands_stay_near() -> None:
    """From C to F and to A minor common tones stay, and the other tones move by steps."""
    c = voice_chord(C, 48, (52, 55, 60))
    for chord in (F, AM):
        notes = voice_chord(chord, 48, c)
        assert set(c) & set(notes)
        assert max(min(abs(note - old) for old in c) for note in notes) <= 2


@given(st.integers(0, 11), st.sampled_from([0, 1]))
def test_in_a_locked_scale_all_tones_are_in_it(tonic: int, mode: int) -> None:
    """In a locked scale exactly the chords of the scale are legal, and hold only while a note sounds."""
    scale = int(SCALE_BITS[mode])
    moved = ((scale << tonic) | (scale >> (12 - tonic))) & 0xFFF
    mask = legal_chords(tonic, is_sounding=False, pitch_classes=moved)
    expected = {
        action
        for action in range(FIRST_ONSET, CHORD_ACTION_COUNT)
        if pitch_class_bits(action_to_chord_gesture(action, tonic, 48, ()).notes) & ~moved == 0
    }
    assert expected | {REST_ACTION} == set(mask.nonzero()[0].tolist())
    assert legal_chords(tonic, is_sounding=True, pitch_classes=None).all()
