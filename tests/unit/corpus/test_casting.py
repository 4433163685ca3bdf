"""What the parts of a piece are: by name, and by ear."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.corpus.casting import ACCOMPANIMENT, BASS, COUNTER, MELODY, NamedPart, cast, split_hands

BEAT = 24


def line(name: str, *notes: int) -> NamedPart:
    """Return a part of single notes, one a beat."""
    rows = [(beat * BEAT, BEAT, note) for beat, note in enumerate(notes)]
    return NamedPart(name, np.array(rows, dtype=np.int32))


def chords(name: str, *chords: tuple[int, ...]) -> NamedPart:
    """Return a part of chords, one a beat."""
    rows = [(beat * BEAT, BEAT, note) for beat, notes in enumerate(chords) for note in sorted(notes)]
    return NamedPart(name, np.array(rows, dtype=np.int32))


TUNE, LOW = (72, 74, 76, 77, 79, 77, 76, 74), (36, 43, 36, 43, 41, 43, 36, 36)
TRIADS = ((60, 64, 67), (60, 65, 69)) * 4


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (("MELODY", "BRIDGE", "PIANO"), (MELODY, COUNTER, ACCOMPANIMENT)),
        (("voice", "piano right", "piano left"), (MELODY, ACCOMPANIMENT, ACCOMPANIMENT)),
        (("solo", "bass"), (MELODY, BASS)),
        (("violin 1", "violin 2", "viola", "cello"), (MELODY, COUNTER, COUNTER, COUNTER)),
        (("voice", "voice 2"), (MELODY, COUNTER)),
    ],
)
def test_names_are_believed(names: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    """A part is what its name says, whatever it plays."""
    parts = [chords(name, *TRIADS) if "iano" in name.lower() else line(name, *TUNE) for name in names]
    assert list(kinds) == cast(parts)[0]


def test_without_names_the_notes_tell() -> None:
    """The high single notes are the tune, the low ones the bass, and the chords accompany; the tune comes first."""
    kinds, notes = cast([line("", *LOW), chords("Track 2", *TRIADS), line("Track 3", *TUNE)])
    assert [MELODY, ACCOMPANIMENT, BASS] == kinds
    assert list(TUNE) == notes[0][:, 2].tolist()


def test_one_part_of_chords_becomes_two_hands() -> None:
    """A pianist's only track is cut into the top line and the rest."""
    kinds, (top, rest) = cast([chords("Piano", *((low, 60, high) for low, high in zip(LOW, TUNE, strict=True)))])
    assert [MELODY, ACCOMPANIMENT] == kinds
    assert list(TUNE) == top[:, 2].tolist()
    assert 2 * len(TUNE) == len(rest)


def test_a_note_below_a_held_one_is_not_of_the_top_line() -> None:
    """A bass note that is struck while the tune holds does not count as tune."""
    rows = np.array([(0, 96, 72), (24, 24, 48), (48, 24, 52), (96, 24, 74)], dtype=np.int32)
    top, rest = split_hands(rows)
    assert [72, 74] == top[:, 2].tolist()
    assert [48, 52] == rest[:, 2].tolist()
