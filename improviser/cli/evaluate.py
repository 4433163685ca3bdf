"""`improviser evaluate`: the musical figures of a preset beside people and baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from improviser.cli.console import progress, say_json, say_table
from improviser.cli.extras import load_corpus, need_training
from improviser.cli.options import DEFAULT_PRESET, JsonOption, PresetOption, SeedOption
from improviser.cli.playing import preset_actor

if TYPE_CHECKING:
    from improviser.agent.policy import Actor
    from improviser.config.preset import Preset
    from improviser.training.metrics import Figures
    from improviser.training.piece import Piece

EXAMPLES = """
improviser evaluate
improviser evaluate --preset fiddle --pieces 60
improviser evaluate --preset chorale --json
"""

PiecesOption = Annotated[int, typer.Option("--pieces", min=1, help="Held-out pieces to play.")]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", min=0, max=5, help="Instead of the preset's.")
]
PriorOption = Annotated[
    float | None, typer.Option("--prior-weight", min=0, max=5, help="Instead of the preset's.")
]

DEFAULT_PIECES = 40


def evaluate(
    preset: PresetOption = DEFAULT_PRESET,
    pieces: PiecesOption = DEFAULT_PIECES,
    seed: SeedOption = 0,
    temperature: TemperatureOption = None,
    prior_weight: PriorOption = None,
    json: JsonOption = False,
) -> None:
    """Measure a preset's playing on held-out pieces, beside people and baselines.

    The baselines are random notes in key and the prior alone. Read the table whole: each figure alone can
    be had by playing badly. What each means: docs/metrics.md. With --json each line is one column of it.
    """
    need_training()
    from improviser.config.preset import load_preset
    from improviser.training.card import table_rows

    chosen = load_preset(preset)
    overrides = {"temperature": temperature, "prior_weight": prior_weight}
    decision = chosen.decision.model_copy(update={k: v for k, v in overrides.items() if v is not None})
    chosen = chosen.model_copy(update={"decision": decision})
    table = evaluate_model(chosen, preset_actor(chosen), load_corpus(), count=pieces, seed=seed)
    if json:
        for name, figures in table.items():
            say_json({"event": "evaluated", "preset": preset, "column": name, "figures": figures})
        return
    rows = [
        (name, *(f"{column.get(name, float('nan')):.3f}" for column in table.values()))
        for name in table_rows(table)
    ]
    say_table(("FIGURE", *table), rows)


def evaluate_model(
    preset: Preset, actor: Actor, pieces: list[Piece], *, count: int = DEFAULT_PIECES, seed: int = 0
) -> dict[str, Figures]:
    """Give the figures of `actor`, playing as `preset` says, and of what it is measured against."""
    from improviser.engine import EngineSettings
    from improviser.errors import CorpusError
    from improviser.training.env import RewardWeights
    from improviser.training.evaluate import Conditions, Plan, spread
    from improviser.training.evaluate import evaluate as run_evaluation
    from improviser.training.material import GameSettings, held_out_parts, human_parts

    weights = RewardWeights(preset.reward.harmony, preset.reward.coherence, preset.reward.creativity)
    settings = GameSettings(str(preset.style), preset.grid.steps_per_beat, preset.pitch_range.low)
    plan = Plan(
        players=spread(held_out_parts(pieces, settings), count),
        people=spread(human_parts(pieces, settings), count),
        conditions=Conditions(EngineSettings(**preset.engine_values()).knobs, weights),
        seed=seed,
        name=preset.name,
    )
    if not plan.players:
        raise CorpusError("no held-out piece is long enough to be played; install music21's corpus anew")
    with progress("evaluating", 1) as advance:
        return run_evaluation(actor, plan, lambda done, total: advance(done / total))
