"""How the improviser adapts to a player who changes: the note-in-chord share before and after, with the live engine.

The engine is not told the key. A curve holds two numbers for each beat: the steps in which the improviser sounded
beside a chord, and the steps in which its note was in that chord. Beats 9 to 16 are before the change; AFTER_BEATS
beats follow from the change on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.engine import AUTO_KEY
from improviser.evaluation.estimate import Column, estimate_column, make_estimate, resample
from improviser.evaluation.metrics import bar_correlation
from improviser.evaluation.perturbation import (
    AFTER_BEATS,
    CHANGE_BEAT,
    TRANSPOSED,
    UNCHANGED,
    Case,
    make_cases,
)
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.meter import METERS
from improviser.music.pitch import OCTAVE
from improviser.offline.session import engine_in_beats, play_along

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.training.grid import Part

BEFORE_BEATS: Final = 8
WINDOW_BEATS: Final = 4
CENSORED_BEATS: Final = 32
LOSS_BEATS: Final = 16
RECOVERED: Final = 0.9
VELOCITY: Final = "velocity correlation"

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How one improviser adapted to the changes.

    Attributes:
        names: The perturbation in each case; TRANSPOSED occurs once for each interval.
        hits: (pieces, cases, beats) steps in which the improviser's note was in the chord. Where it played several
            notes, a step counts as the share of them in the chord.
        counts: (pieces, cases, beats) steps in which its note could have been in a chord.
        velocity: (pieces,) correlation over bars of the improviser's velocity with the player's, in the unchanged case.
    """

    names: tuple[str, ...]
    hits: FloatArray
    counts: FloatArray
    velocity: FloatArray

    def curve(self, name: str) -> FloatArray:
        """Return the share of chord tones in the WINDOW_BEATS from each beat on, (beats - WINDOW_BEATS + 1,).

        All pieces, and all cases of that name, are pooled. A window without a count is nan.
        """
        chosen = [row for row, other in enumerate(self.names) if other == name]
        hits, counts = (
            np.convolve(table[:, chosen].sum((0, 1)), np.ones(WINDOW_BEATS), "valid")
            for table in (self.hits, self.counts)
        )
        return _share(hits, counts)

    def column(self, seed: int) -> Column:
        """Return the figures with their 95 % intervals over pieces."""
        (everything,) = self._figures(np.ones((1, len(self.hits))))
        resampled = self._figures(resample(len(self.hits), seed))
        names = self._figure_names()
        column = {
            name: make_estimate(float(value), draws)
            for name, value, draws in zip(names, everything, resampled.T, strict=True)
        }
        return column | estimate_column([{VELOCITY: float(value)} for value in self.velocity], seed)

    def _figure_names(self) -> list[str]:
        """Return the names of the columns of `_figures`."""
        parts = ("NIC before %", "NIC after %", "recovery beats", "loss beats")
        return [
            f"{name}: {part}"
            for name in dict.fromkeys(self.names)
            for part in (parts if name == TRANSPOSED else parts[:2])
        ]

    def _figures(self, weights: FloatArray) -> FloatArray:
        """Return the figures, (draws, figures), with the pieces weighted by `weights`, (draws, pieces).

        Each interval of the transposition is computed alone; the figure is their mean.
        """
        cases = case_figures(np.tensordot(weights, self.hits, 1), np.tensordot(weights, self.counts, 1))
        columns = []
        for name in dict.fromkeys(self.names):
            rows = [row for row, other in enumerate(self.names) if other == name]
            means = cases[:, rows].mean(axis=1) * (100, 100, 1, 1)
            columns.append(means if name == TRANSPOSED else means[:, :2])
        return np.concatenate(columns, axis=1)


