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
    HAND_HIGH,
    HAND_LOW,
    action_to_chord_gesture,
    legal_chords,
    voice_chord,
)

CHORDS = st.integers(0, CHORD_COUNT - 1)
BASES = st.integers(8, 91)
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
def test_a_voicing_is_the_chord_on_its_root(chord: int, base: int, past: list[int]) -> None:
    """Whatever came before: the root, and three tones in close position above, within the hand's reach."""
    before: tuple[int, ...] = ()
    for other in past:
        before = voice_chord(other, base, before)
    notes = voice_chord(chord, base, before)
    assert CHORD_BITS[chord] == pitch_class_bits(notes)
    assert chord // len(QUALITIES) == notes[0] % 12
    assert 4 == len(notes)
    assert list(notes) == sorted(set(notes))
    assert base - 7 <= notes[0] <= notes[1] - 5
    assert base + HAND_LOW <= notes[1]
    assert notes[3] <= min(base + HAND_HIGH, notes[1] + 11)


@given(CHORDS, CHORDS, st.integers(8, 60), st.integers(1, 30))
def test_voicings_move_with_the_music(first: int, second: int, base: int, semitones: int) -> None:
    """Transposed chords, base and previous chord give the transposed voicing."""

    def higher(chord: int) -> int:
        """Return the chord transposed."""
        return (chord + len(QUALITIES) * semitones) % CHORD_COUNT

    here = voice_chord(second, base, voice_chord(first, base, ()))
    there = base + semitones
    moved = voice_chord(higher(second), there, voice_chord(higher(first), there, ()))
    assert tuple(note + semitones for note in here) == moved


def test_every_chord_stands_on_its_root() -> None:
    """The root is the lowest note of the first chord and of those after it, C at C3."""
    before: tuple[int, ...] = ()
    lowest = []
    for chord in (C, F, G7, AM):
        before = voice_chord(chord, 48, before)
        lowest.append(before[0])
    assert [48, 41, 43, 45] == lowest
    assert 12 == voice_chord(C, 0, ())[0]


def test_the_hand_stays_near() -> None:
    """From C to F and to A minor common tones above the root stay, and the other tones move by steps."""
    c = voice_chord(C, 48, (48, 55, 60, 64))
    assert (48, 55, 60, 64) == c
    for chord in (F, AM):
        above = voice_chord(chord, 48, c)[1:]
        assert set(c[1:]) & set(above)
        assert max(min(abs(note - old) for old in c[1:]) for note in above) <= 2


def test_chords_keep_out_of_the_players_hands() -> None:
    """Below a tune they lie lower if they can; beside two hands the root is below them and the tones are above.

    Where there is no room around the hands, or a tune only dips into the chord's place, they stay where they are.
    """
    usual = voice_chord(C, 48, ())
    assert usual == voice_chord(C, 48, (), (72, 84))
    assert (48, 55, 60, 64) == usual
    assert ((41, 57, 60, 65), (41, 53, 57, 60)) == (voice_chord(F, 48, ()), voice_chord(F, 48, (), (62, 84)))
    assert (36, 72, 76, 79) == voice_chord(C, 48, (), (43, 71))
    assert (36, 76, 79, 84) == voice_chord(C, 48, (36, 76, 79, 83), (43, 71))
    assert usual == voice_chord(C, 48, (), (30, 71))  # no room below
    assert usual == voice_chord(C, 48, (), (43, 88))  # no room above
    assert 48 == voice_chord(C, 48, (), (60, 84))[0]


@given(CHORDS, BASES, st.integers(28, 70), st.integers(0, 40))
def test_a_chord_around_the_hands_is_the_chord_on_its_root(chord: int, base: int, low: int, span: int) -> None:
    """Wherever the hands are, the chord has its root below and all its tones."""
    notes = voice_chord(chord, base, (), (low, low + span))
    assert CHORD_BITS[chord] == pitch_class_bits(notes)
    assert chord // len(QUALITIES) == notes[0] % 12
    assert list(notes) == sorted(set(notes))
    assert len(notes) == 4


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
