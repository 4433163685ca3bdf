"""The belief about phase and period of the beat."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.beat.bar_pointer import BarPointer, PointerSettings
from improviser.listening.beat.beat_grid import PERIODS, PERIODS_S, PHASES, period_row

ROW = 40
BEAT_S = float(PERIODS_S[ROW])


def evidence(row: float, phase: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return evidence for a beat: the logarithm of a bell around a row and a phase in [0, 1)."""
    rows = (np.arange(PERIODS) - row)[:, None] / 2
    away = (np.arange(PHASES) / PHASES - phase + 0.5) % 1 - 0.5
    logs = -0.5 * (rows**2 + (away[None] / 0.06) ** 2)
    found: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = logs - np.log(np.exp(logs).sum())
    return found


def convinced(beats: int = 8) -> BarPointer:
    """Return a belief that has had evidence on some beats."""
    pointer = BarPointer(100.0, PointerSettings())
    for beat in range(beats):
        if beat:
            pointer.advance(BEAT_S)
        pointer.weigh(evidence(ROW, 0.0))
    return pointer


def phase_error(pointer: BarPointer, phase: float) -> float:
    """Return how far the phase is from the expected one, in beats."""
    return abs((pointer.pointer.phase - phase + 0.5) % 1 - 0.5)


def test_evidence_on_each_beat_is_believed() -> None:
    """After some beats with the same evidence, period, phase and confidence follow it."""
    found = convinced()
    assert pytest.approx(BEAT_S, rel=0.03) == found.pointer.period_s
    assert phase_error(found, 0.0) < 0.05
    assert found.pointer.confidence > 0.5


def test_the_phase_moves_on_without_evidence_and_confidence_is_lost() -> None:
    """A gap moves the phase at the tempo; the belief after it trusts new evidence sooner."""
    found = convinced()
    found.advance(BEAT_S / 4)
    assert phase_error(found, 0.25) < 0.06
    late = convinced()
    late.advance(12 * BEAT_S)
    late.weigh(evidence(ROW, 0.5))
    assert phase_error(late, 0.5) < 0.1


def test_another_tempo_is_found() -> None:
    """If the evidence of both networks changes to another period, the belief follows within some onsets."""
    found = convinced()
    for _ in range(30):
        found.advance(float(PERIODS_S[ROW + 12]))
        found.weigh(2 * evidence(ROW + 12, 0.0))
    assert pytest.approx(ROW + 12, abs=1) == float(period_row(found.pointer.period_s))


def test_two_taps_set_the_beat() -> None:
    """A tap says where the beat is, and two say how long it is."""
    found = BarPointer(100.0, PointerSettings())
    found.nudge(None)
    assert phase_error(found, 0.0) < 0.03
    for _ in range(3):
        found.advance(0.8)
        found.nudge(0.8)
    assert pytest.approx(0.8, rel=0.05) == found.pointer.period_s
