"""The key that the player's notes imply."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from improviser.listening.cue import CUE_COUNT, CUE_ROTATIONS, LONGEST_GAP_BEATS, MOST_CUES, Cues
from improviser.listening.key_tracker import KeyTracker
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import parse_note
from improviser.music.scale import ALL_KEYS, Key, Mode, parse_key

WALTZ = METERS.index(Meter(3, 4))
# Melodies in the public domain: row of METERS, beat of the first note, notes with their lengths in beats.
TUNES = {
    "C": (0, 0, ("G4:1 E4:1 E4:2 F4:1 D4:1 D4:2 C4:1 D4:1 E4:1 F4:1 G4:1 G4:1 G4:2 G4:1 E4:1 E4:2 F4:1 D4:1"
     " D4:2 C4:1 E4:1 G4:1 G4:1 C4:4")),
    "F": (WALTZ, 2, "C4:1 F4:2 A4:1 C5:2 A4:1 Bb4:1 A4:1 G4:1 F4:2 C4:1 F4:1 E4:1 F4:1 G4:1 A4:1 G4:1 F4:3"),
    "Dm": (0, 3, "A4:1 D5:1 E5:1 F5:1 E5:1 D5:1 C#5:1 D5:2 A4:1 F4:1 G4:1 A4:1 D4:1 E4:1 C#4:1 D4:3"),
    "Em": (0, 0, "E4:1 G4:1 A4:1 B4:1 C5:1 B4:1 A4:1 F#4:1 E4:1 F#4:1 G4:1 E4:1 D#4:1 F#4:1 B3:1 D#4:1 E4:4"),
}  # fmt: skip
Onset = tuple[int, float]


def onsets(key: str) -> list[Onset]:
    """Return a tune's notes and their beats."""
    _, beat, text = TUNES[key]
    heard: list[Onset] = []
    at = float(beat)
    for word in text.split():
        note, length = word.split(":")
        heard.append((parse_note(note), at))
        at += float(length)
    return heard


def moved(heard: list[Onset], semitones: int = 0, beats: float = 0) -> list[Onset]:
    """Return the onsets some semitones higher and some beats later."""
    return [(note + semitones, beat + beats) for note, beat in heard]


def tracked(heard: list[Onset], tracker: KeyTracker | None = None, meter_row: int = 0) -> KeyTracker:
    """Return a tracker that has heard onsets."""
    tracker = tracker or KeyTracker(meter_row=meter_row)
    for note, beat in heard:
        tracker.add_note(note, beat)
    return tracker


def transposed(key: Key, semitones: int) -> Key:
    """Return the key some semitones higher."""
    return Key((key.tonic + semitones) % 12, key.mode)


def answers(heard: list[Onset], tracker: KeyTracker) -> list[str]:
    """Return the name of the key after each onset."""
    return [tracked([onset], tracker).key.name for onset in heard]


