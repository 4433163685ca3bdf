"""RL Tuner's rule statistics, each over compositions of 32 steps.

Source: N. Jaques et al. (2016), "Tuning Recurrent Neural Networks with Reinforcement Learning", arXiv 1611.02796, table
1. What is counted here: `docs/metrics.md`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.evaluation.metrics.played import LEAP, Figures, percent
from improviser.listening.line import HOLD, REST, Events
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_DEGREES, Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.evaluation.metrics.played import IntRow, Performance

# RL Tuner judges compositions of 32 sixteenths. Source: Jaques et al. (2016), section 4.
COMPOSITION: Final = 32
MOTIF: Final = 8
LEAP_BACK: Final = 6


def rule_statistics(performance: Performance) -> Figures:
    """Return RL Tuner's rule statistics, as means over compositions of 32 steps."""
    events, pieces = performance.events, _compositions(performance.events)
    scale = SCALE_DEGREES[Mode(performance.mode)]
    chords = [performance.chord_bits[at : at + COMPOSITION] for at in range(0, len(events), COMPOSITION)]
    onsets = [piece[piece >= 0] for piece in pieces]
    sounding = [notes for notes in onsets if len(notes) > 0]
    return repetition_figures(performance.events) | {
        "not in key %": percent([(piece >= 0) & ~np.isin(piece % OCTAVE, scale) for piece in pieces]),
        "starts with tonic %": percent([notes[0] % OCTAVE == 0 for notes in sounding]),
        "starts on tonic or chord tone %": percent(
            [fit for piece, chord in zip(pieces, chords, strict=False) for fit in _stable_start(piece, chord)]
        ),
        "unique highest %": percent([int(np.sum(notes == notes.max())) == 1 for notes in sounding]),
        "unique lowest %": percent([int(np.sum(notes == notes.min())) == 1 for notes in sounding]),
        "leaps resolved %": percent([resolved for piece in pieces for resolved in _leap_outcomes(piece)]),
        "in motif %": percent([_in_motif(piece, at) for piece in pieces for at in range(len(piece))]),
        "in repeated motif %": percent([_repeats_motif(piece, at) for piece in pieces for at in range(len(piece))]),
        **{f"autocorrelation {lag}": _autocorrelation(onsets, lag) for lag in (1, 2, 3)},
        "rhythm autocorrelation 1": _autocorrelation([piece >= 0 for piece in pieces], 1),
    }


def repetition_figures(events: Events) -> Figures:
    """Return how often an element is excessively repeated, with and without holds."""
    pieces = _compositions(events)
    repeated = [_repeated(piece, at) for piece in pieces for at in range(len(piece))]
    holds = [element == HOLD for piece in pieces for element in piece]
    return {
        "excessively repeated %": percent(repeated),
        "excessively repeated, holds aside %": percent(np.greater(repeated, holds)),
    }


def _compositions(events: Events) -> list[Events]:
    """Return the whole compositions that are measured, in RL Tuner's notation."""
    once = _note_offs_once(events)
    return [once[at : at + COMPOSITION] for at in range(0, len(once) - COMPOSITION + 1, COMPOSITION)]


def _note_offs_once(events: Events) -> Events:
    """Return the events in RL Tuner's notation: only the first step of a rest is a rest, its other steps are holds."""
    again = np.zeros(len(events), dtype=np.bool_)
    again[1:] = (events[1:] == REST) & (events[:-1] == REST)
    return np.where(again, np.int16(HOLD), events)


def _repeated(piece: Events, at: int) -> bool:
    """Return whether the element at `at` is excessively repeated."""
    element, count, passed = piece[at], 0, False
    for before in piece[:at][::-1]:
        if before == element:
            count += 1
        elif before in {HOLD, REST}:
            passed = True
        else:
            break
    if element == REST:
        return count > 1
    return count > (6 if passed else 4)


def _in_motif(piece: Events, at: int) -> bool:
    """Return whether the eight steps up to `at` hold at least three distinct notes."""
    if at + 1 < MOTIF:
        return False
    last = piece[at + 1 - MOTIF : at + 1]
    return len(set(last[last >= 0].tolist())) >= 3  # noqa: PLR2004 - RL Tuner's motif


def _repeats_motif(piece: Events, at: int) -> bool:
    """Return whether the motif that ends at `at` occurred earlier in the composition, without overlap."""
    if not _in_motif(piece, at):
        return False
    start = at + 1 - MOTIF
    motif = piece[start : at + 1]
    return any(np.array_equal(piece[begin : begin + MOTIF], motif) for begin in range(start - MOTIF + 1))


def _stable_start(piece: Events, chord_bits: IntRow) -> list[bool]:
    """Return whether the first onset is the tonic or in the implied chord; an empty list without onset or chord."""
    at = int(np.argmax(piece >= 0))
    if piece[at] < 0 or chord_bits[at] == 0:
        return []
    degree = int(piece[at]) % OCTAVE
    return [degree == 0 or bool((int(chord_bits[at]) >> degree) & 1)]


def _autocorrelation(rows: Sequence[npt.NDArray[np.generic]], lag: int) -> float:
    """Return the mean biased autocorrelation of rows of numbers at a lag, with each row's mean removed.

    Rows that are no longer than the lag, or whose numbers are all equal, are left out.
    """
    values = []
    for row in rows:
        numbers = row.astype(np.float64)
        centred = numbers - numbers.mean() if len(numbers) > lag else np.zeros(0)
        power = float(np.sum(centred**2))
        if power > 0:
            values.append(float(np.sum(centred[lag:] * centred[:-lag])) / power)
    return float(np.mean(values)) if values else float("nan")


def _leap_outcomes(piece: Events) -> list[bool]:
    """Return for each leap whether it was resolved (True) or doubled (False); other leaps are left out."""
    outcomes = []
    direction, origin, leapt_at = 0, 0, 0
    notes = [(at, int(piece[at])) for at in np.flatnonzero(piece >= 0).tolist()]
    for (_, before), (at, note) in pairwise(notes):
        jump = note - before
        is_leap = abs(jump) >= LEAP
        if is_leap and direction == 0:
            direction, origin = jump, before
        elif is_leap and jump * direction > 0:
            outcomes.append(False)
        elif is_leap:
            outcomes += [True] if at - leapt_at - 1 > LEAP_BACK else []
            direction = 0
        elif direction != 0 and (note - origin) * direction <= 0:
            outcomes.append(True)
            direction = 0
        if is_leap:
            leapt_at = at
    return outcomes
