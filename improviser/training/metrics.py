"""The figures of an evaluation, each of one performance: our events beside a player's.

Definitions and published values: `docs/metrics.md`. Everything is relative to a tonic of C.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, REST, Events
from improviser.music.consonance import CONSONANT_INTERVALS
from improviser.music.meter import LEVELS, METERS, SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_DEGREES, Mode
from improviser.rewards import stepwise_harmony

# RL Tuner judges compositions of 32 sixteenths. Source: Jaques et al. (2016), arXiv 1611.02796, section 4.
COMPOSITION: Final = 32
MOTIF: Final = 8
LEAP: Final = 7
LEAP_BACK: Final = 6
MEMORY_BARS: Final = 8
# The Vendi score tells note lengths of 1 to 11 steps apart, and all longer ones from these.
LENGTHS: Final = 12

Figures = dict[str, float]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Performance:
    """What was played in one piece, (steps,) each; `chord_bits` is the chord that the player implies."""

    events: Events
    player: Events
    bits: npt.NDArray[np.int64]
    chord_bits: npt.NDArray[np.int64]
    mode: int
    meter: int
    steps_per_beat: int

    @property
    def bar_steps(self) -> int:
        """The steps in a bar."""
        return METERS[self.meter].bar_beats * self.steps_per_beat


def figures(performance: Performance) -> Figures:
    """Give every figure of a performance by name; shares in per cent, nan where there is nothing to count."""
    return rule_statistics(performance) | harmony_figures(performance) | diversity_figures(performance)


def sounding_notes(events: Events) -> npt.NDArray[np.int64]:
    """Give the note that sounds in each step, (steps,), -1 in silence."""
    marks = np.where(events == HOLD, 0, np.arange(len(events)))
    source = events[np.maximum.accumulate(marks)]
    return np.where(source >= 0, source, -1).astype(np.int64)


def rule_statistics(performance: Performance) -> Figures:
    """Give RL Tuner's rule statistics, means over compositions of 32 steps."""
    events = _note_offs_once(performance.events)
    pieces = [events[at : at + COMPOSITION] for at in range(0, len(events) - COMPOSITION + 1, COMPOSITION)]
    scale = SCALE_DEGREES[Mode(performance.mode)]
    onsets = [piece[piece >= 0] for piece in pieces]
    sounding = [notes for notes in onsets if len(notes) > 0]
    repeated = [_repeated(piece, at) for piece in pieces for at in range(len(piece))]
    holds = [element == HOLD for piece in pieces for element in piece]
    return {
        "excessively repeated %": _percent(repeated),
        "excessively repeated, holds aside %": _percent(np.greater(repeated, holds)),
        "not in key %": _percent([(piece >= 0) & ~np.isin(piece % OCTAVE, scale) for piece in pieces]),
        "starts with tonic %": _percent([notes[0] % OCTAVE == 0 for notes in sounding]),
        "unique highest %": _percent([int(np.sum(notes == notes.max())) == 1 for notes in sounding]),
        "unique lowest %": _percent([int(np.sum(notes == notes.min())) == 1 for notes in sounding]),
        "leaps resolved %": _percent([resolved for piece in pieces for resolved in _leap_outcomes(piece)]),
        "in motif %": _percent([_in_motif(piece, at) for piece in pieces for at in range(len(piece))]),
        "in repeated motif %": _percent(
            [_repeats_motif(piece, at) for piece in pieces for at in range(len(piece))]
        ),
        **{f"autocorrelation {lag}": _autocorrelation(onsets, lag) for lag in (1, 2, 3)},
    }


def harmony_figures(performance: Performance) -> Figures:
    """Give the figures of sounding together: note in chord, consonance, parallels."""
    ours, top, theirs = (
        sounding_notes(performance.events),
        sounding_notes(performance.player),
        performance.bits,
    )
    consonant = _consonant(ours, top, theirs)
    in_bar = np.arange(len(ours)) % performance.bar_steps * SIXTEENTHS_PER_BEAT // performance.steps_per_beat
    strong = LEVELS[performance.meter, in_bar] >= 3  # noqa: PLR2004 - strength of beats 1 and 3
    with_chord = (ours >= 0) & (performance.chord_bits > 0)
    in_chord = (performance.chord_bits >> np.maximum(ours, 0) % OCTAVE) & 1 > 0
    return {
        "note in chord %": _percent(in_chord[with_chord]),
        "consonant %": _percent(consonant[theirs > 0]),
        "dissonant %": _percent(((ours >= 0) & ~consonant)[theirs > 0]),
        "unsupported %": _percent((ours < 0)[theirs > 0]),
        "strong-beat consonance %": _percent(consonant[(theirs > 0) & strong]),
        "parallels per 100 notes": _parallels(ours, top, int(np.sum(performance.events >= 0))),
    }


def diversity_figures(performance: Performance) -> Figures:
    """Give density, leaps, self-repetition and variety."""
    events, bar = performance.events, performance.bar_steps
    bars = [events[at : at + bar] for at in range(0, len(events) - bar + 1, bar)]
    notes = events[events >= 0]
    intervals = np.abs(np.diff(notes.astype(np.int64)))
    return {
        "onsets per bar": float(np.mean([np.sum(row >= 0) for row in bars])) if bars else float("nan"),
        "bars repeated %": _percent([_bar_repeats(bars, at) for at in range(len(bars))]),
        "steps <= 2 semitones %": _stepwise(notes),
        "repeated notes %": _percent(intervals == 0),
        "leaps per 100 notes": _percent(intervals >= LEAP),
        "distinct pitches": float(len(np.unique(notes))),
        "Vendi": vendi_score(performance),
    }


