"""An apprentice for a preset: what is learned beside a player, and what is held against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.cli.game import conditions, game_settings, reward_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.config.preset import Preset
    from improviser.training.apprentice import Apprentice

# So many of the corpus' parts are played beside; so many held-out ones judge, beside people's.
PARTS: Final = 200
HELD_OUT, PEOPLE = 16, 40
# As the shipped models were trained with.
FOLLOWING: Final = 0.15


def make_apprentice(
    preset: Preset, seed: int, progress: Callable[[str, int, int], None], awake: Callable[[], None]
) -> Apprentice:
    """Give an apprentice that has learned nothing yet.

    Args:
        preset: Whose model it learns on from, and whose corpus is what it must not forget.
        seed: Of every random choice.
        progress: Told how the corpus is read, where it was not before.
        awake: Called now and then, for it takes some seconds.

    Raises:
        CheckpointError: The preset's model is missing, or corrupt.
    """
    import numpy as np

    from improviser.agent.checkpoint import load_model
    from improviser.agent.policy import Policy
    from improviser.training.apprentice import Apprentice
    from improviser.training.corpus import load_pieces
    from improviser.training.env import Game
    from improviser.training.evaluate import spread
    from improviser.training.guard import Guard
    from improviser.training.material import game_parts, held_out_parts, human_parts
    from improviser.training.online import OnlineLearner, OnlineSettings
    from improviser.training.tables import player_table

    config, networks, _ = load_model(preset.model_path)
    model = Policy(config, networks["prior"], networks["q"])
    pieces = load_pieces(progress=progress)
    awake()
    game, rng, online = game_settings(preset), np.random.default_rng([seed, 4]), OnlineSettings()
    tidy = game_parts([piece for piece in pieces if piece.split == "train"], game)
    awake()
    chosen = [tidy[index] for index in rng.permutation(len(tidy))[:PARTS]]
    corpus = Game(chosen, player_table(chosen), online.lanes, rng, FOLLOWING)
    awake()
    rewards = reward_weights(preset).to_array()
    learner = OnlineLearner(config, networks, corpus, rewards, online, rng)
    awake()
    guard = Guard(
        model,
        spread(held_out_parts(pieces, game, "valid"), HELD_OUT),
        spread(human_parts(pieces, game, "valid"), PEOPLE),
        conditions(preset),
        seed,
    )
    return Apprentice(model, learner, guard, rewards, rng)
