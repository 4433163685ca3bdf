"""How people play a piece whose beats are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from improviser.training.beat.performance import (
    FREE,
    MODERATE,
    PLAIN,
    STRICT,
    Manner,
    play_piece,
    random_manner,
    random_tracks,
)
from tests.beat_pieces import make_piece


def played(manner: Manner, seed: int = 0) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    """Return the notes of the melody and the beats, played in a manner."""
    found = play_piece(make_piece(), (0,), manner, np.random.default_rng(seed))
    return found.notes, found.beats_s


def test_played_plainly_notes_are_where_the_file_has_them() -> None:
    """Without deviations each quarter of the melody is on its beat, a second after the start."""
    notes, beats_s = played(PLAIN)
    np.testing.assert_allclose(notes[:, 0], beats_s[: len(notes)])
    assert pytest.approx([1.0, 1.6]) == beats_s[:2].tolist()


def test_a_stretch_scales_time() -> None:
    """Twice as slow is twice as long."""
    _, beats_s = played(Manner(stretch=1.5))
    assert pytest.approx(0.9) == float(np.median(np.diff(beats_s)))


@pytest.mark.parametrize("manner", [STRICT, MODERATE, FREE])
def test_the_beats_go_with_the_notes(manner: Manner) -> None:
    """However the tempo changes, notes stay near their beats."""
    notes, beats_s = played(manner)
    assert np.abs(notes[:, 0] - beats_s[: len(notes)]).max() < 0.15


def test_the_freer_the_player_the_more_the_tempo_changes() -> None:
    """The spread of the beats' durations grows from strict to free."""
    spreads = [float(np.diff(played(manner)[1]).std()) for manner in (PLAIN, STRICT, MODERATE, FREE)]
    assert sorted(spreads) == spreads


def test_notes_are_dropped_moved_and_shortened() -> None:
    """A share of the notes is missing, the rest is transposed, flat and short."""
    notes, _ = played(Manner(dropped=0.5, transpose=3, flat=True, length=0.5))
    whole, _ = played(PLAIN)
    assert 0.3 * len(whole) < len(notes) < 0.7 * len(whole)
    assert {80.0} == set(notes[:, 3].tolist())
    assert notes[:, 2].min() == whole[:, 2].min() + 3
    assert pytest.approx(0.3) == float(np.median(notes[:, 1] - notes[:, 0]))


def test_a_swung_eighth_comes_late() -> None:
    """The half of a beat is moved to the swing's share of it; written thirds stay."""
    piece = make_piece()
    halves = replace(piece, notes=piece.notes + np.array([0, 0.5, 0.5, 0, 0]))
    late = play_piece(halves, (0,), Manner(swing=0.6), np.random.default_rng(0))
    assert pytest.approx(1.0 + 0.6 * 0.6) == late.notes[0, 0]
    thirds = replace(halves, thirds=np.ones(len(piece.beats), dtype=np.bool_))
    even = play_piece(thirds, (0,), Manner(swing=0.6), np.random.default_rng(0))
    assert pytest.approx(1.3) == even.notes[0, 0]


def test_no_track_gives_no_notes() -> None:
    """A player of no track plays nothing."""
    assert 0 == len(play_piece(make_piece(), (), FREE, np.random.default_rng(0)).notes)


@pytest.mark.parametrize("set_name", ["weimar", "pop909", "lieder", "openewld", "quartets"])
def test_random_players_play_parts_that_exist(set_name: str) -> None:
    """Whatever is drawn, some of the tracks are played, in a manner of the set."""
    names = {"weimar": ("solo", "bass"), "pop909": ("MELODY", "PIANO"), "lieder": ("voice", "piano left")}
    piece = make_piece(set_name, names.get(set_name, ("violin 1", "cello")))
    rng = np.random.default_rng(0)
    drawn = [(random_tracks(piece, rng), random_manner(set_name, rng)) for _ in range(40)]
    assert all(set(tracks) and set(tracks) <= {0, 1} for tracks, _ in drawn)
    assert 1 < len({manner.stretch for _, manner in drawn})
    if set_name == "weimar":
        assert {0.0} == {manner.jitter_s for _, manner in drawn}
