"""The key and the chord that the player's notes imply."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.harmony import MAJOR_SHARE, ChordTracker, KeyTracker
from improviser.music.chord import CHORD_COUNT, NO_CHORD, Chord, chord_from_index
from improviser.music.pitch import parse_note, pitch_class_bits
from improviser.music.scale import ALL_KEYS, Key, Mode, parse_key
from tests.scales import in_key

# Openings of melodies in the public domain.
TUNES = {
    "C": "G4 E4 E4 F4 D4 D4 C4 D4 E4 F4 G4 G4 G4",
    "G": "D4 G4 G4 A4 B4 G4 B4 A4 D4 G4 G4 A4 B4 G4 F#4",
    "F": "C4 F4 F4 G4 A4 F4 A4 G4 C4 F4 F4 G4 A4 F4 E4",
    "Dm": "D4 A4 A4 G4 A4 F4 D4 C#4 D4 E4 F4 G4 A4 A4 D4",
    "Em": "E4 G4 A4 B4 C5 B4 A4 F#4 D4 E4 F#4 G4 E4 E4 D#4 E4",
}
QUARTER = ["C", "G", "Am", "F"]


def notes(text: str) -> list[int]:
    """Give the notes that `text` names."""
    return [parse_note(word) for word in text.split()]


def tracked(heard: list[int], tracker: KeyTracker | None = None) -> KeyTracker:
    """Give a tracker that has heard notes."""
    tracker = tracker or KeyTracker()
    for note in heard:
        tracker.hear(note)
    return tracker


def transposed(key: str, semitones: int) -> Key:
    """Give the key so many semitones higher."""
    written = parse_key(key)
    return Key((written.tonic + semitones) % 12, written.mode)


@pytest.mark.parametrize("semitones", range(-6, 6))
@pytest.mark.parametrize("key", TUNES)
def test_the_key_of_a_known_melody_is_found_in_every_transposition(key: str, semitones: int) -> None:
    """The opening of a tune tells its key, wherever it is sung."""
    heard = [note + semitones for note in notes(TUNES[key])]
    assert transposed(key, semitones) == tracked(heard).key


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_a_scale_and_its_triad_tell_their_key(key: Key) -> None:
    """In all 24 keys, the harmonic scale up and down and the triad are enough."""
    degrees = [0, 2, 4, 5, 7, 9, 11, 12] if key.mode is Mode.MAJOR else [0, 2, 3, 5, 7, 8, 11, 12]
    triad = [0, degrees[2], 7, 0]
    tracker = tracked([60 + key.tonic + degree for degree in (*degrees, *reversed(degrees), *triad)])
    assert key == tracker.key
    assert tracker.confidence > 0.5


def test_a_modulation_is_followed() -> None:
    """After four bars in C, two phrases in E flat are enough to be in E flat."""
    tune = notes(TUNES["C"])
    tracker = tracked(tune * 4)
    assert "C" == tracker.key.name
    raised = [note + 3 for note in tune]
    assert "Eb" == tracked(raised * 2, tracker).key.name


def test_one_foreign_note_is_no_modulation() -> None:
    """A chromatic passing note in C does not change the key."""
    assert "C" == tracked([*notes(TUNES["C"]), 66, 67], KeyTracker()).key.name


def test_at_first_every_tonic_is_as_likely() -> None:
    """Before the first note it is C major by convention, and hardly more likely than any other key."""
    tracker = KeyTracker()
    assert ("C", MAJOR_SHARE / 12, False) == (tracker.key.name, tracker.confidence, tracker.is_locked)


@pytest.mark.parametrize("note", range(60, 72))
def test_a_single_note_is_the_tonic_of_its_major_key(note: int) -> None:
    """The first note alone is taken for the tonic."""
    assert Key(note - 60, Mode.MAJOR) == tracked([note]).key


def test_confidence_grows_with_what_is_heard() -> None:
    """A tune makes its key surer than its first note does."""
    tune = notes(TUNES["C"])
    assert tracked(tune).confidence > tracked(tune[:1]).confidence > KeyTracker().confidence


def test_a_locked_key_stays() -> None:
    """Whatever is heard, the locked key stays, and is certain."""
    tracker = tracked([60 + note for note in range(12)] * 3, KeyTracker(parse_key("F#m")))
    assert ("F#m", 1.0, True) == (tracker.key.name, tracker.confidence, tracker.is_locked)


def chords(bits: list[list[int]], key: str = "C") -> list[str | None]:
    """Give the chord's name after each step of sounding notes, four steps a beat."""
    tracker = ChordTracker(1, 4)
    names = []
    for sounding in bits:
        tracker.push(np.array([pitch_class_bits(sounding)]), np.array([parse_key(key).index]))
        chord = chord_from_index(int(tracker.chord[0]))
        names.append(None if chord is None else chord.name)
    return names


@pytest.mark.parametrize("quality", range(9))
@pytest.mark.parametrize("root", range(12))
def test_a_struck_chord_is_named(root: int, quality: int) -> None:
    """In a key that holds it each chord is named from its tones, an augmented triad from any of its roots."""
    chord = Chord(root, quality)
    key = next(key for key in ALL_KEYS if all(in_key(key, tone) for tone in chord.pitch_classes))
    named = chords([[*chord.pitch_classes]] * 4, key.name)[-1]
    same = {
        Chord(root, quality).name
        for root in range(12)
        if Chord(root, quality).pitch_classes == chord.pitch_classes
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
    """Silence implies nothing; a chord is forgotten some bars after it was left."""
    names = chords([[]] + [[60, 64, 67]] * 2 + [[]] * 60)
    assert (None, "C", None) == (names[0], names[3], names[-1])


def test_the_key_decides_between_chords_that_fit_as_well() -> None:
    """C and E alone are C major in C, and A minor is no better; in E they are not the chord of C sharp."""
    assert "C" == chords([[60, 64]] * 4, "C")[-1]
    assert "C" == chords([[60, 64]] * 4, "Em")[-1]


def test_every_lane_hears_its_own() -> None:
    """Lanes do not touch each other, and a copy goes its own way."""
    tracker = ChordTracker(2, 4)
    bits = np.array([pitch_class_bits([0, 4, 7]), 0])
    tracker.push(bits, np.array([0, 0]))
    twin = tracker.copy()
    twin.push(bits[::-1], np.array([0, 0]))
    assert [0, NO_CHORD] == tracker.chord.tolist()
    assert [0, 0] == twin.chord.tolist()


def test_transposing_the_music_transposes_the_chord() -> None:
    """In a key that moves along, the same notes imply the same chord, moved along, ties too."""
    rng = np.random.default_rng(8)
    lanes, semitones = 12, np.arange(12)
    tracker = ChordTracker(lanes, 4)
    for _ in range(300):
        pitch_classes = rng.integers(12, size=rng.integers(4))
        tracker.push(
            np.array([pitch_class_bits((pitch_classes + up).tolist()) for up in semitones]),
            np.array([Key(int(up), Mode.MAJOR).index for up in semitones]),
        )
        moved = np.where(tracker.chord < 0, NO_CHORD, (tracker.chord - semitones * 9) % CHORD_COUNT)
        assert 1 == len(set(moved.tolist()))
