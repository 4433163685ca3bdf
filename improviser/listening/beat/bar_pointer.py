"""The belief about phase and period of the beat: a dense bar-pointer filter.

Source: N. Whiteley, A. T. Cemgil, S. Godsill, "Bayesian modelling of temporal structure in musical audio" (2006): the
state is a phase that advances at a tempo, and the tempo drifts. Here the cells are few, and evidence comes at onsets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.beat_grid import OCTAVE_ROWS, PERIODS, PERIODS_S, PHASES, period_row
from improviser.units import S_PER_MINUTE

Array = npt.NDArray[np.float64]

_WAVES: Final = np.arange(PHASES // 2 + 1)
_FLOOR: Final = 1e-12
_TURN: Final = 2 * np.pi


@dataclass(frozen=True, slots=True)
class PointerSettings:
    """How the belief moves.

    Attributes:
        trust: Exponent of the networks' evidence at an onset.
        keep: Exponent of the belief before an onset; below 1 it forgets.
        phase_spread: Spread of the phase that one beat adds, in beats.
        drift: Spread of the tempo that one beat adds, as a share.
        restart: Chance per beat that the beat is anywhere.
        prior_octaves: Spread of the first tempo around the expected one.
        slow: Exponent of the mean evidence about the period.
        memory_onsets: The number of onsets over which that mean is taken.
        switch: How many times as likely another beat must be, to leave the one that is followed.
    """

    trust: float = 0.3
    keep: float = 0.5
    phase_spread: float = 0.02
    drift: float = 0.03
    restart: float = 0.01
    prior_octaves: float = 0.7
    switch: float = 2.0
    slow: float = 0.5
    memory_onsets: float = 30.0


class Pointer(NamedTuple):
    """The beat that is followed: its phase in [0, 1), its period, and how likely it is."""

    phase: float
    period_s: float
    confidence: float


# The neighbourhood of a cell that counts as the same beat: 9 % of the period, an eighth of the beat.
_NEAR_ROWS: Final = 3
_NEAR_COLUMNS: Final = 2
_ROW: Final = np.arange(PERIODS)
_COLUMN: Final = np.arange(PHASES)
_NEAR_ROW_SUM: Final = (np.abs(_ROW[:, None] - _ROW) <= _NEAR_ROWS).astype(np.float64)
_AROUND: Final = np.abs((_COLUMN[:, None] - _COLUMN + PHASES // 2) % PHASES - PHASES // 2)
_NEAR_COLUMN_SUM: Final = (_AROUND <= _NEAR_COLUMNS).astype(np.float64)


def _diffusion() -> tuple[Array, Array]:
    """Return the rates and modes of a diffusion over the rows that loses nothing at the ends."""
    steps = np.eye(PERIODS, k=1) + np.eye(PERIODS, k=-1)
    rates, modes = np.linalg.eigh(steps - np.diag(steps.sum(axis=1)))
    return rates / 2, modes


_RATES, _MODES = _diffusion()


class BarPointer:
    """The belief over cells of period and phase at one moment."""

    def __init__(self, prior_bpm: float, settings: PointerSettings) -> None:
        """Expect a tempo around `prior_bpm`, and the first onset on the beat or anywhere."""
        self._settings = settings
        away = np.log2(PERIODS_S * prior_bpm / S_PER_MINUTE) / settings.prior_octaves
        self._prior = np.repeat(np.exp(-0.5 * away**2)[:, None], PHASES, axis=1)
        self._prior /= self._prior.sum()
        self._belief = self._prior.copy()
        self._mean = np.log(self._prior.sum(axis=1))
        self._onsets = 0
        self.pointer = Pointer(0.0, S_PER_MINUTE / prior_bpm, 0.0)

    def advance(self, elapsed_s: float) -> None:
        """Move the belief `elapsed_s` seconds on."""
        settings = self._settings
        beats = elapsed_s / PERIODS_S[:, None]
        turns = np.exp(-_TURN * beats * (1j * _WAVES + np.pi * settings.phase_spread**2 * _WAVES**2))
        moved = np.fft.irfft(np.fft.rfft(self._belief, axis=1) * turns, PHASES, axis=1)
        steps = elapsed_s / self.pointer.period_s
        moved = _blurred(moved, (settings.drift * OCTAVE_ROWS / np.log(2)) ** 2 * min(steps, 8))
        moved = np.maximum(moved, 0)
        stays = (1 - settings.restart) ** steps
        self._belief = stays * moved / moved.sum() + (1 - stays) * self._prior
        phase = (self.pointer.phase + steps) % 1
        self.pointer = self.pointer._replace(phase=phase)

    def weigh(self, evidence: npt.NDArray[np.floating]) -> None:
        """Take the network's evidence, (PERIODS, PHASES) logarithms, at this moment."""
        settings = self._settings
        self._onsets += 1
        rows = np.log(_NEAR_ROW_SUM @ np.exp(evidence).sum(axis=1))
        self._mean += (rows - self._mean) / min(self._onsets + 1, settings.memory_onsets)
        logs = settings.keep * np.log(self._belief + _FLOOR) + settings.trust * evidence
        self._settle(logs + settings.slow * self._mean[:, None])

    def nudge(self, period_s: float | None) -> None:
        """Take a tap of the player: the beat is now, and perhaps `period_s` seconds long."""
        columns = np.arange(PHASES) / PHASES
        away = np.minimum(columns, 1 - columns) / 0.04
        logs = np.log(self._belief + _FLOOR) - 0.5 * away**2
        if period_s is not None:
            logs = logs - 0.5 * (np.log2(PERIODS_S / period_s) / 0.06)[:, None] ** 2
        self._settle(logs)

    def _settle(self, logs: Array) -> None:
        """Set the belief to the exponential of `logs`, and find the beat in it."""
        belief = np.exp(logs - logs.max())
        self._belief = belief / belief.sum()
        self.pointer = self._found()

    def _found(self) -> Pointer:
        """Return the most likely beat; the one that is followed stays unless another is clearly more likely."""
        mass = _NEAR_ROW_SUM @ self._belief @ _NEAR_COLUMN_SUM
        best = divmod(int(np.argmax(mass)), PHASES)
        known = self._known(mass)
        if known is not None and mass[best] < self._settings.switch * mass[known]:
            best = known
        return self._pointer_at(best, float(mass[best]))

    def _known(self, mass: Array) -> tuple[int, int] | None:
        """Return the best cell near the beat that is followed; None if none is."""
        if self.pointer.confidence == 0:
            return None
        row = round(float(period_row(self.pointer.period_s)))
        column = round(self.pointer.phase * PHASES)
        rows = np.clip(np.arange(row - _NEAR_ROWS, row + _NEAR_ROWS + 1), 0, PERIODS - 1)
        columns = np.arange(column - _NEAR_COLUMNS, column + _NEAR_COLUMNS + 1) % PHASES
        near = mass[np.ix_(rows, columns)]
        at = divmod(int(np.argmax(near)), len(columns))
        return int(rows[at[0]]), int(columns[at[1]])

    def _pointer_at(self, cell: tuple[int, int], mass: float) -> Pointer:
        """Return the mean beat around a cell."""
        rows = np.clip(np.arange(cell[0] - _NEAR_ROWS, cell[0] + _NEAR_ROWS + 1), 0, PERIODS - 1)
        away = np.arange(-_NEAR_COLUMNS, _NEAR_COLUMNS + 1)
        near = self._belief[np.ix_(rows, (cell[1] + away) % PHASES)]
        total = near.sum() + _FLOOR
        row = float(near.sum(axis=1) @ rows / total)
        phase = (cell[1] + float(near.sum(axis=0) @ away / total)) / PHASES % 1
        period_s = PERIODS_S[0] * 2 ** (row / OCTAVE_ROWS)
        return Pointer(phase, float(period_s), min(1.0, mass))


def _blurred(cells: Array, variance: float) -> Array:
    """Return cells with each column spread over its neighbours by a variance in squared rows."""
    found: Array = _MODES @ (np.exp(variance * _RATES)[:, None] * (_MODES.T @ cells))
    return found
