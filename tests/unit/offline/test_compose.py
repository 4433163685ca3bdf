"""Composing pieces from fragments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from improviser.engine import EngineSettings
from improviser.engine.role import COMPING
from improviser.errors import UsageError
from improviser.midi.smf import MeterChange, Song, TempoChange
from improviser.music.meter import Meter
from improviser.music.scale import Key, Mode
from improviser.offline import (
    compose_song,
    fragment_key,
    random_fragment,
)
from tests.actors import Indifferent, pulse, random_policy
from tests.rendering import timed
from tests.sessions import sounding_after
from tests.written import TICKS, onsets

IN_C = EngineSettings(key="C", temperature=0.0)
FREE = EngineSettings(temperature=0.0)
BAR = 4 * TICKS
FOUR_FOUR = Meter(4, 4)


def compose(fragment: list[int], bars: int = 2, settings: EngineSettings = IN_C, seed: int = 0) -> Song:
    """Return a piece that continues at random."""
    drawn = replace(settings, temperature=1.0)
    return compose_song(fragment, bars, drawn, Indifferent(), np.random.default_rng(seed))


def test_a_piece_begins_with_its_fragment() -> None:
    """The notes of the fragment come first, one per beat, and the piece continues to its last bar."""
    song = compose([60, 64, 67])
    assert [(0, 60), (480, 64), (960, 67)] == onsets(song.tracks[0])[:3]
    assert 2 * 4 * 480 >= song.end_tick > 4 * 480
    assert {} == sounding_after(timed(song.tracks[0]))


def test_a_fragment_is_played_as_it_is_written() -> None:
    """Foreign, repeated and held notes of the fragment are played as written."""
    fragment = [61, 61, 66, 70, 63]
    assert fragment == [note for _, note in onsets(compose(fragment).tracks[0])][:5]


def test_a_piece_keeps_to_its_key_after_the_fragment() -> None:
    """Every note after the fragment belongs to the key."""
    notes = [note for tick, note in onsets(compose([61], bars=8).tracks[0]) if tick >= 480]
    assert notes
    assert set() == {note % 12 for note in notes} - {0, 2, 4, 5, 7, 9, 11}


def test_a_piece_may_begin_with_nothing() -> None:
    """Without a fragment the whole piece is improvised."""
    assert onsets(compose([]).tracks[0])


@pytest.mark.parametrize(("meter", "bars", "beats"), [((4, 4), 3, 12), ((3, 4), 3, 9), ((6, 8), 2, 6), ((2, 4), 1, 2)])
def test_a_piece_has_its_bars(meter: tuple[int, int], bars: int, beats: int) -> None:
    """A piece has the requested number of bars of its meter, at its tempo."""
    settings = replace(IN_C, meter=meter, tempo_bpm=96.0)
    song = compose_song([60, 60], bars, settings, pulse(), np.random.default_rng(0))
    assert ((TempoChange(0, 625_000),), (MeterChange(0, *meter),)) == (song.tempo_map, song.meter_map)
    assert beats == len(onsets(song.tracks[0]))


@pytest.mark.parametrize("note", [59, 97])
def test_a_fragment_out_of_the_register(note: int) -> None:
    """A note outside the register is refused with its name and the register."""
    with pytest.raises(UsageError, match=r"^(B3|C#7) is outside the preset's register, C4 to C7. Move it, "):
        compose([60, note])


def test_a_fragment_longer_than_the_piece() -> None:
    """A fragment that is too long is refused with the bars that it needs; one that just fits fills the piece."""
    assert 8 == len(onsets(compose([60] * 8).tracks[0]))
    with pytest.raises(UsageError, match=r"^the fragment's 9 beats need more than --bars 2. Use at least 3$"):
        compose([60] * 9)


def test_a_fragment_implies_its_key() -> None:
    """The key is the one that the fragment's notes imply."""
    rng = np.random.default_rng(0)
    assert Key(7, Mode.MAJOR) == fragment_key([67, 69, 71, 72, 74, 76, 78, 79], rng)
    assert Key(9, Mode.MINOR) == fragment_key([69, 71, 72, 74, 76, 77, 80, 81], rng)


@pytest.mark.parametrize("fragment", [None, []])
def test_no_fragment_implies_any_key(fragment: list[int] | None) -> None:
    """Without notes the key is drawn by the seed."""
    drawn = [fragment_key(fragment, np.random.default_rng(seed)) for seed in (*range(20), *range(20))]
    assert drawn[:20] == drawn[20:]
    assert len(set(drawn)) > 5


@examples(max_examples=30)
@given(tonic=st.sampled_from(["C", "F#m", "Bb", "Gm"]), low=st.integers(6, 85), seed=st.integers(0, 99))
def test_a_random_fragment_can_be_played(tonic: str, low: int, seed: int) -> None:
    """A random fragment is three notes of the tonic triad, all in the register."""
    settings = replace(IN_C, key=tonic, register_low=low)
    fragment = random_fragment(settings, np.random.default_rng(seed))
    assert 3 == len({note % 12 for note in fragment})
    assert fragment == [note for _, note in onsets(compose(fragment, 1, settings).tracks[0])][:3]


# --- chords


IN_CHORDS = replace(IN_C, role=COMPING.name, register_low=48)
CHORDS = random_policy(role=COMPING)


def test_chords_begin_as_given() -> None:
    """The notes of a fragment get chords of the key, one per beat, with all notes at once."""
    song = compose_song([60, 65, 67], 2, IN_CHORDS, CHORDS, np.random.default_rng(0))
    struck = onsets(song.tracks[0])
    first = [{note % 12 for tick, note in struck if tick == beat * 480} for beat in range(3)]
    assert [{0, 4, 7}, {5, 9, 0}, {7, 11, 2}] == first
