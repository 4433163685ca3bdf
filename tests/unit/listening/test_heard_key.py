"""The key that is assumed, with its hysteresis and its lock; and the key of known music."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.harmony.harmony_inputs import Sounding
from improviser.listening.harmony.harmony_tracker import HarmonyTracker
from improviser.listening.heard_key import HeardKey
from improviser.music.accent import LEVELS
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import OCTAVE, parse_note
from improviser.music.scale import ALL_KEYS, KEY_COUNT, Key, Mode, parse_key

WALTZ = METERS.index(Meter(3, 4))
# Melodies in the public domain: row of METERS, beat of the first note, notes with their lengths in beats.
TUNES = {
    "C": (0, 0, ("G4:1 E4:1 E4:2 F4:1 D4:1 D4:2 C4:1 D4:1 E4:1 F4:1 G4:1 G4:1 G4:2 G4:1 E4:1 E4:2 F4:1 D4:1"
     " D4:2 C4:1 E4:1 G4:1 G4:1 C4:4")),
    "F": (WALTZ, 2, "C4:1 F4:2 A4:1 C5:2 A4:1 Bb4:1 A4:1 G4:1 F4:2 C4:1 F4:1 E4:1 F4:1 G4:1 A4:1 G4:1 F4:3"),
    "Dm": (0, 3, "A4:1 D5:1 E5:1 F5:1 E5:1 D5:1 C#5:1 D5:2 A4:1 F4:1 G4:1 A4:1 D4:1 E4:1 C#4:1 D4:3"),
    "Em": (0, 0, "E4:1 G4:1 A4:1 B4:1 C5:1 B4:1 A4:1 F#4:1 E4:1 F#4:1 G4:1 E4:1 D#4:1 F#4:1 B3:1 D#4:1 E4:4"),
}  # fmt: skip


def chances(**keys: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return probabilities of the named keys; the rest is spread over all."""
    found = np.full(KEY_COUNT, (1 - sum(keys.values())) / KEY_COUNT)
    for name, chance in keys.items():
        found[parse_key(name).index] += chance
    return found


def sounds(name: str, semitones: int = 0) -> tuple[int, list[tuple[int, bool]]]:
    """Return the row of METERS of a tune and, for each sixteenth, its note, -1 for none, and whether it is struck."""
    row, beat, text = TUNES[name]
    found = [(-1, False)] * (4 * beat)
    for word in text.split():
        note, length = word.split(":")
        number = parse_note(note) + semitones
        found += [(number, step == 0) for step in range(4 * int(length))]
    return row, found


def heard(row: int, lanes: list[list[tuple[int, bool]]]) -> list[list[str]]:
    """Return the name of the key after each step, for each lane."""
    tracker, keys = HarmonyTracker(len(lanes), 4), [HeardKey() for _ in lanes]
    bar = METERS[row].bar_sixteenths
    found: list[list[str]] = [[] for _ in lanes]
    for step in range(len(lanes[0])):
        notes = np.array([lane[step][0] for lane in lanes])
        struck = np.array([lane[step][1] for lane in lanes])
        bits = np.where(notes < 0, 0, 1 << np.maximum(notes, 0) % OCTAVE)
        level = np.full(len(lanes), LEVELS[row, step % bar])
        tracker.push(Sounding(bits, notes, notes, struck), level, np.full(len(lanes), bar))
        for lane, key in enumerate(keys):
            if bits[lane]:
                key.follow(tracker.keys[lane])
            found[lane].append(key.key.name)
    return found


def moved(key: str, semitones: int) -> str:
    """Return the name of the key some semitones higher."""
    plain = parse_key(key)
    return Key((plain.tonic + semitones) % OCTAVE, plain.mode).name


@pytest.mark.parametrize("key", TUNES)
def test_the_key_of_a_known_melody_is_found_in_every_transposition(key: str) -> None:
    """The key of a known tune is found in every transposition."""
    row = TUNES[key][0]
    answers = heard(row, [sounds(key, semitones)[1] for semitones in range(-6, 6)])
    assert [moved(key, semitones) for semitones in range(-6, 6)] == [lane[-1] for lane in answers]


def test_a_modulation_is_followed() -> None:
    """After two rounds in C, a round in E flat ends in E flat, and all of the next is in it."""
    row, once = sounds("C")
    _, higher = sounds("C", 3)
    (answers,) = heard(row, [[*once, *once, *higher, *higher]])
    rounds = [answers[at : at + len(once)] for at in range(0, len(answers), len(once))]
    assert "C" == rounds[1][-1]
    assert "Eb" == rounds[2][-1]
    assert {"Eb"} == set(rounds[3])


@pytest.mark.parametrize("note", [61, 63, 66, 68, 70])
def test_one_foreign_note_is_no_modulation(note: int) -> None:
    """A chromatic neighbour in C does not change the key."""
    row, once = sounds("C")
    foreign = [(note, True), (note, False), (note + 1, True), (note + 1, False)]
    (answers,) = heard(row, [[*once, *foreign]])
    assert {"C"} == set(answers[-4:])


def test_the_key_does_not_flicker() -> None:
    """Once found, the key of a repeated tune stays."""
    row, once = sounds("C")
    (answers,) = heard(row, [once * 4])
    assert {"C"} == set(answers[len(once) :])


def test_at_first_it_is_c_major() -> None:
    """Before anything was heard the key is C major by convention, and as unlikely as every other."""
    key = HeardKey()
    assert ("C", False) == (key.key.name, key.is_locked)
    assert pytest.approx(1 / KEY_COUNT) == key.confidence


def test_the_first_answer_is_taken_at_once() -> None:
    """What is heard first needs no lead over the convention."""
    key = HeardKey()
    key.follow(chances(G=0.3, C=0.29))
    assert "G" == key.key.name


def test_another_key_has_to_be_clearly_likelier() -> None:
    """A key takes over with the lead that the hysteresis asks for, and not before."""
    key = HeardKey(hysteresis=2.0)
    key.follow(chances(G=0.4))
    key.follow(chances(G=0.3, D=0.5))
    assert "G" == key.key.name
    assert pytest.approx(0.3 + 0.2 / KEY_COUNT) == key.confidence
    key.follow(chances(G=0.2, D=0.6))
    assert "D" == key.key.name


def test_a_locked_key_stays() -> None:
    """A locked key stays certain, whatever is heard; let go, it is the likeliest one of what was heard."""
    key = HeardKey(parse_key("F#m"))
    key.lock(None)
    assert ("F#m", False) == (key.key.name, key.is_locked)
    key.lock(parse_key("Eb"))
    key.follow(chances(F=0.9))
    assert ("Eb", 1.0, True) == (key.key.name, key.confidence, key.is_locked)
    key.lock(None)
    assert "F" == key.key.name


@pytest.mark.parametrize("mode", Mode)
def test_a_scale_and_its_triad_tell_their_key(mode: Mode) -> None:
    """In all twelve keys of a mode the harmonic scale up and down and the triad are enough."""
    degrees = [0, 2, 4, 5, 7, 9, 11, 12] if mode is Mode.MAJOR else [0, 2, 3, 5, 7, 8, 11, 12]
    order = (*degrees, *reversed(degrees), 0, degrees[2], 7, 0)
    lanes = [[(60 + tonic + degree, step == 0) for degree in order for step in range(2)] for tonic in range(OCTAVE)]
    answers = heard(0, lanes)
    assert [key.name for key in ALL_KEYS if key.mode is mode] == [lane[-1] for lane in answers]
