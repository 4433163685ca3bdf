"""Measuring the key that is heard on streams of onsets."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.corpus.key_example import from_first_note, modulated, to_stream
from improviser.corpus.library import load_pieces
from improviser.evaluation import key_figures
from improviser.evaluation.key_figures import HeardPiece, hear, krumhansl, listening_figures
from improviser.music.scale import parse_key
from tests.tiny_corpus import chorale, tiny_corpus, tune

ALL_VOICES = (0, 1, 2, 3)


def rng() -> np.random.Generator:
    """Return a generator."""
    return np.random.default_rng(1)


def test_a_chord_comes_in_any_order_but_at_its_time() -> None:
    """A stream holds all onsets of the voices, sorted by time."""
    stream = to_stream(chorale(), ALL_VOICES, rng())
    assert sum(len(voice) for voice in chorale().voices) == len(stream.notes)
    assert stream.beats.tolist() == sorted(stream.beats.tolist())
    assert not np.array_equal(to_stream(chorale(), ALL_VOICES, np.random.default_rng(2)).notes, stream.notes)


def test_a_modulation_moves_the_notes_and_the_key_from_a_bar_line_on() -> None:
    """From a bar line on notes and key are transposed, and before it nothing changes."""
    stream = to_stream(tune(tonic=10), (0,), rng())
    moved = modulated(stream, rng(), 5)
    assert moved is not None
    turn = moved.turn
    assert 0 == moved.beats[turn] % moved.bar_beats
    assert {0} == set((moved.notes - stream.notes)[:turn].tolist())
    assert {5} == set((moved.notes - stream.notes)[turn:] % 12)
    assert ([10], [3]) == (np.unique(moved.keys[:turn]).tolist(), np.unique(moved.keys[turn:]).tolist())


def test_a_piece_of_a_few_bars_does_not_modulate() -> None:
    """A piece without enough bars on both sides of a bar line does not modulate."""
    assert modulated(to_stream(tune(bars=3), (0,), rng()), rng()) is None


def test_streams_may_begin_anywhere() -> None:
    """Without a given beat the first note is on beat 0."""
    late = modulated(to_stream(tune(), (0,), rng()), rng())
    assert late is not None
    assert 0 == from_first_note(late).beats[0]


def test_krumhansl_finds_the_key_of_a_scale() -> None:
    """The baseline finds the key of a plain tune, and uses only the given number of notes."""
    stream = to_stream(tune(tonic=2), (0,), rng())
    assert 2 == krumhansl(stream)
    assert 0 <= krumhansl(stream, 3) < 24


def test_each_kind_of_playing_has_its_figures() -> None:
    """There are four rows; percentages are within their intervals."""
    figures = listening_figures(tiny_corpus())
    assert ["tunes", "tunes, no beat given", "chorale sopranos", "chorales"] == list(figures)
    for row in figures.values():
        assert 2 == row["pieces"]
        assert 0 <= row["early_low"] <= row["early"] <= row["early_high"] <= 100
        assert 0 <= row["whole_low"] <= row["whole"] <= row["whole_high"] <= 100
        assert row["modulation_beats"] <= row["settled_beats"]
    assert {} == listening_figures([])


def test_pieces_too_short_to_modulate_have_the_other_figures() -> None:
    """Pieces without a modulation have no modulation figures."""
    figures = listening_figures([tune(split="test", bars=2)])["tunes"]
    assert "early" in figures
    assert "modulation_beats" not in figures


@pytest.mark.parametrize(
    ("answer", "key", "relation"),
    [
        ("C", "C", ""),
        ("Am", "C", "relative"),
        ("C", "Am", "relative"),
        ("Cm", "C", "parallel"),
        ("G", "C", "fifth"),
        ("F", "C", "fifth"),
        ("D", "C", "other"),
        ("Em", "C", "other"),
        ("A", "Cm", "other"),
    ],
)
def test_a_wrong_answer_is_of_a_kind(answer: str, key: str, relation: str) -> None:
    """A relative key shares the notes, a parallel one the tonic, and keys a fifth apart differ in one note."""
    stream = to_stream(tune(), (0,), rng())
    answers = np.full(len(stream.keys), parse_key(answer).index)
    truth = np.full(len(stream.keys), parse_key(key).index)
    object.__setattr__(stream, "keys", truth)
    found = key_figures._relations([HeardPiece(stream, answers, np.ones(len(truth)))])  # noqa: SLF001 - its sum
    assert ({name: 100.0 for name in [relation] if name}) == {k: v for k, v in found.items() if v}


def test_hearing_gives_an_answer_a_note() -> None:
    """Answers and confidence are as long as the stream."""
    streams = [to_stream(chorale(bars=bars), ALL_VOICES, rng()) for bars in (8, 4, 6)]
    for stream, heard in zip(streams, hear(streams), strict=True):
        assert stream is heard.stream
        assert len(stream.notes) == len(heard.answers) == len(heard.confidence)


@pytest.mark.slow
def test_the_key_is_found_on_held_out_pieces() -> None:
    """On the whole corpus the figures in docs/research/harmony-by-a-network.md hold, with a margin."""
    figures = listening_figures(load_pieces())
    tunes, chorales = figures["tunes"], figures["chorales"]
    assert tunes["early"] >= 89
    assert tunes["whole"] >= 89
    assert tunes["modulation_beats"] <= 5
    assert tunes["changes"] < 1
    assert chorales["early"] >= 82
    assert chorales["whole"] >= 95
    assert chorales["within_4_beats"] >= 32
    assert all(row["early"] > row["early_krumhansl"] for row in figures.values())
