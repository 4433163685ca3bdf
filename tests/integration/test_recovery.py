"""How soon the jam plays on after its performer or jackd is killed, on a server in the default mode.

The other tests' server runs in synchronous mode, in which the server itself stands still for two seconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from tests.live import PATIENCE_S, Command, Partner, Run, StartServer, wait_for

pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(300)]

BEAT_S = 0.4
TUNE = [60, 64, 67, 72]
FRAME_S = 1 / 48_000


def begin(run: Run) -> Command:
    """Start a jam."""
    jam = run("jam", "--json", "--in", "Improviser In", "--key", "C", "--tempo", "150", "--seed", "3")
    jam.wait_until_told("ready")
    return jam


def end(jam: Command) -> None:
    """End a jam with SIGTERM."""
    jam.process.send_signal(signal.SIGTERM)
    assert 0 == jam.end()[0]


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Print a result, even where output is captured."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def test_a_killed_performer_is_replaced_within_a_second(
    jackd: StartServer, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three times in a row sounding notes are released, and the next note comes within a second, on the same grid."""
    jackd()
    partner, jam = Partner(), begin(run)
    partner.connect()
    partner.play(TUNE * 2, BEAT_S)
    released_s, played_s = [], []
    for _ in range(3):
        partner.play(TUNE, BEAT_S, until=lambda: partner.sounding)
        killed_s = time.monotonic()
        os.kill(jam.performer(), signal.SIGKILL)
        wait_for(lambda: not partner.sounding, "the end of what sounded")
        released_s.append(time.monotonic() - killed_s)
        before = len(partner.ons)
        partner.play(TUNE * 8, BEAT_S, until=lambda count=before: len(partner.ons) > count)  # type: ignore[misc] # the count of this turn
        played_s.append(partner.ons[before][0] - killed_s)
        partner.play(TUNE, BEAT_S)
    end(jam)
    partner.close()
    played = jam.told("played")
    anchor_s = played[0]["due_s"] - played[0]["beat"] * BEAT_S
    off_s = max(abs(note["due_s"] - anchor_s - note["beat"] * BEAT_S) for note in played)
    tell(
        capsys,
        f"released after {released_s}, played on after {played_s} s, {1e3 * off_s:.3f} ms off the grid",
    )
    assert max(*released_s, *played_s) <= 1.0
    assert off_s <= FRAME_S


def test_a_server_that_is_started_anew_is_played_on(
    jackd: StartServer, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the server was killed for 3 s, the ports exist again, and the jam answers on them."""
    server = jackd()
    jam = begin(run)
    partner = Partner()
    partner.connect()
    partner.play(TUNE * 2, BEAT_S)
    partner.close()
    server.kill()
    server.wait(PATIENCE_S)
    time.sleep(3.0)
    jackd()
    back_s = time.monotonic()
    wait_for(lambda: len(jam.told("ready")) > 1, "a performer on the new server")
    tell(capsys, f"ready {time.monotonic() - back_s:.2f} s after the server")
    again = Partner()
    again.connect()
    again.play(TUNE * 8, BEAT_S, until=lambda: again.ons)
    assert again.ons
    end(jam)
    assert set() == again.sounding
    again.close()
