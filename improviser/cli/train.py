"""`improviser train`: trains a model from the corpus."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import ExitStack
from errno import EACCES
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.app.game import game_settings, reward_weights
from improviser.app.optional import need_training
from improviser.app.preset_policy import preset_actor
from improviser.cli.console import progress, say, say_json, tell
from improviser.cli.corpus import load_corpus
from improviser.cli.evaluate import AdaptationOption, BesideOption, CorporaOption, beside_files
from improviser.cli.options import JobsOption, JsonOption, RayOption, SeedOption
from improviser.config.default import DEFAULT_PRESET
from improviser.errors import ImproviserError, UsageError
from improviser.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from improviser.app.training_run import Corpus, TrainedModel, TrainingRun
    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece
    from improviser.training.train import Progress, TrainingSettings

EXAMPLES = """
improviser train --preset chorale
improviser train --preset fiddle --transitions 200000 --prior-updates 1000 --out /tmp/models
improviser train --preset chorale --textbook --out /tmp/textbook
improviser train --preset chorale --beside textbook=/tmp/textbook/chorale.safetensors
improviser train --preset chorale --only-player
improviser train --preset pop --corpora ~/corpora
improviser train --preset pop --preset jazz --corpora ~/corpora --jobs 2
"""

PresetsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="Preset to train: a name (see: improviser presets) or the path of a .toml file. Can be repeated.",
    ),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the model and its card. Default: your models folder.")
]
UpdatesOption = Annotated[int, typer.Option("--prior-updates", min=1, help="Gradient steps of the prior.")]
TransitionsOption = Annotated[int, typer.Option("--transitions", min=64, help="Environment steps of the Q-network.")]
TextbookOption = Annotated[bool, typer.Option("--textbook", help="Use the textbook algorithm only, to compare.")]
HiddenOption = Annotated[
    float,
    typer.Option(
        "--hidden",
        min=0,
        max=1,
        help="Share of the player's notes that training hears only after their step was decided.",
    ),
]
OnlyPlayerOption = Annotated[
    bool,
    typer.Option("--only-player", help="Train only the network that predicts the player; keep the rest of the model."),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Start anew instead of resuming an interrupted run.")]


def train(
    preset: PresetsOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    prior_updates: UpdatesOption = 6_000,
    transitions: TransitionsOption = 500_000,
    fresh: FreshOption = False,
    textbook: TextbookOption = False,
    hidden: HiddenOption = 0.15,
    only_player: OnlyPlayerOption = False,
    beside: BesideOption = None,
    corpora: CorporaOption = None,
    adaptation: AdaptationOption = True,
    jobs: JobsOption = 1,
    ray: RayOption = None,
    json: JsonOption = False,
) -> None:
    """Train a preset's model: the prior on what people play, the Q-network, and what the player will do next.

    Style, grid, register and rewards are the preset's. Several presets may share several processes or machines
    (--jobs, --ray); the evaluation of a single one is shared too.

    The first run reads the corpus of the package music21, which takes some minutes, and keeps it in the cache
    folder. A style of pop, jazz or songs learns from sets of MIDI files instead (--corpora). Give the same command
    again to resume an interrupted run.
    """
    need_training()
    from dataclasses import replace

    from improviser.agent.config import FULL, DQNConfig
    from improviser.app.training_run import TrainingRun
    from improviser.config.preset import load_preset
    from improviser.config.resources import config_folder

    presets = [load_preset(name) for name in preset or [DEFAULT_PRESET]]
    if len(presets) > 1 and (only_player or beside):
        raise UsageError("--only-player and --beside are for a single --preset")
    runs = [
        TrainingRun(
            chosen,
            replace(
                make_training(chosen, seed=seed, prior_updates=prior_updates, transitions=transitions),
                hidden=hidden,
                dqn=DQNConfig() if textbook else FULL,
            ),
            _command(chosen if len(presets) > 1 else None),
            {name: preset_actor(chosen, path) for name, path in beside_files(beside, chosen).items()},
            fresh,
            adaptation,
        )
        for chosen in presets
    ]
    folder, workers = out or config_folder() / "presets" / "models", Workers(jobs, ray)
    _make_folder(folder)
    corpus: Corpus = {style: load_corpus(style, corpora) for style in dict.fromkeys(chosen.style for chosen in presets)}
    try:
        if only_player:
            made = iter([_run_player(presets[0], runs[0].settings, corpus[presets[0].style], folder)])
        elif len(runs) == 1:
            made = iter([_run_one(runs[0], corpus, folder, workers)])
        else:
            made = _run_all(runs, corpus, folder, workers)
        for model, card in made:
            _tell_trained(model, card, own=out is None, json=json)
    except KeyboardInterrupt:
        tell("interrupted. Give the same command again to resume")
        raise


def _tell_trained(model: Path, card: Path, *, own: bool, json: bool) -> None:
    """Print where a model and its card are, and how to play it, if it is in the user's `own` folder."""
    name = model.stem
    if json:
        say_json({"event": "trained", "preset": name, "model": str(model), "card": str(card)})
    else:
        hint = f". Play it: improviser jam --preset {name}" if own else ""
        say(f"{model} is trained; its figures are in {card}{hint}")


