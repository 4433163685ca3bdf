"""`improviser bench`: measures how fast this machine decides, plays, simulates and learns."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.optional import INSTALL, missing_training, need_training
from improviser.app.preset_policy import make_settings, preset_actor
from improviser.cli.console import progress, say_json, say_table, tell
from improviser.cli.options import JsonOption, PresetOption
from improviser.config.default import DEFAULT_PRESET

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine

    Figures = dict[str, float]

EXAMPLES = """
improviser bench
improviser bench decision engine
improviser bench --json
improviser bench timing --seconds 60 --period 16
improviser bench timing --work learner --json
improviser bench timing --backend jack --runs 3
improviser bench taste --preset fiddle --plots /tmp/plots
improviser bench learn --preset fiddle --player drone
"""

WhatArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[decision] [engine] [ready] [env] [training] [timing] [taste] [learn]",
        help="What to measure. Default: all except timing, taste and learn.",
    ),
]

NEED_TRAINING = frozenset({"env", "training"})
TIMING, TASTE, LEARN = "timing", "taste", "learn"


class TimedBackend(StrEnum):
    """The MIDI systems whose timing can be measured."""

    JACK = "jack"
    RTMIDI_JACK = "rtmidi-jack"


SecondsOption = Annotated[float, typer.Option("--seconds", min=5, help="timing: seconds per trial.")]
PeriodOption = Annotated[int, typer.Option("--period", min=16, max=4096, help="timing: JACK's period in frames.")]
RunsOption = Annotated[
    int, typer.Option("--runs", min=1, help="timing: number of runs; with several, medians are printed too.")
]
BackendOption = Annotated[
    TimedBackend | None, typer.Option("--backend", help="timing: measure this one only. Default: both.")
]
WorkOption = Annotated[
    list[str] | None,
    typer.Option(
        "--work", metavar="NAME", help="timing: idle, learner, learning, pages, loaded or ordinary. Default: all."
    ),
]
TrialsOption = Annotated[int, typer.Option("--trials", min=1, help="taste: number of trials of each kind.")]
SplitOption = Annotated[str, typer.Option("--split", help="taste: test, or valid while you try things out.")]
PlotsOption = Annotated[
    Path | None, typer.Option("--plots", metavar="FOLDER", help="taste: folder to draw the curve into.")
]
PlayerOption = Annotated[str, typer.Option("--player", help="learn: the player, drone or planing.")]
MinutesOption = Annotated[float, typer.Option("--minutes", min=2, help="learn: minutes to play.")]
SeedsOption = Annotated[int, typer.Option("--seeds", min=1, help="learn: number of runs, each with another seed.")]
DECISIONS = 20_000


def bench(
    what: WhatArgument = None,
    *,
    preset: PresetOption = DEFAULT_PRESET,
    seconds: SecondsOption = 20,
    period: PeriodOption = 128,
    work: WorkOption = None,
    backend: BackendOption = None,
    runs: RunsOption = 1,
    trials: TrialsOption = 22,
    split: SplitOption = "test",
    plots: PlotsOption = None,
    player: PlayerOption = "drone",
    minutes: MinutesOption = 10,
    seeds: SeedsOption = 3,
    json: JsonOption = False,
) -> None:
    """Measure the speed of decisions, engine, start, environment and training on this machine.

    decision: from the moment of a step to its messages, as in a jam: what was heard before is already processed.
    "unprepared" is all that work at once, as after a note at the last moment. "anticipating" is the same on the
    grid, where the values are averaged over what the player will probably do.

    ready: from the start of a jam to its open ports, compared with importing its libraries. Where JACK runs,
    also the memory of the real-time process beyond a bare client's, and the jam's CPU share while it waits.

    timing: a jam on a JACK server of its own (dummy driver). Another client measures how far each note and clock
    tick is off the grid, compared with programs in C, and how long --thru takes. The jam runs alone, beside a
    learner, learning itself, with pages open, on a fully loaded machine, or beside a learner without real-time
    priority.

    taste: simulated listeners with a hidden taste press like and dislike, late and sometimes wrongly. It
    measures what three dislikes change, and how close the learned taste comes to the hidden one.

    learn: a jam learns in the background with a player whose style is not in the corpus. It measures the
    reward with held-out pieces of that player and elsewhere.

    Compare figures of one run only: a machine's speed differs from hour to hour.
    """
    from improviser.cli.bench.learn import bench_learn
    from improviser.cli.bench.taste import bench_taste
    from improviser.cli.bench.timing import TimingPlan, bench_timing

    plan = TimingPlan(preset, seconds, period, work or (), backend or "", runs)
    trials_of_their_own: dict[str, Callable[[], None]] = {
        TIMING: lambda: bench_timing(plan, as_json=json),
        TASTE: lambda: bench_taste(preset, trials, plots, split=split, as_json=json),
        LEARN: lambda: bench_learn(preset, player, minutes, seeds, as_json=json),
    }
    for name, run in trials_of_their_own.items():
        if name in (what or ()):
            run()
    others = [name for name in what or () if name not in trials_of_their_own]
    benches = _chosen(others) if others or not what else {}
    if not benches:
        return
    with progress("measuring", len(benches)) as advance:
        results = []
        for done, (name, measure) in enumerate(benches.items(), 1):
            results += [(name, figure, value) for figure, value in measure(preset).items()]
            advance(done)
    for name, figure, value in results:
        if json:
            say_json({"event": "measured", "bench": name, "figure": figure, "value": value})
    if not json:
        say_table(("BENCH", "FIGURE", "VALUE"), [(name, figure, f"{value:,.1f}") for name, figure, value in results])


def _chosen(what: list[str] | None) -> dict[str, Callable[[str], Figures]]:
    """Return the requested benches; without a request, all whose libraries are installed."""
    from improviser.errors import UsageError

    benches = {
        "decision": _decision,
        "engine": _engine,
        "ready": _ready,
        "env": _env,
        "training": _training,
    }
    unknown = sorted(set(what or ()) - set(benches))
    if unknown:
        msg = f"unknown bench '{unknown[0]}'; there are {', '.join((*benches, TIMING, TASTE, LEARN))}"
        raise UsageError(msg)
    chosen: dict[str, Callable[[str], Figures]] = {
        name: bench for name, bench in benches.items() if not what or name in what
    }
    if not what and missing_training():
        tell(f"{' and '.join(sorted(NEED_TRAINING))} are left out; install what they need: {INSTALL}")
        return {name: bench for name, bench in chosen.items() if name not in NEED_TRAINING}
    if NEED_TRAINING & set(chosen):
        need_training()
    return chosen


def _decision(preset: str) -> Figures:
    """Measure single decisions, in microseconds."""
    import gc

    import numpy as np

    from improviser.choices import NoteTiming

    engine = _playing_engine(preset)
    gc.collect()
    gc.disable()
    prepared = np.array([_timed_step(engine, step) for step in range(DECISIONS)]) / 1000
    at_once = np.array([_timed_step(engine, step, prepare=False) for step in range(DECISIONS)]) / 1000
    engine.set_timing(NoteTiming.ON_GRID, 0.0)
    foreseen = np.array([_timed_step(engine, step, prepare=False) for step in range(DECISIONS)]) / 1000
    gc.enable()
    return {
        "p50 us": float(np.percentile(prepared, 50)),
        "p99 us": float(np.percentile(prepared, 99)),
        "max us": float(prepared.max()),
        "unprepared p50 us": float(np.percentile(at_once, 50)),
        "unprepared p99 us": float(np.percentile(at_once, 99)),
        "anticipating p50 us": float(np.percentile(foreseen, 50)),
        "anticipating p99 us": float(np.percentile(foreseen, 99)),
    }


def _engine(preset: str) -> Figures:
    """Measure whole engine steps, including the processing of input, per CPU second."""
    engine = _playing_engine(preset)
    start_s = time.process_time()
    for step in range(DECISIONS):
        _timed_step(engine, step)
    return {"steps per CPU second": DECISIONS / (time.process_time() - start_s)}


def _ready(preset: str) -> Figures:
    """Measure the start time of a jam and, if JACK runs, what an idle jam takes."""
    from improviser.studies.readiness import measure_idle, measure_ready

    figures, idle = measure_ready(preset), measure_idle(preset)
    if not idle:
        tell("what an idle jam takes is left out: no JACK server answers; start one with: jackd -d dummy")
    return figures | idle


def _env(preset: str) -> Figures:
    """Measure the environment without a learner."""
    from improviser.studies.speed import measure_env

    del preset
    best, median, cost = measure_env()
    return {
        "steps per CPU second, 64 lanes, best": best,
        "steps per CPU second, 64 lanes, median": median,
        "additions of 64 numbers a step": cost,
    }


def _training(preset: str) -> Figures:
    """Measure the training loop of deep Q-learning on one thread."""
    from improviser.studies.speed import measure_learning

    del preset
    transitions, updates = measure_learning()
    return {"transitions per CPU second": transitions, "updates per CPU second": updates}


def _playing_engine(preset: str) -> Engine:
    """Return an engine with the preset's model that has played 200 steps."""
    import numpy as np

    from improviser.config.preset import load_preset
    from improviser.engine import Engine

    chosen = load_preset(preset)
    engine = Engine(make_settings(chosen, key="C"), preset_actor(chosen), np.random.default_rng(0))
    engine.start(0.0, 0.0)
    for step in range(200):
        _timed_step(engine, step)
    return engine


def _timed_step(engine: Engine, step: int, *, prepare: bool = True) -> int:
    """Pass the next note of a scale to the engine, prepare if wanted, and step; return the step's nanoseconds."""
    from improviser.midi.message import NoteOff, NoteOn

    at_s = engine.next_step_s or 0.0
    if step % 4 == 0:
        scale = (60, 62, 64, 65, 67, 69, 71, 72)
        engine.hear(NoteOff(0, scale[(step // 4 - 1) % 8]), at_s)
        engine.hear(NoteOn(0, scale[step // 4 % 8], 80), at_s)
    engine.preferences.settle()
    if prepare:
        engine.prepare()
    start_ns = time.perf_counter_ns()
    engine.step(at_s)
    return time.perf_counter_ns() - start_ns
