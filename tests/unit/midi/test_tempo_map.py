"""The seconds of a song's ticks."""

from __future__ import annotations

import pytest

from improviser.midi.song import TempoChange
from improviser.midi.tempo_map import TempoMap
from tests.written import TICKS, to_song


def test_a_song_without_a_tempo_plays_120_beats_per_minute() -> None:
    """Two beats last a second if the file names no tempo."""
    assert [0.0, 1.0] == TempoMap(to_song("C4")).seconds_at([0, 2 * TICKS]).tolist()


def test_each_tempo_counts_from_its_own_tick() -> None:
    """Seconds add up over tempo changes, and the last tempo goes on."""
    tempos = (TempoChange(0, 1_000_000), TempoChange(2 * TICKS, 500_000))
    song = to_song("C4 D4 E4", tempos=tempos)
    ticks = [TICKS, 2 * TICKS, 3 * TICKS, 10 * TICKS]
    assert [1.0, 2.0, 2.5, 6.0] == pytest.approx(TempoMap(song).seconds_at(ticks).tolist())
