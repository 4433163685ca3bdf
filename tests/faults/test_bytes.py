"""Coverage-guided fuzzing of the code that reads bytes from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.protocol import PerformerSettings, Played, Stop, Synced, Value, value_to_line

FUZZ = Path(__file__).with_name("fuzz.py")
SEEDS: tuple[Value, ...] = (
    PerformerSettings("chorale", "m", {"tempo_bpm": 90.0, "meter": (7, 8)}),
    Played(1.5, 1.5, 0, 60, 80, 4.0, "C", "Am7", {"harmony": 0.5}),
    Synced(1.0, 2.0, 90.0),
    Stop(),
)


@pytest.mark.parametrize("runs", [10_000, pytest.param(1_000_000, marks=[pytest.mark.slow])])
@pytest.mark.timeout(1800)
def test_whatever_comes_is_read_or_refused(runs: int, tmp_path: Path) -> None:
    """Bytes on an input and lines of a journal raise only declared errors."""
    pytest.importorskip("atheris", reason="atheris is not installed")
    for place, value in enumerate(SEEDS):
        (tmp_path / f"{place}").write_bytes(b"\0" + value_to_line(value).encode())
    (tmp_path / "notes").write_bytes(b"\1\x90\x3c\x50")
    checkout = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(FUZZ), f"-atheris_runs={runs}", "-seed=1", "-max_len=600", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": checkout},
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    assert f"Done {runs}" in done.stderr
