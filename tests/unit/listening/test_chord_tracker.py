"""The chord that the player's notes imply."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.chord_tracker import ChordTracker
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_COUNT, NO_CHORD, Chord, chord_from_index
from improviser.music.pitch import IntArray, pitch_class_bits
from improviser.music.scale import ALL_KEYS, KEY_COUNT, Key, Mode, parse_key
from tests.scales import in_key

QUARTER = ["C", "G", "Am", "F"]


def level(step: int, lanes: int = 1) -> IntArray:
    """Return the metrical strength of a step in four quarters, for each lane."""
    return np.full(lanes, LEVELS[0, step % 16])


def chords(bits: list[list[int]], key: str = "C") -> list[str | None]:
    """Return the chord's name after each step of sounding notes, four steps a beat."""
    tracker = ChordTracker(1, 4)
    names = []
    for step, sounding in enumerate(bits):
        tracker.push(np.array([pitch_class_bits(sounding)]), np.array([parse_key(key).index]), level(step))
        chord = chord_from_index(int(tracker.chord[0]))
        names.append(None if chord is None else chord.name)
    return names


@pytest.mark.parametrize("quality", range(9))
@pytest.mark.parametrize("root", range(12))
def test_a_struck_chord_is_named(root: int, quality: int) -> None:
    """Each chord is named from its tones in a key that holds it, an augmented triad by any of its roots."""
    chord = Chord(root, quality)
    key = next(key for key in ALL_KEYS if all(in_key(key, tone) for tone in chord.pitch_classes))
    named = chords([[*chord.pitch_classes]] * 4, key.name)[-1]
    same = {
        Chord(root, quality).name for root in range(12) if Chord(root, quality).pitch_classes == chord.pitch_classes
    }
    assert named in same


@pytest.mark.parametrize(
    ("name", "tones"),
    [("C", [60, 64, 67]), ("Am", [57, 60, 64]), ("F", [65, 69, 72]), ("Bdim", [59, 62, 65])],
)
def test_an_arpeggio_is_named(name: str, tones: list[int]) -> None:
    """The tones of a triad, one after the other in eighths, imply it."""
    steps = [[tone] for tone in (*tones, tones[1], *tones) for _ in range(2)]
    assert name == chords(steps)[-1]


def test_a_progression_is_followed() -> None:
    """Held for a bar each, I V vi IV are named in turn."""
    tones = [[60, 64, 67], [55, 59, 62], [57, 60, 64], [53, 57, 60]]
    assert QUARTER == chords([chord for chord in tones for _ in range(16)])[15::16]


def test_before_the_first_note_and_long_after_the_last_there_is_no_chord() -> None:
    """Silence implies no chord; a chord is dropped some bars after its last note."""
    names = chords([[]] + [[60, 64, 67]] * 2 + [[]] * 60)
    assert (None, "C", None) == (names[0], names[3], names[-1])


def test_the_key_decides_between_chords_that_fit_as_well() -> None:
    """C and E alone are the tonic in C major, and the subdominant in E minor."""
    assert "C" == chords([[60, 64]] * 4, "C")[-1]
    assert "Am" == chords([[60, 64]] * 4, "Em")[-1]


def test_every_lane_hears_its_own() -> None:
    """Lanes are independent, and so is a copy."""
    tracker = ChordTracker(2, 4)
    bits = np.array([pitch_class_bits([0, 4, 7]), 0])
    tracker.push(bits, np.array([0, 0]), level(0, 2))
    twin = tracker.copy()
    twin.push(bits[::-1], np.array([0, 0]), level(1, 2))
    assert [0, NO_CHORD] == tracker.chord.tolist()
    assert [0, 0] == twin.chord.tolist()


def test_transposing_the_music_transposes_the_chord() -> None:
    """Transposed notes in a transposed key imply the transposed chord, also on ties."""
    rng = np.random.default_rng(8)
    lanes, semitones = 12, np.arange(12)
    tracker = ChordTracker(lanes, 4)
    for step in range(300):
        pitch_classes = rng.integers(12, size=rng.integers(4))
        tracker.push(
            np.array([pitch_class_bits((pitch_classes + up).tolist()) for up in semitones]),
            np.array([Key(int(up), Mode.MAJOR).index for up in semitones]),
            level(step, lanes),
        )
        moved = np.where(tracker.chord < 0, NO_CHORD, (tracker.chord - semitones * 9) % CHORD_COUNT)
        assert 1 == len(set(moved.tolist()))


def test_lanes_together_hear_what_each_hears_alone() -> None:
    """Many lanes give the same results as each alone, bit for bit, while keys change."""
    rng = np.random.default_rng(9)
    lanes, steps = 40, 160
    bits = rng.integers(1 << 12, size=(steps, lanes)) & rng.integers(1 << 12, size=(steps, lanes))
    bits[rng.random(bits.shape) < 0.3] = 0
    keys = np.repeat(rng.integers(KEY_COUNT, size=(steps // 32, lanes)), 32, axis=0)
    together, alone = ChordTracker(lanes, 4), [ChordTracker(1, 4) for _ in range(lanes)]
    for step in range(steps):
        together.push(bits[step], keys[step], level(step, lanes))
        for lane, one in enumerate(alone):
            one.push(bits[step, lane : lane + 1], keys[step, lane : lane + 1], level(step))
        assert together.chord.tolist() == [int(one.chord[0]) for one in alone]


def test_a_held_chord_does_not_flicker() -> None:
    """The name stays as long as no note begins."""
    names = chords([[60, 64, 67]] * 32)
    assert {"C"} == set(names)


def test_a_passing_note_between_beats_does_not_change_the_chord() -> None:
    """Passing second and fourth degrees do not change a held triad."""
    held = [60, 64, 67]
    bar = [[*held]] * 4 + [[*held]] * 2 + [[60, 65, 67]] * 2 + [[*held]] * 4 + [[*held]] * 2 + [[62, 64, 67]] * 2
    assert {"C"} == set(chords(bar * 2))
