"""The harmony of four voices, as chord labels."""

from __future__ import annotations

from improviser.listening.line import HOLD, REST
from improviser.music.chord import NO_CHORD, chord_from_index
from improviser.training.chorale_harmony import chord_events, chord_labels
from tests.tiny_corpus import to_events

# Soprano, alto, tenor, bass of I, IV, V7 with a passing note, I; then silence.
VOICES = [
    to_events("72 . . . 72 . . . 71 . . . 72 . . .", 20),
    to_events("67 . . . 69 . . . 67 . 65 . 64 . . .", 20),
    to_events("64 . . . 65 . . . 62 . . . 67 . . .", 20),
    to_events("48 . . . 53 . . . 55 . . . 48 . . .", 20),
]


def names(labels: list[int]) -> list[str | None]:
    """Return the names of chords."""
    return [None if chord is None else chord.name for chord in map(chord_from_index, labels)]


def test_each_beat_has_its_chord() -> None:
    """The four voices form C, F, G and C, and no chord in silence."""
    labels = chord_labels(VOICES, 4).tolist()
    assert ["C", "F", "C", None] == [*names(labels[:2]), *names(labels[3:])]
    assert labels[2] in {63, 67}  # G or G7
    assert NO_CHORD == labels[4]


def test_a_passing_note_makes_no_chord() -> None:
    """A sixteenth off the chord in one voice does not change the chord."""
    passing = [to_events("72 . . 74 72 . . .", 8), *(voice[:8] for voice in VOICES[1:])]
    assert ["C", "F"] == names(chord_labels(passing, 4).tolist())


def test_chords_are_struck_where_they_change_and_at_bar_lines() -> None:
    """A lasting chord is held, and struck again at the next bar; silence is a rest."""
    steady = [to_events("72 . . . . . . . . . . .", 16)] * 2 + [to_events("64 . . . . . . . . . . .", 16)]
    steady.append(to_events("48 . . . . . . . . . . .", 16))
    events = chord_events(steady, 4, 8).tolist()
    assert [0, *[HOLD] * 7, 0, *[HOLD] * 3, *[REST] * 4] == events
