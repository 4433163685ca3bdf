"""The player's swing: the share of a beat, or of half a beat, that its first half takes.

A swing is a unit (a beat with swung eighths, half a beat with swung sixteenths) and a share. It says where in the beat
the four sixteenths fall. Each onset is evidence for the swings that have a sixteenth near it. How late and how exact
the player is belongs to the hypotheses too, so that neither is taken for swing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.pocket.articulation import CHORD_BEATS
from improviser.listening.tempo import STRAIGHT, bent
from improviser.music.meter import SIXTEENTHS_PER_BEAT

# The largest share that is looked for. Above it a swung eighth cannot be told from a dotted one.
LARGEST: Final = 0.70
SHARES: Final = np.round(np.arange(0.50, LARGEST + 0.005, 0.01), 2)
UNITS: Final = (1.0, 0.5)
# The probability that a player swings neither eighths nor sixteenths; the rest is shared by all other hypotheses.
STRAIGHT_PRIOR: Final = 0.5
# Logarithm of the prior of onsets that keep to no grid, for which there is neither evidence nor counter-evidence.
LOOSE_PRIOR: Final = log(0.1)
# How late the player may be on average, in beats, and the standard deviation of that.
LATE: Final = np.arange(-3, 4) * 0.02
LATE_SPREAD: Final = 0.03
# Standard deviations of onsets around their place, in beats: a player is exact, usual or loose.
SCATTERS: Final = (0.025, 0.045, 0.08)
# The share of onsets that fit no place.
STRAY: Final = 0.1
# The share of onsets on each sixteenth of a beat: all alike, mostly eighths, mostly dotted eighths and sixteenths.
RHYTHMS: Final = ((0.25, 0.25, 0.25, 0.25), (0.45, 0.05, 0.45, 0.05), (0.45, 0.05, 0.05, 0.45))
RHYTHM_PRIOR: Final = (0.45, 0.5, 0.05)
TINY: Final = 1e-30
# The evidence of an onset counts for this much, because a player's onsets are not independent of each other.
TRUST: Final = 0.8
# The evidence is computed for this many phases of a beat.
PHASES: Final = 96
# The evidence of an onset falls to 1/e in this many beats: 16 bars of four.
MEMORY_BEATS: Final = 64.0
# Swing is believed from this probability on, and until it falls below the second.
BELIEVED, DOUBTED = 0.7, 0.3


@dataclass(frozen=True, slots=True)
class Swing:
    """A swing: the first half's share of a unit of `unit_beats` beats; 0.5 is straight."""

    share: float = STRAIGHT
    unit_beats: float = 1.0

    def scaled(self, amount: float) -> Swing:
        """Return a swing of `amount` times the size, to a hundredth."""
        return Swing(round(STRAIGHT + amount * (self.share - STRAIGHT), 2), self.unit_beats)

    def place(self, beat: float) -> float:
        """Return where a position of the straight grid falls with this swing, in beats."""
        return bent(beat / self.unit_beats, STRAIGHT, self.share) * self.unit_beats

    def straight(self, beat: float) -> float:
        """Return the position of the straight grid that falls on `beat` with this swing."""
        return bent(beat / self.unit_beats, self.share, STRAIGHT) * self.unit_beats


NO_SWING: Final = Swing()


def _places() -> npt.NDArray[np.float64]:
    """Return the positions of the sixteenths within a beat, (swings, sixteenths)."""
    straight = np.arange(SIXTEENTHS_PER_BEAT) / SIXTEENTHS_PER_BEAT
    return np.array([[Swing(float(share), unit).place(at) for at in straight] for unit in UNITS for share in SHARES])


def _evidence() -> npt.NDArray[np.float32]:
    """Return the evidence of an onset at each phase of a beat, (phases, rhythms, scatters, lates, swings)."""
    phases = np.arange(PHASES)[:, None, None, None, None] / PHASES
    away = (phases - LATE[:, None, None] - _places() + 0.5) % 1.0 - 0.5
    scatter = np.array(SCATTERS)[:, None, None, None]
    peaks = np.exp(-((away / scatter) ** 2) / 2) / (scatter * sqrt(2 * pi))
    fits = np.moveaxis(peaks @ np.array(RHYTHMS).T, -1, 1)
    evidence: npt.NDArray[np.float32] = (TRUST * np.log((1 - STRAY) * fits + STRAY)).astype(np.float32)
    return evidence


def _prior() -> npt.NDArray[np.float32]:
    """Return the logarithm of the prior of each hypothesis, (rhythms, scatters, lates, swings)."""
    late = np.exp(-((LATE / LATE_SPREAD) ** 2) / 2)
    swings = np.where(_IS_SWUNG, (1 - STRAIGHT_PRIOR) / _IS_SWUNG.sum(), STRAIGHT_PRIOR / len(UNITS))
    rhythms = np.array(RHYTHM_PRIOR)[:, None, None, None]
    chances = rhythms * np.tile(late[:, None] / late.sum() * swings, (len(RHYTHMS), len(SCATTERS), 1, 1))
    chances[1, ..., len(SHARES) :] = 0.0  # without sixteenths they cannot swing
    chances[2, ..., _IS_SWUNG] = 0.0
    chances[:, -1, :, len(SHARES) :] = 0.0  # nor can they be told from a loose player's
    prior: npt.NDArray[np.float32] = np.log(np.maximum(chances / len(SCATTERS), TINY)).astype(np.float32)
    return prior


_IS_SWUNG: Final = np.tile(SHARES, len(UNITS)) > STRAIGHT
_EVIDENCE: Final = _evidence()
_PRIOR: Final = _prior()


class SwingTracker:
    """Finds the player's swing from the onsets."""

    def __init__(self, start: Swing = NO_SWING) -> None:
        """Start with a swing that is played until another one is found."""
        self._start = start
        self._evidence = np.zeros_like(_PRIOR)
        self._beat = -np.inf
        self._is_found = False

    def hear(self, beat: float) -> None:
        """Count an onset at `beat`, counted without swing; notes of one chord count once."""
        passed = beat - self._beat
        if 0 <= passed < CHORD_BEATS:
            return
        self._beat = beat
        if 0 <= passed < np.inf:
            self._evidence *= exp(-min(passed, SIXTEENTHS_PER_BEAT) / MEMORY_BEATS)
        self._evidence += _EVIDENCE[round(beat * PHASES) % PHASES]

    def follow(self) -> Swing:
        """Return the player's swing, the one at the start until another one is found; call it once a beat or so."""
        score = _PRIOR + self._evidence
        best = max(score.max(), LOOSE_PRIOR)
        chances = np.exp(score - best)
        posterior = chances.sum(axis=(0, 1, 2)) / (chances.sum() + exp(LOOSE_PRIOR - best))
        probability = float(posterior[_IS_SWUNG].sum())
        self._is_found = probability > (DOUBTED if self._is_found else BELIEVED)
        if self._is_found:
            return _mean_swing(posterior)
        return NO_SWING if probability < 1 - BELIEVED else self._start


def _mean_swing(posterior: npt.NDArray[np.float64]) -> Swing:
    """Return the likelier unit with its mean share, to a hundredth."""
    by_unit = np.where(_IS_SWUNG, posterior, 0).reshape(len(UNITS), -1)
    row = int(by_unit.sum(axis=1).argmax())
    share = by_unit[row] @ SHARES / by_unit[row].sum()
    return Swing(round(float(share), 2), UNITS[row])
