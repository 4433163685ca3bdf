"""Two minutes of a human melody that no model was trained on, over JACK, with a shipped model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from improviser.config.resources import shipped_folder
from improviser.corpus.library import load_pieces
from improviser.corpus.piece import TICKS_PER_BEAT, Piece, bar_ticks
from improviser.errors import CorpusError
from tests.live import Partner, Run

pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(1200)]

MAJOR = {0, 2, 4, 5, 7, 9, 11}
TEMPO_BPM, LENGTH_S = 112.0, 120.0
# A little shorter than written, because a keyboard player releases a key before the next note.
HELD = 0.9


@pytest.fixture(scope="session")
def improviser_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty user's folder, so that the shipped models are used."""
    return tmp_path_factory.mktemp("empty_home")


def held_out_tune() -> Piece:
    """Return a fiddle tune of the test split that begins on its first downbeat and stays in its major key."""
    try:
        pieces = load_pieces(["tune"])
    except CorpusError as error:
        pytest.skip(f"no corpus to take a held-out tune from: {error}")
    for piece in sorted(pieces, key=lambda piece: piece.name):
        is_plain = (piece.split, piece.meter, piece.mode, piece.pickup_ticks) == ("test", (4, 4), "major", 0)
        if is_plain and {(int(note) - piece.tonic) % 12 for note in piece.voices[0][:, 2]} == MAJOR:
            return piece
    pytest.skip("no such tune in the corpus")


def two_minutes(tune: Piece) -> list[tuple[float, int, float]]:
    """Return the tune's notes with their times in seconds, repeated."""
    tick_s = 60.0 / TEMPO_BPM / TICKS_PER_BEAT
    bars = -(-int(tune.voices[0][-1, :2].sum()) // bar_ticks(tune.meter))
    length_s = bars * bar_ticks(tune.meter) * tick_s
    score = [
        (turn * length_s + onset * tick_s, note, duration * tick_s * HELD)
        for turn in range(int(LENGTH_S / length_s) + 1)
        for onset, duration, note in tune.voices[0].tolist()
    ]
    return [row for row in score if row[0] < LENGTH_S]


@pytest.mark.parametrize("preset", ["chorale", "fiddle"])
def test_a_held_out_tune_is_answered_in_its_key(
    preset: str, partner: Partner, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a locked key, nine notes of ten are in the tune's key, and no note hangs."""
    if not (shipped_folder("presets") / "models" / f"{preset}.safetensors").is_file():
        pytest.skip(f"the model of {preset} is not there")
    tune = held_out_tune()
    score = two_minutes(tune)
    options = ("--preset", preset, "--tempo", str(TEMPO_BPM), "--key", "auto", "--seed", "1")
    jam = run("jam", "--json", "--in", "Improviser In", *options)
    jam.wait_until_told("ready")
    partner.connect()
    partner.perform(score)
    jam.process.terminate()
    assert (0, "") == jam.end()
    summary, played = jam.told("summary")[0], jam.told("played")
    in_key = [event for event in played if (event["note"] - tune.tonic) % 12 in MAJOR]
    share = f"{len(in_key)} of {len(played)} in key, late decisions: {summary['late_decisions']}"
    with capsys.disabled():
        sys.stdout.write(f"\n{preset}, {tune.name}: {share}, onset error {summary['onset_error_ms']} ms\n")
    assert (len(score), 0, set()) == (summary["notes_heard"], summary["stuck_notes"], partner.sounding), share
    assert len(played) > LENGTH_S / 2, share
    assert len(in_key) >= 0.9 * len(played), share
