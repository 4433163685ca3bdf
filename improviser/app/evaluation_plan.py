"""What of a preset is evaluated: on which held-out pieces, and how it plays there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.app.game import conditions, game_settings
from improviser.app.preset_policy import make_settings
from improviser.errors import CorpusError

if TYPE_CHECKING:
    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece
    from improviser.evaluation.evaluate import Plan

DEFAULT_PIECES: Final = 40


def make_plan(
    preset: Preset,
    pieces: list[Piece],
    *,
    count: int = DEFAULT_PIECES,
    split: str = "test",
    seed: int = 0,
    adaptation: bool = True,
) -> Plan:
    """Return the plan to evaluate `preset` on about `count` held-out pieces.

    Raises:
        CorpusError: No held-out piece is long enough.
    """
    # Only where training is installed.
    from improviser.engine import AUTO_KEY
    from improviser.evaluation.evaluate import Plan, spread
    from improviser.evaluation.metrics import known_phrases
    from improviser.training.material import held_out_parts, human_parts, training_lines

    settings = game_settings(preset)
    plan = Plan(
        players=spread(held_out_parts(pieces, settings, split), count),
        people=spread(human_parts(pieces, settings, split), count),
        conditions=conditions(preset),
        seed=seed,
        name=preset.name,
        known=known_phrases(training_lines(pieces, settings)),
        engine=make_settings(preset, key=AUTO_KEY) if adaptation else None,
    )
    if not plan.players:
        raise CorpusError("no held-out piece is long enough to play. Reinstall music21")
    return plan
