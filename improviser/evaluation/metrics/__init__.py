"""The figures of an evaluation, each for one performance: the improviser's events beside a player's.

Definitions and published values: `docs/metrics.md`. Everything is relative to a tonic of C.
"""

from collections.abc import Callable, Mapping
from typing import Final

from improviser.evaluation.metrics.comping_figures import comping_figures
from improviser.evaluation.metrics.diversity import (
    Phrases,
    bar_correlation,
    company_figures,
    diversity_figures,
    known_phrases,
    phrases,
    vendi_score,
)
from improviser.evaluation.metrics.harmony_figures import bass_figures, chord_tones, harmony_figures
from improviser.evaluation.metrics.played import Figures, Performance
from improviser.evaluation.metrics.rules import rule_statistics

__all__ = [
    "Figures",
    "Performance",
    "Phrases",
    "bar_correlation",
    "chord_tones",
    "company_figures",
    "diversity_figures",
    "figures",
    "harmony_figures",
    "known_phrases",
    "phrases",
    "rule_statistics",
    "vendi_score",
]


def figures(performance: Performance, known: Phrases = frozenset()) -> Figures:
    """Return every figure of a performance by name; shares in percent, nan where there is nothing to count.

    Args:
        performance: What was played.
        known: The phrases of the training corpus. Without them the figure for copying is nan.
    """
    return _FIGURES[performance.role](performance, known)


def _melody_figures(performance: Performance, known: Phrases) -> Figures:
    """Return every figure of a tune."""
    return (
        rule_statistics(performance)
        | harmony_figures(performance)
        | diversity_figures(performance, known)
        | company_figures(performance)
    )


def _bass_figures(performance: Performance, known: Phrases) -> Figures:
    """Return every figure of a tune, and those of a bass alone."""
    return bass_figures(performance) | _melody_figures(performance, known)


def _comping_figures(performance: Performance, known: Phrases) -> Figures:
    """Return every figure of chords; copying is measured for tunes only."""
    del known
    return comping_figures(performance)


_FIGURES: Final[Mapping[str, Callable[[Performance, Phrases], Figures]]] = {
    "melody": _melody_figures,
    "comping": _comping_figures,
    "bass": _bass_figures,
}
