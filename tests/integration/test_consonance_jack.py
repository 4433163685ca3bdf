"""Consonance with a late player, live over JACK: at all periods, with and without real-time priority.

pytest -m slow -s tests/integration/test_consonance_jack.py
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from improviser.evaluation.late_players import beside, spans
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.smf import read_file
from tests.integration.test_held_out import TEMPO_BPM, held_out_tune, two_minutes
from tests.live import Partner, Run, StartServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(1800)]

LENGTH_S: Final = 60.0
# Mean and standard deviation of how late the player is.
LATE_S, SPREAD_S = 0.02, 0.015
# What is asked for: a loss of at most three points, and chance. A minute has about 200 notes of ours.
MOST_LOST: Final = 0.03
CHANCE: Final = 0.05
PERIODS: Final = (64, 256, 1024, 2048)


@pytest.fixture(scope="session")
def improviser_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty user's folder, so that the shipped models are used."""
    return tmp_path_factory.mktemp("empty_home")


@pytest.mark.parametrize("timing", ["after-you", "on-grid"])
def test_consonance_does_not_depend_on_the_machine(
    timing: str, jackd: StartServer, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most of the common time is consonant at every period and priority, and nearly as much as where both are best."""
    rng = np.random.default_rng(0)
    score = [
        (at_s + max(0.0, float(rng.normal(LATE_S, SPREAD_S))) * (at_s > 0), note, held_s)
        for at_s, note, held_s in two_minutes(held_out_tune())
        if at_s < LENGTH_S
    ]
    found = {}
    for is_realtime in (True, False):
        for period in PERIODS:
            server = jackd("-S", "-t", "2000", period=period)
            found[period, is_realtime] = consonance(
                timing, run, score, tmp_path / f"{period} {is_realtime}.mid", is_realtime=is_realtime
            )
            server.terminate()
            server.wait()
    with capsys.disabled():
        for (period, is_realtime), share in found.items():
            priority = "real-time" if is_realtime else "ordinary"
            sys.stdout.write(f"\n{timing}, {period} frames, {priority}: {share:.1%} of the time consonant")
    assert min(found.values()) >= found[PERIODS[0], True] - MOST_LOST - CHANCE


def consonance(timing: str, run: Run, score: list[tuple[float, int, float]], take: Path, *, is_realtime: bool) -> float:
    """Return the share of the common time that is consonant in a jam beside a player of `score`."""
    options = ("--preset", "fiddle", "--tempo", str(TEMPO_BPM), "--seed", "1", "--timing", timing)
    arguments = ("jam", "--json", "--no-web", "--in", "Improviser In", *options, "--record", str(take))
    jam = run(*arguments, is_ordinary=not is_realtime)
    assert is_realtime == jam.wait_until_told("ready")["realtime"]
    partner = Partner()
    try:
        partner.connect()
        partner.perform(score)
        jam.process.terminate()
        assert (0, "") == jam.end()
    finally:
        partner.close()
    tracks = {
        track.name: spans(
            [
                TimedMessage(event.tick, event.message)
                for event in track.events
                if isinstance(event.message, NoteOn | NoteOff)
            ]
        )
        for track in read_file(take).tracks
    }
    theirs, ours = tracks["player"], tracks["improviser"]
    shares = np.array([beside(*each, theirs) for each in ours]).sum(axis=0)
    return float(shares[1] / shares[0])