@pytest.mark.parametrize("semitones", range(-6, 6))
@pytest.mark.parametrize("key", TUNES)
def test_the_key_of_a_known_melody_is_found_in_every_transposition(key: str, semitones: int) -> None:
    """The key of a known tune is found in every transposition."""
    heard = moved(onsets(key), semitones)
    assert transposed(parse_key(key), semitones) == tracked(heard, meter_row=TUNES[key][0]).key


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_a_scale_and_its_triad_tell_their_key(key: Key) -> None:
    """In all 24 keys the harmonic scale up and down and the triad are enough."""
    degrees = [0, 2, 4, 5, 7, 9, 11, 12] if key.mode is Mode.MAJOR else [0, 2, 3, 5, 7, 8, 11, 12]
    scale = [60 + key.tonic + degree for degree in (*degrees, *reversed(degrees), 0, degrees[2], 7, 0)]
    tracker = tracked([(note, beat / 2) for beat, note in enumerate(scale)])
    assert key == tracker.key
    assert tracker.confidence > 0.5


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("semitones", range(12))
def test_chords_tell_their_key(semitones: int, order: int) -> None:
    """I IV V I, struck from below or from above, is in its key."""
    chords = [(48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (48, 60, 64, 67)]
    heard = [(note, float(beat)) for beat, chord in enumerate(chords) for note in chord[::order]]
    assert transposed(ALL_KEYS[0], semitones) == tracked(moved(heard, semitones)).key


def test_a_modulation_is_followed() -> None:
    """After two rounds in C, a round in E flat ends in E flat, and all of the next is in it."""
    tune = onsets("C")
    tracker = tracked([*tune, *moved(tune, 0, 32)])
    assert "C" == tracker.key.name
    assert "Eb" == answers(moved(tune, 3, 64), tracker)[-1]
    assert {"Eb"} == set(answers(moved(tune, 3, 96), tracker))


@pytest.mark.parametrize("note", [61, 63, 66, 68, 70])
def test_one_foreign_note_is_no_modulation(note: int) -> None:
    """A chromatic neighbour in C does not change the key."""
    foreign = [(note, 32.0), (note + 1, 32.5)]
    assert ["C", "C"] == answers(foreign, tracked(onsets("C")))


def test_the_key_does_not_flicker() -> None:
    """Once found, the key of a repeated tune stays."""
    tracker = tracked(onsets("C"))
    heard = [onset for time in range(1, 5) for onset in moved(onsets("C"), 0, 32.0 * time)]
    assert {"C"} == set(answers(heard, tracker))


def test_another_key_has_to_be_clearly_likelier() -> None:
    """More hysteresis gives no more changes, and the reported key is not always the likeliest."""
    rng = np.random.default_rng(3)
    heard = [(int(note), float(beat)) for beat, note in enumerate(rng.integers(48, 72, 300))]
    changes = []
    for hysteresis in (1.0, 1.5, 4.0):
        names = answers(heard, KeyTracker(hysteresis=hysteresis))
        changes.append(sum(one != other for one, other in itertools.pairwise(names)))
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > changes[-1]


def test_at_first_every_tonic_is_as_likely() -> None:
    """Before the first note the key is C major by convention, with no more confidence than other major keys."""
    tracker = KeyTracker()
    assert ("C", False) == (tracker.key.name, tracker.is_locked)
    assert pytest.approx([tracker.confidence] * 12) == tracker.posterior[:12].tolist()
    assert tracker.confidence < 1 / 12


@pytest.mark.parametrize("note", range(60, 72))
def test_a_first_note_tells_the_same_wherever_it_is(note: int) -> None:
    """The first note alone gives a key, at the same interval for every note."""
    assert transposed(tracked([(60, 0.0)]).key, note - 60) == tracked([(note, 0.0)]).key


def test_confidence_grows_with_what_is_heard() -> None:
    """A whole tune gives more confidence than its first note."""
    tune = onsets("C")
    assert tracked(tune).confidence > tracked(tune[:1]).confidence > KeyTracker().confidence


def test_probabilities_sum_to_one_whatever_is_heard() -> None:
    """After clusters, hours of silence and times that go back the probabilities still sum to 1."""
    rng = np.random.default_rng(5)
    tracker, beat = KeyTracker(), -3.0
    for note in rng.integers(128, size=400).tolist():
        beat += float(rng.choice([0.0, 0.0, 0.25, 1.0, 1e6, -2.0]))
        tracker.add_note(note, beat)
        assert pytest.approx(1) == tracker.posterior.sum()
        assert 0 < tracker.confidence <= 1


def test_a_silence_is_no_modulation() -> None:
    """An hour's silence does not change the key, and neither do the next notes of the tune."""
    assert {"C"} == set(answers(moved(onsets("C"), 0, 7200.0), tracked(onsets("C"))))


def test_a_locked_key_stays() -> None:
    """A locked key stays certain, whatever is heard."""
    chromatic = [(60 + beat % 12, float(beat)) for beat in range(36)]
    tracker = tracked(chromatic, KeyTracker(parse_key("F#m")))
    assert ("F#m", 1.0, True) == (tracker.key.name, tracker.confidence, tracker.is_locked)


def test_what_was_told_of_the_keys_stays_as_it_was() -> None:
    """The returned probabilities are a copy."""
    tracker = KeyTracker()
    tracker.posterior[:] = 0
    assert tracker.confidence > 0


@pytest.mark.parametrize("semitones", range(12))
def test_transposing_moves_each_cue_to_the_row_of_another_tonic(semitones: int) -> None:
    """Cues of transposed music, seen from the transposed tonic, equal those of the music."""
    rng = np.random.default_rng(7)
    here, there = Cues(), Cues()
    for note, gap in zip(rng.integers(30, 90, 200).tolist(), rng.integers(0, 12, 200).tolist(), strict=True):
        beat = 3.0 + gap / 3
        rows, gap_beats = here.add_note(note, beat)
        other, _ = there.add_note(note + semitones, beat)
        assert CUE_ROTATIONS[rows, 0].tolist() == CUE_ROTATIONS[other, semitones].tolist()
        assert len(rows) <= MOST_CUES
        assert 0 <= gap_beats <= LONGEST_GAP_BEATS


def test_each_tonic_sees_every_cue_once() -> None:
    """A rotation is a permutation of the rows."""
    assert all(sorted(rows) == list(range(CUE_COUNT)) for rows in CUE_ROTATIONS.T.tolist())


def test_a_lock_that_is_let_go_leaves_what_was_heard() -> None:
    """After unlocking the key is the likeliest one of what was heard, or stays if nothing was heard."""
    tracker = KeyTracker(parse_key("Eb"))
    tracker.lock(None)
    assert ("Eb", False) == (tracker.key.name, tracker.is_locked)
    tracker.lock(parse_key("F#"))
    tracked(onsets("F"), tracker)
    assert ("F#", 1.0) == (tracker.key.name, tracker.confidence)
    tracker.lock(None)
    assert "F" == tracker.key.name
