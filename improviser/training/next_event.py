"""The network that predicts the player's next event, so that a step can be decided before its note is heard.

It learns by maximum likelihood from the players of the corpus, tidy and simulated. Its input are the columns of an
observation that describe the player, as they stand after the step before, with the place of the step to be predicted.
Its outputs are the tokens of the player's events: hold, rest, and the notes above the player's base.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.agent.config import Group, NetworkConfig
from improviser.listening.line import TOKEN_NONE
from improviser.listening.observation import FEATURES, PLAYER_BLOCK, feature_columns
from improviser.training.features import next_event_rows
from improviser.training.prior import Imitation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.training.grid import Part

# Hold, rest, and an onset on each note of the range above the player's base.
EVENTS: Final = TOKEN_NONE
_COLUMNS: Final = feature_columns(FEATURES)
PLAYER_NETWORK: Final = NetworkConfig(
    tuple(
        Group(feature.name, feature.columns, feature.values)
        for feature in FEATURES
        if _COLUMNS[feature.name].stop <= PLAYER_BLOCK.stop
    ),
    EVENTS,
)


def next_events(parts: Sequence[Part]) -> Imitation:
    """Return what the players of the parts do, step by step, and what is known before each step."""
    heard = [part for part in parts if part.bits.any()]
    observations, tokens = next_event_rows(heard)
    kept = np.flatnonzero(tokens < EVENTS)
    return Imitation(observations[kept], tokens[kept], EVENTS)
