"""Builds the online trainer of a preset: the learner, and the acceptance test for what it learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.app.game import conditions, game_settings, reward_weights
from improviser.app.preset_policy import preset_networks
from improviser.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.config.preset import Preset
    from improviser.corpus.piece import Piece
    from improviser.online.trainer import OnlineTrainer

# Number of corpus parts that the learner plays with, and of the parts and human references of the acceptance test.
PARTS: Final = 200
HELD_OUT, PEOPLE = 16, 40
# Share of episodes in which players take up the improviser's tune, as in the training of the shipped models.
FOLLOWING: Final = 0.15


def make_online_trainer(
    preset: Preset, pieces: list[Piece], seed: int, awake: Callable[[], None], *, guarded: bool = True
) -> OnlineTrainer:
    """Return an online trainer that has learned nothing yet.

    Args:
        preset: Preset whose model is trained further, and whose corpus the model must not forget.
        pieces: The corpus.
        seed: Random seed.
        awake: Called now and then as a sign of life, since building takes some seconds.
        guarded: Whether to protect what the model could do before: with games of the corpus, averaged weights and
            the acceptance test. Without these it learns only from its own experience, and all new weights are used.

    Raises:
        CheckpointError: The preset's model is missing or corrupt.
        CorpusError: No held-out piece is long enough.
    """
    import numpy as np

    from improviser.agent.policy import Policy
    from improviser.engine.chord_advice import advised
    from improviser.evaluation.evaluate import spread
    from improviser.online.acceptance import AcceptanceTest
    from improviser.online.online_learner import OnlineLearner, OnlineSettings
    from improviser.online.trainer import OnlineTrainer
    from improviser.training.env import Game
    from improviser.training.features import player_table
    from improviser.training.material import game_parts, held_out_parts, human_parts

    config, networks = preset_networks(preset)
    model = advised(Policy(config, networks["prior"], networks["q"]), preset.decision.advice)
    rewards, rng = reward_weights(preset).to_array(), np.random.default_rng([seed, 4])
    if not guarded:
        alone = OnlineSettings(corpus_share=0.0, imagined_share=0.0, average=0.0)
        learner = OnlineLearner(config, networks, None, rewards, alone, rng)
        return OnlineTrainer(model, learner, None, rewards, rng)
    game, online = game_settings(preset), OnlineSettings()
    tidy = game_parts([piece for piece in pieces if piece.split == "train"], game)
    awake()
    chosen = [tidy[index] for index in rng.permutation(len(tidy))[:PARTS]]
    corpus = Game(chosen, player_table(chosen), online.lanes, rng, FOLLOWING)
    awake()
    learner = OnlineLearner(config, networks, corpus, rewards, online, rng)
    awake()
    held_out = spread(held_out_parts(pieces, game, "valid"), HELD_OUT)
    people = spread(human_parts(pieces, game, "valid"), PEOPLE)
    if not held_out or not people:
        raise CorpusError("no held-out piece is long enough for the acceptance test. Reinstall music21")
    acceptance_test = AcceptanceTest(model, held_out, people, conditions(preset), seed)
    return OnlineTrainer(model, learner, acceptance_test, rewards, rng)
