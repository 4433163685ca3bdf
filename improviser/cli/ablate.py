"""`improviser ablate`: what each addition to the textbook algorithm gains at equal CPU time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.evaluation_plan import make_plan
from improviser.app.optional import need_training
from improviser.cli.console import progress, say_json, say_table, tell
from improviser.cli.corpus import load_corpus
from improviser.cli.options import JobsOption, JsonOption, PresetOption, RayOption, SeedOption
from improviser.cli.train import UpdatesOption, make_training, step_progress
from improviser.config.default import DEFAULT_PRESET
from improviser.errors import ImproviserError, UsageError
from improviser.workers import Workers

if TYPE_CHECKING:
    from improviser.studies.ablation import AblationStudy, Variant, VariantOutcome

EXAMPLES = """
improviser ablate
improviser ablate textbook full --seconds 20 --seeds 1
improviser ablate --page docs/ablation.md
improviser ablate --preset fiddle --out /tmp/ablation --json
improviser ablate --transitions 50000 --ray 192.168.1.4:6379
"""

VariantsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[VARIANT]...", help="Words in the names of the variants to run. Default: all."),
]
SecondsOption = Annotated[float, typer.Option("--seconds", min=0.1, help="CPU seconds per training.")]
SeedsOption = Annotated[int, typer.Option("--seeds", min=1, help="Trainings per variant.")]
TransitionsOption = Annotated[
    int | None,
    typer.Option(
        "--transitions", min=64, help="Environment steps per training, in place of a time: for unequal machines."
    ),
]
PiecesOption = Annotated[int, typer.Option("--pieces", min=1, help="Number of held-out pieces to play.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for finished trainings. Default: in the cache folder.")
]
PageOption = Annotated[
    Path | None, typer.Option("--page", metavar="FILE", help="Markdown file to write the tables to.")
]


def ablate(
    variants: VariantsArgument = None,
    preset: PresetOption = DEFAULT_PRESET,
    seconds: SecondsOption = 60.0,
    transitions: TransitionsOption = None,
    seeds: SeedsOption = 3,
    prior_updates: UpdatesOption = 6_000,
    pieces: PiecesOption = 40,
    seed: SeedOption = 0,
    out: OutOption = None,
    page: PageOption = None,
    jobs: JobsOption = 1,
    ray: RayOption = None,
    json: JsonOption = False,
) -> None:
    """Measure what each addition to textbook deep Q-learning gains.

    The variants start at the textbook, add one thing after another up to the shipped training, and then change
    single things. Each is trained for the same CPU time on one thread, from the same prior, with several seeds,
    and plays held-out pieces. Give the same command again to resume. The trainings may share several processes or
    machines (--jobs, --ray).
    """
    need_training()
    from improviser.config.preset import load_preset
    from improviser.studies.ablation import AblationStudy, references, run_study
    from improviser.training.run_state import run_folder

    chosen, corpus = load_preset(preset), load_corpus()
    study = AblationStudy(
        settings=make_training(chosen, seed=seed, prior_updates=prior_updates),
        plan=make_plan(chosen, corpus, count=pieces, seed=seed, adaptation=False),
        seconds=seconds,
        folder=out or run_folder(f"{chosen.name}-ablation"),
        seeds=seeds,
        variants=_chosen(variants),
        transitions=transitions,
    )
    with ExitStack() as fitting, progress("ablation", len(study.variants) * seeds) as advance:
        outcomes = run_study(study, corpus, advance, step_progress(fitting), Workers(jobs, ray))
    beside = references(study, corpus)
    if json:
        _say_lines(outcomes)
    else:
        _say(outcomes)
    if page is not None:
        _write_page(page, study, outcomes, beside)


def _chosen(words: list[str] | None) -> tuple[Variant, ...]:
    """Return the variants whose names contain one of the words. Raises UsageError if there are none."""
    from improviser.studies.ablation import VARIANTS

    chosen = tuple(one for one in VARIANTS if not words or any(word in one.name for word in words))
    if not chosen:
        raise UsageError(f"unknown variant; the variants are: {'; '.join(one.name for one in VARIANTS)}")
    return chosen


def _say_lines(outcomes: list[VariantOutcome]) -> None:
    """Print one JSON line per outcome."""
    from dataclasses import asdict

    for outcome in outcomes:
        say_json({"event": "learned", **asdict(outcome)})


def _say(outcomes: list[VariantOutcome]) -> None:
    """Print a table with the rewards, one row per variant."""
    from improviser.studies.ablation_page import by_variant, spread

    rows = [
        (
            name,
            spread([outcome.greedy["reward"] for outcome in own], "reward"),
            spread([outcome.stage["reward"] for outcome in own], "reward"),
            f"{sum(outcome.updates for outcome in own) / len(own):,.0f}",
        )
        for name, own in by_variant(outcomes).items()
    ]
    say_table(("VARIANT", "REWARD, GREEDY", "REWARD, ON STAGE", "UPDATES"), rows)


def _write_page(
    page: Path, study: AblationStudy, outcomes: list[VariantOutcome], beside: dict[str, dict[str, float]]
) -> None:
    """Write the tables into the page. Raises ImproviserError."""
    import shlex
    import sys

    from improviser.files import write_whole
    from improviser.studies.ablation_page import page_text, section_text

    amount = f"{study.seconds:g} seconds of CPU time" if study.transitions is None else f"{study.transitions:,} steps"
    described = (
        f"{amount} each, seeds {study.settings.seed} to "
        f"{study.settings.seed + study.seeds - 1}, {len(study.plan.players)} held-out pieces; means over the "
        "seeds, +- their standard deviation."
    )
    command = shlex.join(["improviser", *sys.argv[1:]])
    try:
        old = page.read_text("utf-8") if page.exists() else "# Ablation\n"
        write_whole(page, page_text(old, section_text(outcomes, beside, command, described)).encode())
    except OSError as error:
        raise ImproviserError(f"cannot write {page}: {error.strerror}") from error
    tell(f"the tables are in {page}")
