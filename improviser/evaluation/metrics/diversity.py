"""The variety of the improviser's part, the music that it repeats, and how it follows the player's part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.evaluation.metrics.played import (
    LEAP,
    Figures,
    Performance,
    length_counts,
    note_lengths,
    percent,
    pitch_class_counts,
    whole_bars,
)
from improviser.rewards import stepwise_harmony

if TYPE_CHECKING:
    from collections.abc import Iterable

    from improviser.listening.line import Events

MEMORY_BARS: Final = 8
WINDOW_BARS: Final = 4
# The number of notes of a phrase that may be copied, and the fewest notes of a bar that may be echoed.
COPY_NOTES: Final = 8
ECHO_NOTES: Final = 3
# Fewer bars give no correlation.
CORRELATED_BARS: Final = 3

Phrases = frozenset[bytes]


def diversity_figures(performance: Performance, known: Phrases = frozenset()) -> Figures:
    """Return density, leaps, self-repetition, copying and variety.

    Args:
        performance: What was played.
        known: The phrases of the training corpus, as `phrases` returns them.
    """
    events = performance.events
    notes = events[events >= 0]
    intervals = np.abs(np.diff(notes.astype(np.int64)))
    return {
        "onsets per bar": onsets_per_bar(events, performance.bar_steps),
        "bars repeated %": bars_repeated(events, performance.bar_steps),
        "steps <= 2 semitones %": _stepwise(notes),
        "repeated notes %": percent(intervals == 0),
        "leaps per 100 notes": percent(intervals >= LEAP),
        "distinct pitches": float(len(np.unique(notes))),
        "Vendi": vendi_score(performance),
        "copied %": percent([phrase in known for phrase in phrases(events)]) if known else float("nan"),
    }


def onsets_per_bar(events: Events, bar_steps: int) -> float:
    """Return the mean number of onsets in a whole bar, nan without a whole bar."""
    bars = whole_bars(events, bar_steps)
    return float(np.mean([np.sum(row >= 0) for row in bars])) if bars else float("nan")


def bars_repeated(events: Events, bar_steps: int) -> float:
    """Return the share of bars, in percent, that equal one of the MEMORY_BARS before them."""
    bars = whole_bars(events, bar_steps)
    return percent([_bar_repeats(bars, at) for at in range(len(bars))])


def company_figures(performance: Performance) -> Figures:
    """Return how the improviser's bars follow the player's: echo, density and register."""
    ours, theirs = (whole_bars(events, performance.bar_steps) for events in (performance.events, performance.player))
    return {
        "echo %": percent(
            [echo for bar, before in zip(ours[1:], theirs, strict=False) for echo in _echoes(bar, before)]
        ),
        "density correlation": bar_correlation(density(ours), density(theirs)),
        "register correlation": bar_correlation(_register(ours), _register(theirs)),
    }


def phrases(events: Events) -> list[bytes]:
    """Return each run of COPY_NOTES notes as the bytes of its intervals and of its lengths in steps."""
    notes = events[events >= 0].astype(np.int16)
    if len(notes) < COPY_NOTES:
        return []
    lengths = note_lengths(events).astype(np.int16)
    intervals = np.lib.stride_tricks.sliding_window_view(np.diff(notes), COPY_NOTES - 1)
    rows = np.concatenate([intervals, np.lib.stride_tricks.sliding_window_view(lengths, COPY_NOTES)], axis=1)
    return [row.tobytes() for row in rows]


def known_phrases(lines: Iterable[Events]) -> Phrases:
    """Return all phrases of the lines of a corpus."""
    return frozenset(phrase for line in lines for phrase in phrases(line))


def vendi_score(performance: Performance) -> float:
    """Return the effective number of different 4-bar windows, from 1 to their count.

    Source: D. Friedman and A. B. Dieng (2023), "The Vendi Score", TMLR; features as in `docs/metrics.md`.
    """
    events, window = performance.events, WINDOW_BARS * performance.bar_steps
    rows = []
    for at in range(0, len(events) - window + 1, performance.bar_steps):
        part = events[at : at + window]
        rows.append(np.concatenate([pitch_class_counts(part), length_counts(part)]))
    features = np.array([row / np.linalg.norm(row) for row in rows if row.any()])
    if len(features) == 0:
        return float("nan")
    values = np.linalg.eigvalsh(features @ features.T / len(features))
    positive = values[values > 1e-12]  # noqa: PLR2004 - rounding of zero
    return float(np.exp(-np.sum(positive * np.log(positive))))


def bar_correlation(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> float:
    """Return Pearson's correlation over the bars in which both rows have a number, (bars,) each.

    The result is nan for fewer than CORRELATED_BARS such bars, and where one of the two rows never changes.
    """
    both = np.isfinite(ours) & np.isfinite(theirs)
    if int(both.sum()) < CORRELATED_BARS:
        return float("nan")
    first, second = (row[both] - row[both].mean() for row in (ours, theirs))
    power = float(np.sqrt(np.sum(first**2) * np.sum(second**2)))
    return float(np.sum(first * second)) / power if power > 1e-9 else float("nan")  # noqa: PLR2004 - rounding


def density(bars: list[Events]) -> npt.NDArray[np.float64]:
    """Return the number of onsets in each bar; nan for all bars where no bar has an onset."""
    onsets = np.array([np.sum(bar >= 0) for bar in bars], dtype=np.float64)
    return onsets if onsets.any() else np.full(len(bars), np.nan)


def _register(bars: list[Events]) -> npt.NDArray[np.float64]:
    """Return the mean note struck in each bar, nan where none is struck."""
    struck = [bar[bar >= 0] for bar in bars]
    return np.array([notes.mean() if len(notes) else np.nan for notes in struck], dtype=np.float64)


def _echoes(bar: Events, before: Events) -> list[bool]:
    """Return whether a bar has the rhythm, and the intervals or inverted intervals, of the player's previous bar.

    The list is empty where the player struck fewer than ECHO_NOTES notes in that bar.
    """
    if int(np.sum(before >= 0)) < ECHO_NOTES:
        return []
    if not np.array_equal(bar >= 0, before >= 0):
        return [False]
    ours, theirs = (np.diff(row[row >= 0].astype(np.int64)) for row in (bar, before))
    return [np.array_equal(ours, theirs) or np.array_equal(ours, -theirs)]


def _stepwise(notes: Events) -> float:
    """Return the share of small steps between the notes in percent, nan where there are fewer than two notes."""
    return 100 * stepwise_harmony(notes.tolist()) if len(notes) > 1 else float("nan")


def _bar_repeats(bars: list[Events], at: int) -> bool:
    """Return whether a bar with an onset equals one of the MEMORY_BARS before it."""
    bar = bars[at]
    return bool((bar >= 0).any()) and any(np.array_equal(bar, before) for before in bars[max(0, at - MEMORY_BARS) : at])
