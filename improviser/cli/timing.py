"""`improviser bench timing`: how exactly notes leave, beside a reference in C."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table, tell
from improviser.cli.extras import missing_training
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.daemon.timing.judge import Heard
    from improviser.daemon.timing.trial import Outcome, Trial

_LEARNER = "from improviser.training.speed import measure_learning\nwhile True: measure_learning()"
_HEAD = (
    "WORK",
    "SENDER",
    "NOTES",
    "MISSING",
    "DOUBLED",
    "STUCK",
    "P50 MS",
    "P99",
    "P99.9",
    "MAX",
    "P99/C",
    "P99.9/C",
)
_QUANTILES = ("p50", "p99", "p99.9", "max")


def bench_timing(preset: str, seconds: float, period: int, works: Sequence[str], *, as_json: bool) -> None:
    """Measure, and say the table or one JSON object for each trial.

    Raises:
        ImproviserError: There is no JACK, or a jam does not begin.
    """
    from improviser.daemon.timing.reference import NEEDS
    from improviser.daemon.timing.trial import run_trial

    trials = _trials(preset, seconds, period, works)
    with progress("measuring", len(trials)) as advance:
        outcomes = []
        for done, trial in enumerate(trials, 1):
            outcomes.append(run_trial(trial))
            advance(done)
    if any(outcome.reference is None for outcome in outcomes):
        tell(f"without the reference in C, which takes {NEEDS}")
    if as_json:
        for outcome in outcomes:
            say_json({"event": "measured", "bench": "timing", **outcome.to_json()})
    else:
        say_table(_HEAD, [row for outcome in outcomes for row in _rows(outcome)])


def _trials(preset: str, seconds: float, period: int, works: Sequence[str]) -> list[Trial]:
    """Give what to try. Raises UsageError where a kind of work is unknown."""
    from improviser.daemon.timing.trial import BACKENDS, WORKS, Trial

    unknown = sorted(set(works) - {work.name for work in WORKS})
    if unknown:
        raise UsageError(f"no work '{unknown[0]}'; there is {', '.join(work.name for work in WORKS)}")
    chosen = [work for work in WORKS if not works or work.name in works]
    if missing_training() and any(work.learns for work in chosen):
        tell('the learner is left out: it takes pip install "improviser-live[train]"')
        chosen = [work for work in chosen if not work.learns]
    learner = (sys.executable, "-P", "-c", _LEARNER)
    return [Trial(work, name, preset, period, seconds, learner) for work in chosen for name in BACKENDS]


def _rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Give a trial's rows: the jam's onsets, the reference's, and the reactions."""
    work, backend = outcome.trial.work.name, outcome.trial.backend
    ratios = [_number(outcome.ratio(quantile)) for quantile in ("p99", "p99.9")]
    rows = [(work, backend, *_figures(outcome.jam), *ratios)]
    if outcome.reference is not None:
        rows.append((work, f"C beside {backend}", *_figures(outcome.reference), "", ""))
    reaction = (_number(outcome.reaction_ms.get(quantile)) for quantile in _QUANTILES)
    return [*rows, (work, f"key to answer, {backend}", "", "", "", "", *reaction, "", "")]


def _figures(heard: Heard) -> tuple[str, ...]:
    """Give the columns of what was heard of one sender."""
    counts = (heard.notes, heard.missing, heard.doubled, heard.stuck)
    return (*map(str, counts), *(_number(heard.off_ms.get(quantile)) for quantile in _QUANTILES))


def _number(value: float | None) -> str:
    """Give a number with three digits, nothing where there is none."""
    return "" if value is None else f"{value:.3f}"
