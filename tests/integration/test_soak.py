"""Twenty minutes of playing over JACK: no process of the jam grows, and the notes stay on their grid."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import pytest

from tests.live import Partner, Run

pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(1800)]

MINUTES = 20
WARM_UP_S = 180.0
TEMPO_BPM = 120.0
BEAT_S = 60 / TEMPO_BPM
TUNE = [60, 62, 64, 65, 67, 65, 64, 62]
GROWTH_KB = 1024
FRAME_S = 1 / 48_000


def resident_kb(process: int) -> int:
    """Return the resident memory of a process in kB."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


def test_twenty_minutes(run: Run, partner: Partner, capsys: pytest.CaptureFixture[str]) -> None:
    """After a warm-up the performer and the command hardly grow, and every note is on the grid to the frame."""
    jam = run("jam", "--json", "--key", "C", "--tempo", str(TEMPO_BPM), "--in", "Improviser In", "--seed", "1")
    jam.wait_until_told("ready")
    processes = {"performer": jam.performer(), "program": jam.process.pid}
    partner.connect()
    begun_s, first_kb = time.monotonic(), dict[str, int]()
    for note in itertools.cycle(TUNE):
        partner.play([note], BEAT_S)
        passed_s = time.monotonic() - begun_s
        if passed_s > WARM_UP_S and not first_kb:
            first_kb = {name: resident_kb(pid) for name, pid in processes.items()}
        if passed_s > 60 * MINUTES:
            break
    growth_kb = {name: resident_kb(pid) - first_kb[name] for name, pid in processes.items()}
    jam.process.terminate()
    assert (0, "") == jam.end()
    played = jam.told("played")
    anchor_s = played[0]["due_s"] - played[0]["beat"] * BEAT_S
    off_s = max(abs(note["actual_s"] - anchor_s - note["beat"] * BEAT_S) for note in played)
    with capsys.disabled():
        sys.stdout.write(f"\n{len(played)} notes, growth {growth_kb} KB, {1e3 * off_s:.3f} ms off at most\n")
    assert max(growth_kb.values()) <= GROWTH_KB
    assert off_s <= FRAME_S
    assert set() == partner.sounding