def case_figures(hits: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the figures of one change from its curves, (..., beats) each.

    Returns:
        (..., 4), all nan where nothing sounded before or after the change. In order: the NIC, 0 to 1, of the beats
        before; the NIC of the LOSS_BEATS after the change; the recovery, which is the number of beats from the change
        to the first window of four beats with nine tenths of the NIC before, at most CENSORED_BEATS; and the loss,
        which is the sum over LOSS_BEATS of how far the NIC is below the NIC before.
    """
    sums = [np.cumsum(np.insert(table[..., BEFORE_BEATS:], 0, 0, -1), -1) for table in (hits, counts)]
    late = slice(BEFORE_BEATS, BEFORE_BEATS + LOSS_BEATS)
    before = _share(hits[..., :BEFORE_BEATS].sum(-1), counts[..., :BEFORE_BEATS].sum(-1))
    after = _share(*(table[..., LOSS_BEATS] for table in sums))
    windows = _share(*(table[..., WINDOW_BEATS:] - table[..., :-WINDOW_BEATS] for table in sums))
    has_recovered = windows[..., : CENSORED_BEATS + 1] >= RECOVERED * before[..., None]
    recovery = np.where(has_recovered.any(-1), has_recovered.argmax(-1), CENSORED_BEATS)
    short = before[..., None] - _share(hits[..., late], counts[..., late])
    loss = np.maximum(np.nan_to_num(short), 0.0).sum(-1)
    is_known = np.isfinite(before) & np.isfinite(after)
    return np.where(is_known[..., None], np.stack([before, after, recovery, loss], axis=-1), np.nan)


@dataclass(frozen=True, slots=True)
class PieceAdaptation:
    """How an actor played beside one piece in every case; see Adaptation.

    Attributes:
        names: Names of the cases.
        hits: (cases, beats) chord tones.
        counts: (cases, beats) counted steps.
        velocity: Correlation of the velocities of both voices.
    """

    names: tuple[str, ...]
    hits: FloatArray
    counts: FloatArray
    velocity: float


def adapt_to(actor: Actor, settings: EngineSettings, part: Part, seed: list[int]) -> PieceAdaptation:
    """Play `actor` beside a part in every case, through the engine, with the key unknown.

    Args:
        actor: The policy that decides.
        settings: How it plays. Meter and grid are taken from the part.
        part: The player.
        seed: Random seed.
    """
    meter = METERS[part.meter]
    own = replace(
        settings,
        key=AUTO_KEY,
        meter=(meter.numerator, meter.denominator),
        steps_per_beat=part.steps_per_beat,
    )
    cases = make_cases(part, np.random.default_rng(seed))
    names = tuple(case.name for case in cases)
    played = [_play(actor, own, case, np.random.default_rng(seed)) for case in cases]
    curves = [_curve(*pair, part.steps_per_beat) for pair in zip(cases, played, strict=True)]
    unchanged = names.index(UNCHANGED)
    velocity = velocity_correlation(played[unchanged], cases[unchanged].heard, meter.bar_beats)
    return PieceAdaptation(
        names, np.array([curve[0] for curve in curves]), np.array([curve[1] for curve in curves]), velocity
    )


def joined(pieces: Sequence[PieceAdaptation]) -> Adaptation:
    """Return the adaptation to some pieces together; there is at least one."""
    return Adaptation(
        pieces[0].names,
        np.array([piece.hits for piece in pieces]),
        np.array([piece.counts for piece in pieces]),
        np.array([piece.velocity for piece in pieces]),
    )


def velocity_correlation(ours: Sequence[TimedMessage], theirs: Sequence[TimedMessage], bar_beats: float) -> float:
    """Return the correlation over bars of the mean velocities of two voices' notes."""
    bars = 1 + int(max((timed.due_s for timed in (*ours, *theirs)), default=0.0) / bar_beats)
    return bar_correlation(_velocities(ours, bars, bar_beats), _velocities(theirs, bars, bar_beats))


def step_bits(played: Sequence[TimedMessage], steps: int, steps_per_beat: int) -> npt.NDArray[np.int64]:
    """Return the pitch classes that sound in the middle of each step, (steps,), as twelve bits, 0 in silence."""
    bits = np.zeros(steps, dtype=np.int64)
    for timed in played:
        first = int(np.ceil(timed.due_s * steps_per_beat - 0.5))
        match timed.message:
            case NoteOn(note=note):
                bits[first:] |= 1 << note % OCTAVE
            case NoteOff(note=note):
                bits[first:] &= ~(1 << note % OCTAVE)
            case _:
                pass
    return bits


def _play(actor: Actor, settings: EngineSettings, case: Case, rng: np.random.Generator) -> list[TimedMessage]:
    """Play the engine beside a case, up to the end of the measured beats."""
    engine = engine_in_beats(settings, actor, rng, 0.0)
    until = float(case.change_beat + AFTER_BEATS)
    heard = [timed for timed in case.heard if timed.due_s < until]
    return play_along(engine, heard, until)


def _curve(case: Case, played: Sequence[TimedMessage], steps_per_beat: int) -> tuple[FloatArray, FloatArray]:
    """Return the chord tones and the counted steps of each beat, (BEFORE_BEATS + AFTER_BEATS,) each."""
    steps = (case.change_beat + AFTER_BEATS) * steps_per_beat
    ours, meant = step_bits(played, steps, steps_per_beat), case.chord_bits[:steps]
    counted = (ours > 0) & (meant > 0)
    fits = _size(ours & meant) / np.maximum(_size(ours), 1)
    first = (CHANGE_BEAT - BEFORE_BEATS, CHANGE_BEAT)
    beats = np.r_[slice(*first), slice(case.change_beat, case.change_beat + AFTER_BEATS)]
    rows = (table.reshape(-1, steps_per_beat).sum(axis=1)[beats] for table in (fits, counted))
    return next(rows).astype(np.float64), next(rows).astype(np.float64)


def _size(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of pitch classes in each set."""
    sizes: npt.NDArray[np.int64] = ((bits[:, None] >> np.arange(OCTAVE)) & 1).sum(axis=1)
    return sizes


def _velocities(voice: Sequence[TimedMessage], bars: int, bar_beats: float) -> FloatArray:
    """Return the mean velocity of the notes of each bar, (bars,), nan where there are none."""
    means = np.full(bars, np.nan)
    for bar in range(bars):
        struck = [
            timed.message.velocity
            for timed in voice
            if isinstance(timed.message, NoteOn) and int(timed.due_s / bar_beats + 1e-9) == bar
        ]
        if struck:
            means[bar] = np.mean(struck)
    return means


def _share(hits: FloatArray, counts: FloatArray) -> FloatArray:
    """Return hits divided by counts, nan where the count is 0."""
    shares: FloatArray = np.where(counts > 0, hits / np.maximum(counts, 1.0), np.nan)
    return shares
