"""`improviser bench timing`: measures the timing of notes, compared with a reference in C."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from improviser.app.optional import missing_training
from improviser.cli.console import progress, say, say_json, say_table, tell
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.studies.timing.analysis import ProbedNotes
    from improviser.studies.timing.run import TimingOutcome, TimingRun

_LEARNER = "from improviser.studies.speed import measure_learning\nwhile True: measure_learning()"
_HEAD = (
    "WORK",
    "SENDER",
    "SENT",
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
_MEDIAN_HEAD = ("MEDIAN", "SENDER", "P99/C", "P99.9/C")
_QUANTILES = ("p50", "p99", "p99.9", "max")


@dataclass(frozen=True, slots=True)
class TimingPlan:
    """What to measure.

    Attributes:
        preset: Preset of the jam.
        seconds: Duration of a trial in seconds.
        period: JACK's period in frames.
        works: Names of the kinds of work that run beside the jam; empty: all.
        backend: Name of the MIDI system to measure; empty: both.
        runs: Number of runs.
    """

    preset: str
    seconds: float
    period: int
    works: Sequence[str]
    backend: str
    runs: int


def bench_timing(plan: TimingPlan, *, as_json: bool) -> None:
    """Measure, and print the table or one JSON object per trial.

    Raises:
        ImproviserError: There is no JACK, or a jam does not start.
        UsageError: A kind of work is unknown.
    """
    from improviser.studies.timing.reference import NEEDS
    from improviser.studies.timing.run import run_trial

    trials = _trials(plan)
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
        return
    say_table(_HEAD, [row for outcome in outcomes for row in _rows(outcome)])
    if plan.runs > 1:
        say("")
        say_table(_MEDIAN_HEAD, _median_rows(outcomes))


def _trials(plan: TimingPlan) -> list[TimingRun]:
    """Return the trials of all runs. Raises UsageError if a kind of work is unknown."""
    from improviser.studies.timing.run import BACKENDS, WORKS, TimingRun

    unknown = sorted(set(plan.works) - {work.name for work in WORKS})
    if unknown:
        raise UsageError(f"no work '{unknown[0]}'; there is {', '.join(work.name for work in WORKS)}")
    chosen = [work for work in WORKS if not plan.works or work.name in plan.works]
    if missing_training() and any(work.learns or work.jam_learns for work in chosen):
        tell('the learner is left out: it takes pip install "improviser-live[train]"')
        chosen = [work for work in chosen if not (work.learns or work.jam_learns)]
    learner = (sys.executable, "-P", "-c", _LEARNER)
    backends = [name for name in BACKENDS if not plan.backend or name == plan.backend]
    once = [
        TimingRun(work, name, plan.preset, plan.period, plan.seconds, learner) for work in chosen for name in backends
    ]
    return once * plan.runs


def _rows(outcome: TimingOutcome) -> list[tuple[str, ...]]:
    """Return a trial's rows: the jam's notes and ticks, each followed by the reference's, and the reactions."""
    work, backend = outcome.trial.work.name, outcome.trial.backend
    rows: list[tuple[str, ...]] = []
    for what, ours, theirs in _pairs(outcome):
        rows.append((work, f"{what}, {backend}", *_figures(ours), *_ratios(ours, theirs)))
        if theirs is not None:
            rows.append((work, f"{what}, C beside {backend}", *_figures(theirs), "", ""))
    reaction = (_number(outcome.reaction_ms.get(quantile)) for quantile in _QUANTILES)
    return [*rows, (work, f"key to answer, {backend}", "", "", "", "", *reaction, "", "")]


def _pairs(outcome: TimingOutcome) -> tuple[tuple[str, ProbedNotes, ProbedNotes | None], ...]:
    """Return what the jam and the reference have sent."""
    return (
        ("notes", outcome.jam, outcome.reference),
        ("clock", outcome.clock, outcome.reference_clock),
    )


def _median_rows(outcomes: Sequence[TimingOutcome]) -> list[tuple[str, ...]]:
    """Return the medians of the ratios over the runs of each trial."""
    from improviser.studies.timing.run import ratios

    runs: dict[tuple[str, str], list[dict[str, float | None]]] = {}
    for outcome in outcomes:
        for what, ours, theirs in _pairs(outcome):
            key = outcome.trial.work.name, f"{what}, {outcome.trial.backend}"
            runs.setdefault(key, []).append(ratios(ours, theirs))
    return [
        (*key, *(_number(_median([run[quantile] for run in of_key])) for quantile in ("p99", "p99.9")))
        for key, of_key in runs.items()
    ]


def _median(values: Sequence[float | None]) -> float | None:
    """Return the median of the numbers; None if there are none."""
    numbers = [value for value in values if value is not None]
    return statistics.median(numbers) if numbers else None


def _ratios(ours: ProbedNotes, theirs: ProbedNotes | None) -> tuple[str, ...]:
    """Return the two columns with the ratios."""
    from improviser.studies.timing.run import ratios

    found = ratios(ours, theirs)
    return _number(found["p99"]), _number(found["p99.9"])


def _figures(heard: ProbedNotes) -> tuple[str, ...]:
    """Return the columns for the notes of one sender."""
    counts = (heard.notes, heard.missing, heard.doubled, heard.stuck)
    return (*map(str, counts), *(_number(heard.off_ms.get(quantile)) for quantile in _QUANTILES))


def _number(value: float | None) -> str:
    """Return a number with three decimal places, or nothing for None."""
    return "" if value is None else f"{value:.3f}"
