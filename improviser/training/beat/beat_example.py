"""What is learned from a performance: the beat at its onsets, and the bar after its beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from improviser.listening.beat.bar_network import SEEN_BEATS
from improviser.listening.beat.beat_grid import BAR_SIZES, EARLY_BEATS, PERIODS, PHASES, PLACES, period_row
from improviser.listening.beat.beat_summary import SUMMARY, BeatSummaries
from improviser.listening.beat.onset_collector import OnsetCollector, StrengthMeter
from improviser.listening.beat.onset_features import FEATURES, OnsetFeatures
from improviser.listening.beat.pulse_histogram import LAGS, pulse_histograms
from improviser.training.beat.beat_piece import TIMED_SETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from improviser.listening.beat.onset_collector import Onset, Strength
    from improviser.training.beat.performance import PlayedPiece

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

# Onsets of a performance at which the beat is asked for, after the first FEWEST_ONSETS.
MOMENTS: Final = 6
FEWEST_ONSETS: Final = 4
_FEWEST_NOTES: Final = 30
PULSE_S: Final = 32.0
BAR_S: Final = 60.0
# A sequence has at most this many onsets.
SEQUENCE_S: Final = 48.0
SEQUENCE_ONSETS: Final = 160
_FEWEST_IN_SEQUENCE: Final = 24
# The chance that a stretch begins where the piece does, and that a beat is counted twice or not at all.
FROM_THE_START: Final = 0.25
MISCOUNTED: Final = 0.3
UNKNOWN: Final = -1


class PulseExample(NamedTuple):
    """The histograms at an onset, how dense onsets are, and where the truth lies on the grid of periods and phases."""

    histograms: Rows
    dense: Rows
    period: float
    phase: float


class SequenceExample(NamedTuple):
    """The onsets of a performance, (SEQUENCE_ONSETS, ...): features, row of the period, column of the phase.

    `known` says where the truth is known and lies on the grid; 0 also beyond the last onset.
    """

    features: Rows
    period: Rows
    phase: Rows
    known: Rows


class BarExamples(NamedTuple):
    """The beats of a performance: what the bar network sees, its place in PLACES, and thirds; -1 where unknown."""

    rows: Rows
    place: Labels
    thirds: Labels


def pulse_examples(played: PlayedPiece, rng: np.random.Generator) -> Iterator[PulseExample]:
    """Yield examples of some onsets of a stretch of a performance."""
    heard = heard_onsets(_stretch(played, PULSE_S, rng))
    if len(heard) < 2 * FEWEST_ONSETS:
        return
    onsets = np.array([(at_s, strength.accent, strength.fresh) for at_s, strength in heard])
    period, phase, is_known = true_beat(played.beats_s, onsets[:, 0])
    later = np.arange(FEWEST_ONSETS, len(onsets))
    for at in rng.choice(later, min(MOMENTS, len(later)), replace=False):
        if is_known[at]:
            at_s, accent, fresh = onsets[max(0, at - LAGS) : at + 1].T
            yield PulseExample(*pulse_histograms(at_s, accent, fresh), period[at], phase[at])


def sequence_example(played: PlayedPiece, rng: np.random.Generator) -> SequenceExample | None:
    """Return the onsets of a stretch of a performance; None if there are few."""
    onsets = _measured(_stretch(played, SEQUENCE_S, rng))[:SEQUENCE_ONSETS]
    if len(onsets) < _FEWEST_IN_SEQUENCE:
        return None
    describer, count = OnsetFeatures(), len(onsets)
    features = np.zeros((SEQUENCE_ONSETS, FEATURES), dtype=np.float32)
    features[:count] = [describer.describe(onset, strength) for onset, strength in onsets]
    period, phase, known = (np.zeros(SEQUENCE_ONSETS, dtype=np.float32) for _ in range(3))
    row, column, is_known = true_beat(played.beats_s, np.array([onset.at_s for onset, _ in onsets]))
    period[:count], phase[:count], known[:count] = np.clip(row, 0, PERIODS - 2), column, is_known
    known[:FEWEST_ONSETS] = 0
    return SequenceExample(features, period, phase, known)


def bar_examples(played: PlayedPiece, rng: np.random.Generator) -> BarExamples | None:
    """Return the beats of a stretch of a performance; None if there are few."""
    heard = heard_onsets(_stretch(played, BAR_S, rng))
    if not heard:
        return None
    counts = np.interp([at_s for at_s, _ in heard], played.beats_s, np.arange(len(played.beats_s)))
    first = int(counts[0] + EARLY_BEATS)
    rows = _summaries(counts - first, [strength for _, strength in heard])
    known = slice(first, first + min(len(rows), len(played.piece.place) - first))
    place, thirds = _bar_labels(played, known)
    rows = rows[: len(place)]
    if len(rows) < SEEN_BEATS // 2:
        return None
    if rng.random() < MISCOUNTED:
        rows, place, thirds = _miscounted(rows, place, thirds, rng)
    return BarExamples(_seen(rows), place, thirds)


def heard_onsets(notes: Floats) -> list[tuple[float, Strength]]:
    """Return the moment and the strength of each onset of notes with onset, end, pitch and velocity."""
    return [(onset.at_s, strength) for onset, strength in _measured(notes)]


def _measured(notes: Floats) -> list[tuple[Onset, Strength]]:
    """Return each onset of notes, as `heard_onsets` takes them, and its strength."""
    collector, meter = OnsetCollector(), StrengthMeter()
    found = [collector.add_note(at_s, int(pitch), int(velocity)) for at_s, _, pitch, velocity in notes.tolist()]
    return [(onset, meter.measure(onset)) for onset in found if onset is not None]


def true_beat(beats_s: Floats, at_s: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return the row of the period and the column of the phase at each moment, and whether the grid holds them.

    The period is that of the beat and its two neighbours, since one tapped beat is not exact.
    """
    row = np.searchsorted(beats_s, at_s, side="right") - 1
    is_known = (row >= 0) & (row < len(beats_s) - 1)
    row = np.clip(row, 0, len(beats_s) - 2)
    gaps_s = np.diff(beats_s)
    phase = np.clip((at_s - beats_s[row]) / gaps_s[row], 0, 0.9999)
    padded = np.pad(np.log(gaps_s), 1, mode="edge")
    smooth_s = np.exp((padded[:-2] + padded[1:-1] + padded[2:]) / 3)
    period = period_row(smooth_s[row])
    return period, phase * PHASES, is_known & (period > 0) & (period < PERIODS - 1)


