"""Pieces with known beats, for the tests of what learns the beat."""

from __future__ import annotations

from improviser.midi.smf import MeterChange, TempoChange
from improviser.training.beat.beat_piece import BeatPiece, to_beat_piece
from tests.written import TUNE, to_song, to_track

BASS = "C3 - G3 - " * 16


def make_piece(set_name: str = "lieder", names: tuple[str, str] = ("voice", "piano left")) -> BeatPiece:
    """Return sixteen bars in 4/4 at 100 beats per minute: a melody of quarters, and a bass of halves."""
    song = to_song(
        to_track(f"{TUNE} " * 4, name=names[0]),
        to_track(BASS, channel=1, name=names[1]),
        tempos=[TempoChange(0, 600_000)],
        meters=[MeterChange(0, 4, 4)],
    )
    return to_beat_piece(song, f"{set_name}/tune.mid", "Someone")
