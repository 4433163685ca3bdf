"""`improviser evaluate`: the musical figures of a preset, compared with people and baselines."""

from __future__ import annotations

import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.evaluation_plan import DEFAULT_PIECES, make_plan
from improviser.app.optional import need_beat_scores, need_plots, need_training
from improviser.app.preset_policy import make_settings, preset_actor
from improviser.cli.console import progress, say_json, say_table, tell
from improviser.cli.corpus import load_corpus
from improviser.cli.evaluate.beat import measure_beat
from improviser.cli.evaluate.feel import measure_feel
from improviser.cli.evaluate.hearing import measure_hearing
from improviser.cli.evaluate.knobs import turn_knobs
from improviser.cli.evaluate.late import measure_lateness
from improviser.cli.evaluate.listening import Chosen, measure_listening
from improviser.cli.options import JobsOption, JsonOption, PresetOption, RayOption, SeedOption
from improviser.config.default import DEFAULT_PRESET
from improviser.errors import UsageError
from improviser.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from improviser.agent.policy import Actor
    from improviser.config.preset import Preset
    from improviser.evaluation.evaluate import Evaluation, Plan
    from improviser.evaluation.in_time.feel_figures import Subject
    from improviser.evaluation.report import EvaluationTable

EXAMPLES = """
improviser evaluate
improviser evaluate --preset fiddle --pieces 60
improviser evaluate --preset chorale --json
improviser evaluate knobs --preset chorale
improviser evaluate --preset fiddle --split valid
improviser evaluate hearing
improviser evaluate listening --preset fiddle --corpora corpora --pieces 16
improviser evaluate phrases --preset pop --corpora corpora --pieces 16
improviser evaluate feel --preset fiddle --corpora corpora
improviser evaluate late --preset fiddle
improviser evaluate timing --preset fiddle --pieces 12
improviser evaluate beat --corpora /tmp/corpora
improviser evaluate --preset chorale --beside old=/tmp/models/chorale.safetensors --plots /tmp/plots
"""


class What(StrEnum):
    """What can be measured."""

    MUSIC = "music"
    KNOBS = "knobs"
    HEARING = "hearing"
    LISTENING = "listening"
    PHRASES = "phrases"
    FEEL = "feel"
    LATE = "late"
    TIMING = "timing"
    BEAT = "beat"


class Split(StrEnum):
    """Which held-out pieces are played."""

    TEST = "test"
    VALID = "valid"


_LATE = (What.LATE, What.TIMING)
_HEARD = (What.HEARING, What.BEAT)
_BESIDE_PIECES = (What.LISTENING, What.PHRASES)
_WITH_CORPORA = (*_BESIDE_PIECES, What.BEAT, What.FEEL)
WhatArgument = Annotated[
    What,
    typer.Argument(
        help="music: how the preset plays. knobs: what each knob does between 0 and 2. hearing: how well keys and "
        "chords are heard, for all presets. listening: how much of the player is in what it plays, right player "
        "minus wrong player, with --corpora. phrases: how it breathes, repeats and answers, likewise. late: how "
        "consonant it is with players whose notes come after the decision. timing: the same by when notes leave, by "
        "how late players are and by the look-ahead of the output. "
        "beat: how well the beat is found by ear, with --corpora. feel: how swing, accents and note lengths are heard "
        "and played, with --corpora."
    ),
]
PiecesOption = Annotated[int, typer.Option("--pieces", min=1, help="Number of held-out pieces to play.")]
SplitOption = Annotated[
    Split,
    typer.Option("--split", help="Which held-out pieces to play."),
]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", min=0, max=5, help="Temperature. Default: the preset's.")
]
PriorOption = Annotated[
    float | None, typer.Option("--prior-weight", min=0, max=5, help="Weight of the prior. Default: the preset's.")
]
BesideOption = Annotated[
    list[str] | None,
    typer.Option(
        "--beside", metavar="NAME=PATH", help="Add a column for another model, played as the preset. Can be repeated."
    ),
]
AdaptationOption = Annotated[
    bool,
    typer.Option(
        "--adaptation/--no-adaptation",
        help="Also measure how the engine follows a player who changes key, chord or tempo, rests or slips.",
    ),
]
PlotsOption = Annotated[
    Path | None, typer.Option("--plots", metavar="FOLDER", help="Folder to draw piano rolls and curves into.")
]
CardOption = Annotated[
    bool,
    typer.Option("--card", help="Also write the tables of 'music', 'listening' or 'phrases' into the card."),
]
CorporaOption = Annotated[
    Path | None,
    typer.Option(
        "--corpora",
        metavar="FOLDER",
        help="Folder of the sets of MIDI files, for 'beat', 'feel' and 'listening', and for presets that learned from "
        "such sets.",
    ),
]


