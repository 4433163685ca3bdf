"""The chord behind what players play, as the harmony network hears it."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.harmony.harmony_inputs import LAG_BARS, WIDTH, HarmonyInputs, Sounding
from improviser.listening.harmony.harmony_network import (
    SHAPES,
    HarmonyNetwork,
    network_bytes,
    read_network,
    shipped_network,
)
from improviser.listening.harmony.harmony_tracker import NOT_GIVEN, HarmonyTracker
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_COUNT, NO_CHORD, QUALITY_COUNT, chord_from_index
from improviser.music.pitch import OCTAVE, IntArray

QUARTER = [[60, 64, 67], [55, 59, 62], [57, 60, 64], [53, 57, 60]]
BAR = 16


def level(step: int, lanes: int = 1) -> IntArray:
    """Return the metrical strength of a step in four quarters, for each lane."""
    return np.full(lanes, LEVELS[0, step % BAR])


def sounding(lanes: list[list[int]], *, struck: bool) -> Sounding:
    """Return what sounds in a step, for each lane; the highest note is `struck` in it or not."""
    bits = [sum(1 << pitch_class for pitch_class in {note % OCTAVE for note in notes}) for notes in lanes]
    return Sounding(
        np.array(bits),
        np.array([min(notes, default=-1) for notes in lanes]),
        np.array([max(notes, default=-1) for notes in lanes]),
        np.array([struck and bool(notes) for notes in lanes]),
    )


def push(tracker: HarmonyTracker, step: int, *lanes: list[int], struck: bool | None = None) -> None:
    """Push a step of four quarters; without `struck`, notes are struck at each beat."""
    is_struck = step % 4 == 0 if struck is None else struck
    tracker.push(sounding(list(lanes), struck=is_struck), level(step, len(lanes)), np.full(len(lanes), BAR))


def names(bars: list[list[int]], steps: int = BAR) -> list[str | None]:
    """Return the chord's name after each step of notes that sound for some steps each."""
    tracker, found = HarmonyTracker(1, 4), []
    for step in range(len(bars) * steps):
        push(tracker, step, bars[step // steps])
        chord = chord_from_index(int(tracker.chord[0]))
        found.append(None if chord is None else chord.name)
    return found


def test_a_progression_is_followed() -> None:
    """Held for a bar each, I V vi IV are named in turn, from the first beat of each bar."""
    assert ["C", "G", "Am", "F"] * 2 == names(QUARTER * 2)[3::BAR]


@pytest.mark.parametrize("root", range(12))
def test_major_and_minor_triads_are_named(root: int) -> None:
    """A triad that is held for a bar is named, on every root."""
    for suffix, third in (("", 4), ("m", 3)):
        found = names([[48 + root, 60 + root + third, 60 + root + 7]])[-1]
        chord = chord_from_index(root * QUALITY_COUNT + (third == 3))
        assert chord is not None
        assert chord.name == found, suffix


def test_before_the_first_note_and_long_after_the_last_there_is_no_chord() -> None:
    """Silence implies no chord; a chord is dropped some bars after its last note."""
    found = names([[]] + [[60, 64, 67]] * 2 + [[]] * 3)
    assert (None, "C", None) == (found[0], found[2 * BAR], found[-1])


def test_a_held_chord_does_not_flicker() -> None:
    """The name stays as long as nothing new begins."""
    assert {"C"} == set(names([[60, 64, 67]] * 2)[1:])


@pytest.mark.parametrize("bars", [6, 8, 10, 13, 16])
def test_a_form_of_any_length_tells_what_the_tune_does_not(bars: int) -> None:
    """Where a tune was heard with its chords once, it brings most of them back alone, and few to who heard it alone."""
    shares = {is_heard: recalled_share(bars, is_heard=is_heard) for is_heard in (True, False)}
    assert shares[True] >= 0.55
    assert shares[True] > shares[False] + 0.3


def recalled_share(bars: int, *, is_heard: bool) -> float:
    """Return the share of right roots below a tune alone in its second round; its chords were heard before, or not."""
    rng = np.random.default_rng(bars)
    chords = [QUARTER[int(rng.integers(4))] for _ in range(bars)]
    tune = [[72 + int(note) for note in rng.choice([0, 2, 4, 5, 7, 9, 11], 4)] for _ in range(bars)]
    tracker, right = HarmonyTracker(1, 4), []
    for step in range(2 * bars * BAR):
        bar = step // BAR % bars
        below = chords[bar] if is_heard and step < bars * BAR else []
        push(tracker, step, [*below, tune[bar][step % BAR // 4]])
        if step >= bars * BAR:
            right.append(int(tracker.chord[0]) // QUALITY_COUNT == chords[bar][0] % OCTAVE)
    return float(np.mean(right))


def test_every_lane_hears_its_own_and_so_does_a_copy() -> None:
    """Lanes are independent; what a copy hears does not change the tracker."""
    tracker = HarmonyTracker(2, 4)
    push(tracker, 0, [60, 64, 67], [])
    twin = tracker.chosen(np.arange(len(tracker.chord)))
    for step in range(1, 8):
        push(twin, step, [], [53, 57, 60, 65])
    assert [0, NO_CHORD] == tracker.chord.tolist()
    assert 5 == twin.chord[1] // QUALITY_COUNT


def test_transposing_the_music_transposes_the_chord() -> None:
    """All twelve transpositions of random music imply the same chord, moved."""
    rng = np.random.default_rng(8)
    tracker = HarmonyTracker(OCTAVE, 4)
    for step in range(200):
        notes = rng.integers(48, 72, size=rng.integers(4)).tolist()
        push(tracker, step, *([note + up for note in notes] for up in range(OCTAVE)))
        moved = np.where(tracker.chord < 0, NO_CHORD, (tracker.chord - np.arange(OCTAVE) * QUALITY_COUNT) % CHORD_COUNT)
        assert 1 == len(set(moved.tolist()))
        assert np.ptp(tracker.confidence) < 1e-4


def test_lanes_together_hear_what_each_hears_alone() -> None:
    """Many lanes give the same chords as each alone."""
    rng = np.random.default_rng(9)
    lanes = 12
    together, alone = HarmonyTracker(lanes, 4), [HarmonyTracker(1, 4) for _ in range(lanes)]
    for step in range(80):
        notes = [rng.integers(48, 72, size=rng.integers(4)).tolist() for _ in range(lanes)]
        push(together, step, *notes)
        for lane, one in enumerate(alone):
            push(one, step, notes[lane])
        assert together.chord.tolist() == [int(one.chord[0]) for one in alone]


@pytest.mark.parametrize("steps_per_beat", [1, 2, 3])
def test_a_coarser_grid_hears_as_the_finest(steps_per_beat: int) -> None:
    """A step is as many sixteenths as pass in it, so the same chords have the same names."""
    tracker, fine = HarmonyTracker(1, steps_per_beat), HarmonyTracker(1, 4)
    bar = 4 * steps_per_beat
    for beat in range(32):
        notes = QUARTER[beat // 4 % 4]
        for step in range(beat * 4, beat * 4 + 4):
            push(fine, step, notes)
        for part in range(steps_per_beat):
            strength = level(beat * 4) if not part else np.zeros(1, dtype=np.int64)
            tracker.push(sounding([notes], struck=not part), strength, np.array([bar]))
        assert tracker.chord[0] == fine.chord[0], beat


def test_the_inputs_by_hand() -> None:
    """The views show what begins, sounds, is lowest and highest as degrees; the past returns after its bars."""
    inputs = HarmonyInputs(1)
    first = inputs.push(sounding([[60, 64]], struck=True), np.array([4]), np.array([BAR]))
    assert (1, OCTAVE, WIDTH) == first.shape
    assert [0, 4] == np.flatnonzero(first[0, 0, :12]).tolist() == np.flatnonzero(first[0, 0, 12:24]).tolist()
    assert [[0], [4]] == [np.flatnonzero(first[0, 0, at : at + 12]).tolist() for at in (24, 36)]
    assert [0, 8] == np.flatnonzero(first[0, 4, :12]).tolist()  # C and E above E
    for _ in range(LAG_BARS[0] * BAR - 1):
        held = inputs.push(sounding([[60]], struck=False), np.array([0]), np.array([BAR]))
    assert [] == np.flatnonzero(held[0, 0, :12]).tolist()
    again = inputs.push(sounding([[60, 64]], struck=True), np.array([4]), np.array([BAR]))
    assert [0, 4] == np.flatnonzero(again[0, 0, 48:60]).tolist()  # four bars ago
    assert [0] == np.flatnonzero(again[0, 0, 60:72]).tolist()  # what followed then
    assert [1.0, 0.0, 0.0] == again[0, 0, -len(LAG_BARS) - 1 : -1].tolist()  # just like four bars ago


def test_a_tune_recalls_what_was_below_it() -> None:
    """Where the top line is that of five bars ago, what sounded there is shown, and what followed.

    The tune of a bar has chords below it; four bars of other notes follow, then the tune alone.
    """
    tune = [72, 74, 76, 77, 79, 77, 76, 74]
    inputs, bars = HarmonyInputs(1), [[[48, 52, note] for note in tune], *[[[62 + bar]] * 8 for bar in range(4)]]
    for notes in [*bars, [[note] for note in tune]]:
        for step in range(BAR):
            sound = sounding([notes[step // 2]], struck=step % 2 == 0)
            shown = inputs.push(sound, np.array([0]), np.array([BAR]))
    recalled = shown[0, 0, :-9][-3 * OCTAVE :].reshape(3, OCTAVE)
    assert [0, 2, 4] == np.flatnonzero(recalled[0]).tolist()  # C and E, and the tune's D
    assert [2] == np.flatnonzero(recalled[1]).tolist()  # what came in the half bar after
    assert [0] == np.flatnonzero(recalled[2]).tolist()  # its lowest note
    assert shown[0, 0, -1] > 0.6


def test_the_chords_below_a_tune_are_known_when_it_comes_again() -> None:
    """Eight bars with chords, then the tune alone: its chords are known."""
    chords = [
        (48, 52, 55),
        (52, 55, 59),
        (53, 57, 60),
        (50, 53, 57),
        (43, 47, 50),
        (45, 48, 52),
        (53, 57, 60),
        (43, 47, 50),
    ]
    tune = [(76, 76, 74, 72), (71, 71, 72, 74), (72, 72, 72, 69), (74, 74, 72, 69), (74, 74, 79, 74), (72, 72, 72, 76)]
    tune += [(76, 76, 77, 76), (74, 74, 71, 74)]
    first, again = HarmonyTracker(1, 4), HarmonyTracker(1, 4)
    heard: dict[str, list[bool]] = {"first": [], "again": []}
    for step in range(16 * BAR):
        bar, beat = step // BAR % 8, step % BAR // 4
        below = [*chords[bar]] if step < 8 * BAR else []
        push(again, step, [*below, tune[bar][beat]])
        push(first, step, [tune[bar][beat]])
        root = chords[bar][0] % OCTAVE
        if step < 8 * BAR:
            heard["first"].append(int(first.chord[0]) // QUALITY_COUNT == root)
        elif bar:  # in the first bar it is not known yet that it comes again
            heard["again"].append(int(again.chord[0]) // QUALITY_COUNT == root)
    assert np.mean(heard["first"]) < 0.4
    assert np.mean(heard["again"]) > 0.6


def test_a_network_is_read_as_it_was_written() -> None:
    """The numbers survive with half precision; a missing array is an error."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    network, again = HarmonyNetwork(arrays), read_network(network_bytes(arrays))
    state = rng.normal(size=network.silence(2).shape).astype(np.float32)
    assert network.read(state).keys == pytest.approx(again.read(state).keys, abs=0.05)
    with pytest.raises(ValueError, match="too long"):
        read_network(network_bytes(arrays) + b"\0\0")
    with pytest.raises(ValueError, match=r"no array none\.bias"):
        HarmonyNetwork({name: array for name, array in arrays.items() if name != "none.bias"})


def test_the_probabilities_sum_to_one() -> None:
    """Chords of each time ahead, and keys, are probabilities."""
    network = shipped_network()
    heard = network.read(network.silence(3))
    for probabilities in (heard.chords, heard.keys):
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0, rtol=1e-5)


def test_a_chart_is_believed_until_the_player_clearly_plays_another_chord() -> None:
    """In silence and below passing notes the chart's chord stands; a bar of another chord overrules it."""
    given, tracker = np.full((1, 2), 5 * QUALITY_COUNT), HarmonyTracker(1, 4)
    for step in range(3 * BAR):
        tracker.push(sounding([[]], struck=False), level(step), np.array([BAR]), given)
    assert given[0, 0] == tracker.chord
    assert tracker.confidence[0] > 0.9
    for step in range(4):
        tracker.push(sounding([[67]], struck=step == 0), level(step), np.array([BAR]), given)
    assert given[0, 0] == tracker.chord
    for step in range(4 * BAR):
        chord = [54, 58, 61, 66]
        tracker.push(sounding([chord], struck=step % 4 == 0), level(step), np.array([BAR]), given)
    assert [6 * QUALITY_COUNT] == tracker.chord.tolist()


def test_a_chart_may_say_that_there_is_no_chord() -> None:
    """NO_CHORD of a chart is no chord, whatever the ear would make of a single note."""
    tracker = HarmonyTracker(1, 4)
    tracker.push(sounding([[60]], struck=True), level(0), np.array([BAR]), np.array([[NO_CHORD, 0]]))
    assert 0.8 < tracker.coming[0, 7]
    assert [NO_CHORD] == tracker.chord.tolist()


def test_lanes_may_have_charts_or_none() -> None:
    """A lane without a chart hears as if there were none; silence knows nothing there."""
    tracker, alone = HarmonyTracker(3, 4), HarmonyTracker(1, 4)
    given = np.array([[0, 5 * QUALITY_COUNT], [NOT_GIVEN, NOT_GIVEN], [NOT_GIVEN, NOT_GIVEN]])
    for step in range(8):
        lanes = [[], [60, 64, 67], []]
        tracker.push(sounding(lanes, struck=step == 0), level(step, 3), np.full(3, BAR), given)
        push(alone, step, [60, 64, 67], struck=step == 0)
    assert [0, int(alone.chord[0]), NO_CHORD] == tracker.chord.tolist()
    np.testing.assert_allclose(alone.tones[0], tracker.tones[1], rtol=1e-5)
    assert not tracker.tones[2].any()
    assert [0, 4, 7] == np.flatnonzero(tracker.tones[0] > 0.8).tolist()
    assert [0, 5, 9] == np.flatnonzero(tracker.coming[0] > 0.8).tolist()
