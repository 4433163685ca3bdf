"""Keys and scales, compared with music21."""

from __future__ import annotations

import pytest
from music21 import key as oracle

from improviser.errors import UsageError
from improviser.music.scale import (
    ALL_KEYS,
    KEY_COUNT,
    SCALE_BITS,
    SCALE_DEGREES,
    STABLE_BITS,
    Key,
    Mode,
    parse_key,
)


def _their_key(key: Key) -> oracle.Key:
    """Return music21's key, which writes flats as minus signs and minor keys in small letters."""
    name = key.name.removesuffix("m").replace("b", "-")
    return oracle.Key(name.lower() if key.mode is Mode.MINOR else name)


def _their_scale(key: Key) -> set[int]:
    """Return the pitch classes of music21's scale of the key; in minor with the leading tone."""
    theirs = _their_key(key)
    scale = {pitch.pitchClass for pitch in theirs.pitches}
    return scale | {(key.tonic + 11) % 12} if key.mode is Mode.MINOR else scale


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_each_scale_is_that_of_music21(key: Key) -> None:
    """Degrees and bits of a scale are exactly music21's notes, in minor also the leading tone."""
    assert _their_scale(key) == {(key.tonic + degree) % 12 for degree in SCALE_DEGREES[key.mode]}
    assert _their_scale(key) == {
        (key.tonic + degree) % 12 for degree in range(12) if SCALE_BITS[key.mode] >> degree & 1
    }


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_the_stable_tones_are_the_tonic_triad(key: Key) -> None:
    """The stable tones are the first, third and fifth degree of music21's scale."""
    pitches = _their_key(key).pitches
    triad = {pitches[degree].pitchClass for degree in (0, 2, 4)}
    assert triad == {(key.tonic + degree) % 12 for degree in range(12) if STABLE_BITS[key.mode] >> degree & 1}


def test_keys_are_numbered_major_first() -> None:
    """There are 24 keys, each at its own index."""
    assert 24 == KEY_COUNT
    assert list(range(24)) == [key.index for key in ALL_KEYS]
    assert Key(9, Mode.MINOR) == ALL_KEYS[21]


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.name)
def test_every_key_survives_its_name(key: Key) -> None:
    """A key's name is read as the same key."""
    assert key == parse_key(key.name)


@pytest.mark.parametrize(
    ("name", "text"),
    [("C", "c"), ("Am", "a minor"), ("Bb", "Bb major"), ("C#", "Db"), ("F#m", "F#min"), ("G", " G maj ")],
)
def test_a_key_is_read_as_musicians_write_it(name: str, text: str) -> None:
    """Letters of either case, an accidental, and the mode in letters or words name a key."""
    assert name == parse_key(text).name


@pytest.mark.parametrize("text", ["", "auto", "H", "C##", "Cx", "Am7", "C dorian"])
def test_what_is_no_key_is_refused(text: str) -> None:
    """Other text raises an error that shows how a key is written."""
    with pytest.raises(UsageError, match=r"is not a key\. Write a tonic, and m for minor"):
        parse_key(text)
