"""The figures of an evaluation, each of one performance: our events beside a player's.

Definitions and published values: `docs/metrics.md`. Everything is relative to a tonic of C.
"""

from improviser.training.metrics.diversity import (
    Phrases,
    bar_correlation,
    company_figures,
    diversity_figures,
    known_phrases,
    phrases,
    vendi_score,
)
from improviser.training.metrics.harmony import chord_tones, harmony_figures
from improviser.training.metrics.performance import Figures, Performance, sounding_notes
from improviser.training.metrics.rules import rule_statistics

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
    "sounding_notes",
    "vendi_score",
]


def figures(performance: Performance, known: Phrases = frozenset()) -> Figures:
    """Give every figure of a performance by name; shares in per cent, nan where there is nothing to count.

    Args:
        performance: What was played.
        known: The phrases of the training corpus; without them nothing is said of copying.
    """
    return (
        rule_statistics(performance)
        | harmony_figures(performance)
        | diversity_figures(performance, known)
        | company_figures(performance)
    )
