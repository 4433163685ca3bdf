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
from improviser.cli.evaluate import BesideOption, CorporaOption, beside_files, evaluate_model
from improviser.cli.options import JsonOption, PresetOption, SeedOption
from improviser.config.default import DEFAULT_PRESET
from improviser.errors import ImproviserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from improviser.agent.policy import Actor
    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece
    from improviser.evaluation.report import EvaluationTable
    from improviser.training.train import Progress, Scores, TrainingSettings

EXAMPLES = """
improviser train --preset chorale
improviser train --preset fiddle --transitions 200000 --prior-updates 1000 --out /tmp/models
improviser train --preset chorale --textbook --out /tmp/textbook
improviser train --preset chorale --beside textbook=/tmp/textbook/chorale.safetensors
improviser train --preset chorale --only-player
improviser train --preset pop --corpora ~/corpora
"""

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
    preset: PresetOption = DEFAULT_PRESET,
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
    json: JsonOption = False,
) -> None:
    """Train a preset's model: the prior on what people play, the Q-network, and what the player will do next.

    Style, grid, register and rewards are the preset's.

    The first run reads the corpus of the package music21, which takes some minutes, and keeps it in the cache
    folder. A style of pop, jazz or songs learns from sets of MIDI files instead (--corpora). Give the same command
    again to resume an interrupted run.
    """
    need_training()
    from dataclasses import replace

    from improviser.agent.config import FULL, DQNConfig
    from improviser.config.preset import load_preset
    from improviser.config.resources import config_folder

    chosen = load_preset(preset)
    others = {name: preset_actor(chosen, path) for name, path in beside_files(beside, chosen).items()}
    settings = replace(
        make_training(chosen, seed=seed, prior_updates=prior_updates, transitions=transitions),
        hidden=hidden,
        dqn=DQNConfig() if textbook else FULL,
    )
    folder = out or config_folder() / "presets" / "models"
    _make_folder(folder)
    pieces = load_corpus(chosen.style, corpora)
    try:
        if only_player:
            model, card = _run_player(chosen, settings, pieces, folder)
        else:
            model, card = _run(chosen, settings, pieces, folder, others, fresh=fresh)
    except KeyboardInterrupt:
        tell("interrupted. Give the same command again to resume")
        raise
    if json:
        say_json({"event": "trained", "preset": preset, "model": str(model), "card": str(card)})
    else:
        hint = f". Play it: improviser jam --preset {preset}" if out is None else ""
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


def _run(
    preset: Preset,
    settings: TrainingSettings,
    pieces: list[Piece],
    folder: Path,
    others: Mapping[str, Actor],
    *,
    fresh: bool,
) -> tuple[Path, Path]:
    """Train, copy the model to its folder, evaluate it and write its card; return the paths of model and card.

    The card has a column for each model of `others`, with its name.
    """
    import shutil

    from improviser.training.run_state import run_folder
    from improviser.training.train import train as run_training

    state = run_folder(preset.name if settings.dqn.decomposed else f"{preset.name}-textbook")
    if fresh:
        shutil.rmtree(state, ignore_errors=True)
    with ExitStack() as stack:
        scores = run_training(settings, pieces, state, step_progress(stack))
    model = folder / preset.model
    _copy(state / "model.safetensors", model)
    table = evaluate_model(preset, preset_actor(preset, model), pieces, beside=others)
    return model, _write_card(preset, settings, pieces, model, (scores, table))


def _run_player(preset: Preset, settings: TrainingSettings, pieces: list[Piece], folder: Path) -> tuple[Path, Path]:
    """Train the network of the player for a copy of the preset's model in `folder`; return model and card.

    The figures in the card stay, because they do not depend on this network.
    """
    from improviser.evaluation.model_card import update_card
    from improviser.training.train import train_player

    model = folder / preset.model
    card = preset.model_path.with_suffix(".md")
    if model.absolute() != preset.model_path.absolute():
        _copy(preset.model_path, model)
        _copy(card, model.with_suffix(".md"))
    with ExitStack() as stack:
        score = train_player(settings, pieces, model, step_progress(stack))
    return model, update_card(model, score, _command())


def _command() -> str:
    """Return the command line of this process, as it is shown in a card."""
    return shlex.join(["improviser", *sys.argv[1:]])


def _copy(source: Path, model: Path) -> None:
    """Copy a trained model to its place, whole or not at all. Raises ImproviserError."""
    from improviser.files import write_whole

    try:
        write_whole(model, source.read_bytes())
    except OSError as error:
        msg = f"cannot write {model}: {error.strerror}; free some space and give the same command again"
        raise ImproviserError(msg) from error


def _write_card(
    preset: Preset,
    settings: TrainingSettings,
    pieces: list[Piece],
    model: Path,
    measured: tuple[Scores, EvaluationTable],
) -> Path:
    """Write the model's card: how well its networks predict people, and how the model plays."""
    import importlib.metadata
    from dataclasses import asdict

    from improviser.corpus.library import corpus_summary
    from improviser.evaluation.model_card import ModelCard, write_card

    versions = {name: importlib.metadata.version(name) for name in ("torch", "numpy", "music21")}
    return write_card(
        ModelCard(
            name=preset.name,
            model=model,
            command=_command(),
            corpus=corpus_summary(pieces),
            settings=asdict(settings),
            prior=measured[0].prior,
            player=measured[0].player,
            table=measured[1],
            versions=versions,
        )
    )


def step_progress(stack: ExitStack) -> Callable[[Progress], None]:
    """Return the function that shows the progress of a training."""
    bars: dict[str, Callable[..., None]] = {}

    def report(now: Progress) -> None:
        """Move the stage's bar, and show loss and reward."""
        if now.stage not in bars:
            stack.close()
            bars[now.stage] = stack.enter_context(progress(now.stage, now.total))
        reward = f" reward {now.reward:.3f}" if now.stage == "Q-network" else ""
        note = f"loss {now.loss:.4f}{reward} {now.steps_per_s:,.0f} steps/s {now.left_s:.0f} s left"
        bars[now.stage](now.done, note)

    return report