def make_training(preset: Preset, *, seed: int, prior_updates: int, transitions: int = 500_000) -> TrainingSettings:
    """Return the settings of a preset's training: its style, grid, register and rewards."""
    from improviser.training.train import TrainingSettings

    return TrainingSettings(
        game=game_settings(preset),
        weights=reward_weights(preset),
        seed=seed,
        prior_updates=prior_updates,
        transitions=transitions,
    )


def _make_folder(folder: Path) -> None:
    """Make the folder for the model. Raises ImproviserError before the training, not an hour later."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        msg = f"cannot write a model to {folder}: {error.strerror}; choose another folder with --out"
        raise ImproviserError(msg) from error


def _run_one(run: TrainingRun, corpus: Corpus, folder: Path, workers: Workers) -> tuple[Path, Path]:
    """Train one model here, with its progress, and write it with its card; return their paths."""
    from improviser.app.training_run import Watch, watched

    with ExitStack() as stack:
        shown = step_progress(stack)
        made = watched(corpus, run, Watch(shown, lambda done, total: shown(_evaluated(done / total))), workers)
    return _keep(run, made, folder)


def _evaluated(share: float) -> Progress:
    """Return how much of a model's evaluation is done, in percent."""
    from improviser.training.train import Progress

    return Progress("evaluating", round(100 * share), 100, 0.0, 0.0, 0.0)


def _run_all(runs: list[TrainingRun], corpus: Corpus, folder: Path, workers: Workers) -> Iterator[tuple[Path, Path]]:
    """Train several models, each in a process of its own, and yield the paths of each when it is done."""
    from improviser.app.training_run import trained

    with progress("training", len(runs)) as advance:
        for done, (number, made) in enumerate(workers.run(trained, corpus, runs), 1):
            advance(done, runs[number].preset.name)
            yield _keep(runs[number], made, folder)


def _keep(run: TrainingRun, made: TrainedModel, folder: Path) -> tuple[Path, Path]:
    """Write a model and its card, each whole or not at all; return their paths. Raises ImproviserError."""
    model = folder / run.preset.model
    card = model.with_suffix(".md")
    _write(model, made.model)
    _write(card, made.card.encode())
    return model, card


def _run_player(preset: Preset, settings: TrainingSettings, pieces: list[Piece], folder: Path) -> tuple[Path, Path]:
    """Train the network of the player for a copy of the preset's model in `folder`; return model and card.

    The figures in the card stay, because they do not depend on this network.
    """
    from improviser.evaluation.model_card import update_card
    from improviser.training.train import train_player

    model = folder / preset.model
    card = preset.model_path.with_suffix(".md")
    if model.absolute() != preset.model_path.absolute():
        _write(model, preset.model_path.read_bytes())
        _write(model.with_suffix(".md"), card.read_bytes())
    with ExitStack() as stack:
        score = train_player(settings, pieces, model, step_progress(stack))
    return model, update_card(model, score, _command())


def _command(preset: Preset | None = None) -> str:
    """Return the command line of this process, as it is shown in a card; of several presets only this one."""
    words = sys.argv[1:]
    if preset is not None:
        at = [place for place, word in enumerate(words) if word == "--preset"]
        left_out = {*at, *(place + 1 for place in at)}
        words = [word for place, word in enumerate(words) if place not in left_out] + ["--preset", preset.name]
    return shlex.join(["improviser", *words])


def _write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all. Raises ImproviserError."""
    from improviser.files import write_whole

    try:
        write_whole(path, data)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}; free some space and give the same command again"
        raise ImproviserError(msg) from error


def step_progress(stack: ExitStack) -> Callable[[Progress], None]:
    """Return the function that shows the progress of a training."""
    bars: dict[str, Callable[..., None]] = {}

    def report(now: Progress) -> None:
        """Move the stage's bar, and show loss and reward."""
        if now.stage not in bars:
            stack.close()
            bars[now.stage] = stack.enter_context(progress(now.stage, now.total))
        if now.stage == "evaluating":
            bars[now.stage](now.done)
            return
        reward = f" reward {now.reward:.3f}" if now.stage == "Q-network" else ""
        note = f"loss {now.loss:.4f}{reward} {now.steps_per_s:,.0f} steps/s {now.left_s:.0f} s left"
        bars[now.stage](now.done, note)

    return report