def _stretch(played: PlayedPiece, longest_s: float, rng: np.random.Generator) -> Floats:
    """Return the notes of a stretch of a performance; none if it is short."""
    notes = played.notes
    if len(notes) < _FEWEST_NOTES:
        return notes[:0]
    first_s, last_s = notes[0, 0], notes[-1, 0]
    start_s = first_s if rng.random() < FROM_THE_START else rng.uniform(first_s, max(first_s, last_s - longest_s))
    found: Floats = notes[(notes[:, 0] >= start_s) & (notes[:, 0] < start_s + longest_s)]
    return found


def _summaries(counts: Floats, strengths: list[Strength]) -> Rows:
    """Return the summaries of the complete beats of onsets."""
    summaries, rows = BeatSummaries(), np.zeros((0, SUMMARY), dtype=np.float32)
    found = [rows]
    for count, strength in zip(counts.tolist(), strengths, strict=True):
        found += [row[None] for row in summaries.add_onset(count, strength)]
    return np.concatenate(found)


def _bar_labels(played: PlayedPiece, known: slice) -> tuple[Labels, Labels]:
    """Return place in PLACES and thirds of some beats; people's own time says nothing of thirds in jazz."""
    piece = played.piece
    size, place = piece.size[known], piece.place[known]
    table = np.full((max(BAR_SIZES) + 1, max(BAR_SIZES)), UNKNOWN)
    for index, pair in enumerate(PLACES):
        table[pair] = index
    is_known = place >= 0
    places = np.where(is_known, table[np.where(is_known, size, 0), np.maximum(place, 0)], UNKNOWN)
    thirds = piece.thirds[known].astype(np.int64)
    return places, np.full_like(thirds, UNKNOWN) if piece.set_name in TIMED_SETS - {"pop909"} else thirds


def _miscounted(rows: Rows, place: Labels, thirds: Labels, rng: np.random.Generator) -> tuple[Rows, Labels, Labels]:
    """Return beats of which one is left out, or an empty one put in."""
    at = int(rng.integers(1, len(rows)))
    if rng.random() < 0.5:  # noqa: PLR2004 - either
        return np.delete(rows, at, axis=0), np.delete(place, at), np.delete(thirds, at)
    return np.insert(rows, at, 0, axis=0), np.insert(place, at, UNKNOWN), np.insert(thirds, at, UNKNOWN)


def _seen(rows: Rows) -> Rows:
    """Return what the bar network sees after each beat: the last SEEN_BEATS rows, and which of them exist."""
    table = np.hstack([rows, np.ones((len(rows), 1), dtype=np.float32)])
    table = np.vstack([np.zeros((SEEN_BEATS - 1, SUMMARY + 1), dtype=np.float32), table])
    windows = np.lib.stride_tricks.sliding_window_view(table, SEEN_BEATS, axis=0)
    return np.ascontiguousarray(windows.transpose(0, 2, 1).reshape(len(rows), -1))