def vendi_score(performance: Performance) -> float:
    """Give the effective number of different 4-bar windows, 1 to their count.

    Source: D. Friedman and A. B. Dieng (2023), "The Vendi Score", TMLR; features as in `docs/metrics.md`.
    """
    events, window = performance.events, 4 * performance.bar_steps
    rows = []
    for at in range(0, len(events) - window + 1, performance.bar_steps):
        part = events[at : at + window]
        lengths = np.minimum(_note_lengths(part), LENGTHS) - 1
        pitch_classes = np.bincount(part[part >= 0] % OCTAVE, minlength=OCTAVE)
        rows.append(np.concatenate([pitch_classes, np.bincount(lengths, minlength=LENGTHS)]))
    features = np.array([row / np.linalg.norm(row) for row in rows if row.any()])
    if len(features) == 0:
        return float("nan")
    values = np.linalg.eigvalsh(features @ features.T / len(features))
    positive = values[values > 1e-12]  # noqa: PLR2004 - rounding of zero
    return float(np.exp(-np.sum(positive * np.log(positive))))


def _note_lengths(events: Events) -> npt.NDArray[np.int64]:
    """Give for each onset how many steps its note sounds, to the end of the events at most."""
    changes = np.append(np.flatnonzero(events != HOLD), len(events))
    lengths: npt.NDArray[np.int64] = np.diff(changes)[events[changes[:-1]] >= 0]
    return lengths


def _stepwise(notes: Events) -> float:
    """Give the share of small steps between the notes in per cent, nan where there is no step."""
    return 100 * stepwise_harmony(notes.tolist()) if len(notes) > 1 else float("nan")


def _percent(flags: object) -> float:
    """Give the share of true flags in per cent, nan for none at all."""
    array = np.asarray(flags, dtype=np.float64)
    return float(100 * array.mean()) if array.size else float("nan")


def _note_offs_once(events: Events) -> Events:
    """Give the events as RL Tuner writes them: a rest is its first step only, the rest of it is a hold."""
    again = np.zeros(len(events), dtype=np.bool_)
    again[1:] = (events[1:] == REST) & (events[:-1] == REST)
    return np.where(again, np.int16(HOLD), events)


def _repeated(piece: Events, at: int) -> bool:
    """Tell whether the element at `at` is excessively repeated."""
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
    """Tell whether the eight steps up to `at` hold at least three distinct notes."""
    if at + 1 < MOTIF:
        return False
    last = piece[at + 1 - MOTIF : at + 1]
    return len(set(last[last >= 0].tolist())) >= 3  # noqa: PLR2004 - RL Tuner's motif


def _repeats_motif(piece: Events, at: int) -> bool:
    """Tell whether the motif that ends at `at` stood in the composition before, without overlap."""
    if not _in_motif(piece, at):
        return False
    start = at + 1 - MOTIF
    motif = piece[start : at + 1]
    return any(np.array_equal(piece[begin : begin + MOTIF], motif) for begin in range(start - MOTIF + 1))


def _autocorrelation(compositions: list[Events], lag: int) -> float:
    """Give the mean biased autocorrelation of the note numbers at a lag in notes."""
    values = []
    for notes in compositions:
        centred = notes - notes.mean() if len(notes) > lag else np.zeros(0)
        power = float(np.sum(centred**2))
        if power > 0:
            values.append(float(np.sum(centred[lag:] * centred[:-lag])) / power)
    return float(np.mean(values)) if values else float("nan")


def _leap_outcomes(piece: Events) -> list[bool]:
    """Give, leap by leap, whether it was resolved or else doubled; leaps that were neither are left out."""
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


def _consonant(
    ours: npt.NDArray[np.int64], top: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]
) -> BoolArray:
    """Tell for each step whether our note is consonant with any pitch class of theirs, counted upwards."""
    up = np.where(ours < top, -1, 1)
    found = np.zeros(len(ours), dtype=np.bool_)
    for interval in CONSONANT_INTERVALS:
        found |= (theirs >> (ours - up * interval) % OCTAVE) & 1 > 0
    return found & (ours >= 0)


def _parallels(ours: npt.NDArray[np.int64], top: npt.NDArray[np.int64], onsets: int) -> float:
    """Give parallel fifths, unisons and octaves with the player's top voice per 100 of our onsets."""
    interval = np.where((ours >= 0) & (top >= 0), np.abs(ours - top) % OCTAVE, -1)
    moved = (ours[1:] != ours[:-1]) & (top[1:] != top[:-1])
    same = (interval[1:] == interval[:-1]) & np.isin(interval[1:], (0, 7))
    return 100 * float(np.sum(moved & same)) / onsets if onsets else float("nan")


def _bar_repeats(bars: list[Events], at: int) -> bool:
    """Tell whether a bar with an onset equals one of the eight before it."""
    bar = bars[at]
    return bool((bar >= 0).any()) and any(
        np.array_equal(bar, before) for before in bars[max(0, at - MEMORY_BARS) : at]
    )