def evaluate(
    what: WhatArgument = What.MUSIC,
    preset: PresetOption = DEFAULT_PRESET,
    pieces: PiecesOption = DEFAULT_PIECES,
    split: SplitOption = Split.TEST,
    seed: SeedOption = 0,
    temperature: TemperatureOption = None,
    prior_weight: PriorOption = None,
    beside: BesideOption = None,
    adaptation: AdaptationOption = True,
    plots: PlotsOption = None,
    corpora: CorporaOption = None,
    jobs: JobsOption = 1,
    ray: RayOption = None,
    card: CardOption = False,
    json: JsonOption = False,
) -> None:
    """Measure a preset's playing on held-out pieces, beside people and baselines.

    The baselines are random notes in key, the prior alone, and the best reward at each step. The table shows
    means over the pieces with 95 % intervals; ! marks a figure outside its band. docs/metrics.md explains each
    figure. Read the whole table: a player can score well on any one figure and still play badly. --json prints
    one line per column.
    """
    _check(what, split, beside, plots, corpora, card=card)
    need_training()
    start_s, workers = time.monotonic(), Workers(jobs, ray)
    if corpora is not None and what in _WITH_CORPORA:
        chosen = _preset(preset, {})
        if what in _BESIDE_PIECES:
            to = chosen.model_path.with_suffix(".md") if card else None
            which = Chosen(pieces, split, by_phrases=what is What.PHRASES)
            measure_listening(corpora, _subject(chosen, seed), which, workers, to, json=json)
        else:
            _measure_beside(what, corpora, _subject(chosen, seed), pieces, json=json)
    elif what is What.HEARING:
        measure_hearing(load_corpus(), json=json)
    else:
        chosen = _preset(preset, {"temperature": temperature, "prior_weight": prior_weight})
        others = {name: preset_actor(chosen, path) for name, path in beside_files(beside, chosen).items()}
        actor, corpus = preset_actor(chosen), load_corpus(chosen.style, corpora)
        plays = adaptation or what in _LATE
        plan = make_plan(chosen, corpus, count=pieces, split=split, seed=seed, adaptation=plays)
        plan = replace(plan, beside=others)
        if what is What.KNOBS:
            turn_knobs(actor, plan, plots, workers, json=json)
        elif what in _LATE:
            measure_lateness(actor, plan, by_timing=what is What.TIMING, json=json)
        else:
            evaluation = _run(actor, plan, workers)
            show_table(evaluation.table, preset, json=json)
            _keep(evaluation, chosen if card else None, plots)
    tell(f"evaluated in {time.monotonic() - start_s:.0f} s")


def _keep(evaluation: Evaluation, preset: Preset | None, plots: Path | None) -> None:
    """Write an evaluation into the card of a preset's model and draw its plots into a folder; None leaves either."""
    from improviser.evaluation.model_card import write_figures

    if preset is not None:
        write_figures(preset.model_path.with_suffix(".md"), evaluation.table)
    if plots is not None:
        _draw(evaluation, plots)


def _measure_beside(what: What, corpora: Path, subject: Subject, pieces: int, *, json: bool) -> None:
    """Measure how a preset hears beat and feel beside the songs of the corpora."""
    if what is What.BEAT:
        need_beat_scores()
        measure_beat(corpora, subject, pieces, json=json)
    else:
        measure_feel(corpora, subject, json=json)


def _check(
    what: What, split: Split, beside: list[str] | None, plots: Path | None, corpora: Path | None, *, card: bool
) -> None:
    """Raise UsageError for an option that has no effect, or that is missing, or for plots that cannot be drawn."""
    is_test, of_card = split is Split.TEST, {What.MUSIC, *_BESIDE_PIECES}
    refused = {
        f"'{what}' needs --corpora FOLDER": what in _WITH_CORPORA and corpora is None,
        "--card is for 'music', 'listening' and 'phrases'": card and what not in of_card,
        "a card has the figures of the test split only": card and not is_test,
        "'hearing' hears music21's corpus; --corpora has no effect": what is What.HEARING and corpora is not None,
        f"'{what}' hears the test split only": what in _HEARD and not is_test,
        f"--beside adds a column to the music's figures; '{what}' has none": what is not What.MUSIC and bool(beside),
        f"there are no plots of '{what}'": what not in {What.MUSIC, What.KNOBS} and plots is not None,
    }
    for reason, is_refused in refused.items():
        if is_refused:
            raise UsageError(reason)
    if plots is not None:
        need_plots()


def _subject(preset: Preset, seed: int) -> Subject:
    """Return a preset that plays beside the songs of the corpora."""
    from improviser.evaluation.in_time.feel_figures import Subject

    return Subject(make_settings(preset, key=None), preset_actor(preset), seed)


def _preset(name: str, overrides: Mapping[str, float | None]) -> Preset:
    """Return a preset, with its decision settings replaced by the given `overrides`."""
    from improviser.config.preset import load_preset

    chosen = load_preset(name)
    given = {option: value for option, value in overrides.items() if value is not None}
    return chosen.model_copy(update={"decision": chosen.decision.model_copy(update=given)})


def _run(actor: Actor, plan: Plan, workers: Workers) -> Evaluation:
    """Run an evaluation and show its progress."""
    from improviser.evaluation.evaluate import evaluate as run_evaluation

    with progress("evaluating", 1) as advance:
        return run_evaluation(actor, plan, lambda done, total: advance(done / total), workers)


def beside_files(given: list[str] | None, preset: Preset) -> dict[str, Path]:
    """Return the paths of the additional models by their column names. Raises UsageError."""
    from improviser.evaluation.report import BASELINES

    files: dict[str, Path] = {}
    for text in given or ():
        name, _, path = text.partition("=")
        if not (name and path):
            raise UsageError(f"--beside wants NAME=PATH, not '{text}'")
        if name in {*BASELINES, preset.name, *files}:
            raise UsageError(f"there is a column '{name}' already; give --beside another name")
        files[name] = Path(path)
    return files


def show_table(table: EvaluationTable, preset: str, *, json: bool) -> None:
    """Print the table, or one JSON line per column."""
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
    """Draw the plots, and print where they are."""
    from improviser.evaluation.plot import write_plots

    written = write_plots(evaluation, folder)
    tell(f"{len(written)} plots are in {folder}")
