"""`improviser evaluate`: the musical figures of a preset beside people and baselines."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.cli.console import progress, say_json, say_table, tell
from improviser.cli.extras import load_corpus, need_plots, need_training
from improviser.cli.options import DEFAULT_PRESET, JsonOption, PresetOption, SeedOption
from improviser.cli.playing import load_actor, make_settings, preset_actor
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.agent.policy import Actor
    from improviser.config.preset import Preset
    from improviser.training.evaluate import Evaluation, Plan
    from improviser.training.piece import Piece
    from improviser.training.table import Table

EXAMPLES = """
improviser evaluate
improviser evaluate --preset fiddle --pieces 60
improviser evaluate --preset chorale --json
improviser evaluate --preset chorale --knobs
improviser evaluate --listening
improviser evaluate --preset chorale --beside old=/tmp/models/chorale.safetensors --plots /tmp/plots
"""

PiecesOption = Annotated[int, typer.Option("--pieces", min=1, help="Held-out pieces to play.")]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", min=0, max=5, help="Instead of the preset's.")
]
PriorOption = Annotated[
    float | None, typer.Option("--prior-weight", min=0, max=5, help="Instead of the preset's.")
]
BesideOption = Annotated[
    list[str] | None,
    typer.Option(
        "--beside", metavar="NAME=PATH", help="One more column: the model in this file, played as the preset."
    ),
]
AdaptationOption = Annotated[
    bool,
    typer.Option("--adaptation/--no-adaptation", help="Let the engine follow a player who changes, or not."),
]
KnobsOption = Annotated[
    bool, typer.Option("--knobs", help="Turn each knob from 0 to 2 instead, and measure what it does.")
]
ListeningOption = Annotated[
    bool, typer.Option("--listening", help="Measure instead how well the key is heard, whatever the preset.")
]
PlotsOption = Annotated[
    Path | None, typer.Option("--plots", metavar="FOLDER", help="Draw piano rolls and curves into a folder.")
]

DEFAULT_PIECES = 40


def evaluate(
    preset: PresetOption = DEFAULT_PRESET,
    pieces: PiecesOption = DEFAULT_PIECES,
    seed: SeedOption = 0,
    temperature: TemperatureOption = None,
    prior_weight: PriorOption = None,
    beside: BesideOption = None,
    adaptation: AdaptationOption = True,
    knobs: KnobsOption = False,
    listening: ListeningOption = False,
    plots: PlotsOption = None,
    json: JsonOption = False,
) -> None:
    """Measure a preset's playing on held-out pieces, beside people and baselines.

    The baselines are random notes in key, the prior alone, and what is best for the reward at each step.
    Means over the pieces with 95 % intervals; ! marks what lies outside of its band. Read the table whole:
    each figure alone can be had by playing badly. What each means: docs/metrics.md. With --json each line is
    one column of it.
    """
    need_training()
    if plots is not None:
        need_plots()
    from improviser.config.preset import load_preset

    start_s = time.monotonic()
    if listening:
        _hear(load_corpus(), json=json)
        return
    chosen = load_preset(preset)
    overrides = {"temperature": temperature, "prior_weight": prior_weight}
    decision = chosen.decision.model_copy(update={k: v for k, v in overrides.items() if v is not None})
    chosen = chosen.model_copy(update={"decision": decision})
    others = {
        name: load_actor(path, str(chosen.style)) for name, path in beside_files(beside, chosen).items()
    }
    actor, corpus = preset_actor(chosen), load_corpus()
    plan = make_plan(chosen, corpus, count=pieces, seed=seed, beside=others, adaptation=adaptation)
    if knobs:
        _turn(actor, plan, plots, json=json)
    else:
        evaluation = _run(actor, plan)
        _show(evaluation.table, preset, json=json)
        if plots is not None:
            _draw(evaluation, plots)
    tell(f"evaluated in {time.monotonic() - start_s:.0f} s")


def evaluate_model(
    preset: Preset, actor: Actor, pieces: list[Piece], *, beside: Mapping[str, Actor] | None = None
) -> Table:
    """Give the figures of `actor`, playing as `preset` says, and of what it is measured against."""
    return _run(actor, make_plan(preset, pieces, beside=beside)).table


def make_plan(
    preset: Preset,
    pieces: list[Piece],
    *,
    count: int = DEFAULT_PIECES,
    seed: int = 0,
    beside: Mapping[str, Actor] | None = None,
    adaptation: bool = True,
) -> Plan:
    """Give what is to be evaluated of `preset` on about `count` held-out pieces.

    Raises:
        CorpusError: No held-out piece is long enough.
    """
    from improviser.engine import AUTO_KEY
    from improviser.errors import CorpusError
    from improviser.training.chooser import Conditions
    from improviser.training.env import RewardWeights
    from improviser.training.evaluate import Plan, spread
    from improviser.training.material import GameSettings, held_out_parts, human_parts, training_lines
    from improviser.training.metrics import known_phrases

    weights = RewardWeights(preset.reward.harmony, preset.reward.coherence, preset.reward.creativity)
    settings = GameSettings(str(preset.style), preset.grid.steps_per_beat, preset.pitch_range.low)
    engine = make_settings(preset, key=AUTO_KEY)
    plan = Plan(
        players=spread(held_out_parts(pieces, settings), count),
        people=spread(human_parts(pieces, settings), count),
        conditions=Conditions(engine.knobs, weights),
        seed=seed,
        name=preset.name,
        beside=beside or {},
        known=known_phrases(training_lines(pieces, settings)),
        engine=engine if adaptation else None,
    )
    if not plan.players:
        raise CorpusError("no held-out piece is long enough to be played; install music21's corpus anew")
    return plan


def _run(actor: Actor, plan: Plan) -> Evaluation:
    """Evaluate, with progress."""
    from improviser.training.evaluate import evaluate as run_evaluation

    with progress("evaluating", 1) as advance:
        return run_evaluation(actor, plan, lambda done, total: advance(done / total))


def _turn(actor: Actor, plan: Plan, folder: Path | None, *, json: bool) -> None:
    """Turn each knob, and print what it does."""
    from improviser.training.knob_sweep import SETTINGS, sweep

    with progress("turning", 1) as advance:
        sweeps = sweep(actor, plan, lambda done, total: advance(done / total))
    if json:
        for one in sweeps:
            means = [value.mean for value in one.values]
            shown = {"knob": one.knob, "measure": one.measure, "settings": SETTINGS, "values": means}
            beside = {"human": one.human, "random": one.random, "share": one.share, "kept": one.is_kept}
            say_json({"event": "turned", "preset": plan.name, **shown, **beside})
    else:
        settings = [f"{setting:g}" for setting in SETTINGS]
        say_table(
            ("KNOB", "MEASURE", *settings, "HUMAN", "RANDOM", "MOVED", ""),
            [
                (
                    one.knob,
                    one.measure,
                    *(f"{value.mean:.3f}" for value in one.values),
                    f"{one.human:.3f}",
                    f"{one.random:.3f}",
                    f"{100 * one.share:.0f} %",
                    "" if one.is_kept else "!",
                )
                for one in sweeps
            ],
        )
    if folder is not None:
        from improviser.training.plot import write_knobs

        tell(f"the plot is {write_knobs(sweeps, folder)}")


def _hear(pieces: list[Piece], *, json: bool) -> None:
    """Let the key tracker hear the held-out pieces, and print how well it did."""
    from improviser.training.key_figures import listening_figures

    figures = listening_figures(pieces)
    if json:
        for heard, row in figures.items():
            say_json({"event": "heard", "heard": heard, "figures": row})
        return
    names = dict.fromkeys(name for row in figures.values() for name in row)
    say_table(
        ("FIGURE", *figures),
        [(name, *(f"{row.get(name, float('nan')):.1f}" for row in figures.values())) for name in names],
    )


def beside_files(given: list[str] | None, preset: Preset) -> dict[str, Path]:
    """Give the further model files by the names of their columns, or raise UsageError."""
    from improviser.training.table import BASELINES

    files: dict[str, Path] = {}
    for text in given or ():
        name, _, path = text.partition("=")
        if not (name and path):
            raise UsageError(f"--beside wants NAME=PATH, not '{text}'")
        if name in {*BASELINES, preset.name, *files}:
            raise UsageError(f"there is a column '{name}' already; give --beside another name")
        files[name] = Path(path)
    return files


def _show(table: Table, preset: str, *, json: bool) -> None:
    """Print the table, or a line of JSON a column."""
    if not json:
        say_table(("FIGURE", *table.columns, "BAND"), [table.cells(figure) for figure in table.rows()])
        return
    for name, column in table.columns.items():
        verdicts = {figure: table.verdict(figure, name) for figure in column}
        say_json(
            {
                "event": "evaluated",
                "preset": preset,
                "column": name,
                "figures": {figure: estimate.mean for figure, estimate in column.items()},
                "intervals": {figure: [found.low, found.high] for figure, found in column.items()},
                "bands": {
                    figure: {"band": kept.band, "low": kept.low, "high": kept.high, "kept": kept.is_kept}
                    for figure, kept in verdicts.items()
                    if kept is not None
                },
            }
        )


def _draw(evaluation: Evaluation, folder: Path) -> None:
    """Draw the plots, and tell where they are."""
    from improviser.training.plot import write_plots

    written = write_plots(evaluation, folder)
    tell(f"{len(written)} plots are in {folder}")
