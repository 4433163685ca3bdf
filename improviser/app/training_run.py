"""A training run as one function of its specification: the model, and the card that says how it plays."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from improviser.app.evaluation_plan import make_plan
from improviser.app.preset_policy import preset_actor
from improviser.corpus.library import corpus_summary
from improviser.evaluation.evaluate import evaluate
from improviser.evaluation.model_card import ModelCard, card_text
from improviser.files import write_whole
from improviser.training.run_state import run_folder
from improviser.training.train import train
from improviser.workers import HERE, Workers

if TYPE_CHECKING:
    from improviser.agent.policy import Actor
    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece
    from improviser.training.train import Progress, TrainingSettings

# The pieces of each style.
Corpus = Mapping[str, list["Piece"]]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What is trained.

    Attributes:
        preset: The preset whose model it is.
        settings: The settings of the training.
        command: The command that a card names.
        beside: Other actors, whose figures are columns of the card, by name.
        is_fresh: Whether to begin anew, in place of resuming an interrupted run.
        adaptation: Whether the card tells how a change of the player is followed.
    """

    preset: Preset
    settings: TrainingSettings
    command: str
    beside: Mapping[str, Actor] = field(default_factory=dict)
    is_fresh: bool = False
    adaptation: bool = True


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The bytes of a model's file, and the text of its card."""

    model: bytes
    card: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far a run is: in training, and in evaluating as the amount done and the total."""

    training: Callable[[Progress], None] = lambda _progress: None
    evaluating: Callable[[float, float], None] = lambda _done, _total: None


def trained(corpus: Corpus, run: TrainingRun) -> TrainedModel:
    """Return what a run makes, without telling anybody how far it is; see `watched`."""
    return watched(corpus, run, Watch())


def watched(corpus: Corpus, run: TrainingRun, watch: Watch, workers: Workers = HERE) -> TrainedModel:
    """Train a model, or resume its training, and evaluate it.

    Args:
        corpus: The pieces of the preset's style, and perhaps of others.
        run: What is trained.
        watch: Is told how far it is.
        workers: Where the model is evaluated.

    Raises:
        CheckpointError: The run's state or the model cannot be written.
        CorpusError: No held-out piece is long enough.
    """
    preset, pieces = run.preset, corpus[run.preset.style]
    folder = run_folder(preset.name if run.settings.dqn.decomposed else f"{preset.name}-textbook")
    if run.is_fresh:
        shutil.rmtree(folder, ignore_errors=True)
    scores = train(run.settings, pieces, folder, watch.training)
    data = (folder / "model.safetensors").read_bytes()
    model = folder / preset.model
    write_whole(model, data)
    actor = preset_actor(preset, model)
    plan = replace(make_plan(preset, pieces, adaptation=run.adaptation), beside=run.beside)
    table = evaluate(actor, plan, watch.evaluating, workers).table
    card = ModelCard(
        name=preset.name,
        model=model,
        command=run.command,
        corpus=corpus_summary(pieces),
        settings=asdict(run.settings),
        prior=scores.prior,
        player=scores.player,
        table=table,
        versions={name: importlib.metadata.version(name) for name in ("torch", "numpy", "music21")},
    )
    return TrainedModel(data, card_text(card))
