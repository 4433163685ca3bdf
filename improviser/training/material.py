"""Which parts of the corpus a style is trained on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np

from improviser.playing.actions import ACTION_COUNT
from improviser.training.env import playable
from improviser.training.grid import DUETS, Part, chorale_parts, tune_parts
from improviser.training.piece import Piece
from improviser.training.prior import Imitation
from improviser.training.tables import player_table, prior_rows

# A dance goes twice as fast as a hymn: its duets are chorales with all durations halved.
DANCE_SPEED: Final = 2
CHORALE, FIDDLE = "chorale", "fiddle"


class GameSettings(Protocol):
    """What decides which games are played."""

    @property
    def style(self) -> str:
        """One of listening.observation.STYLES."""

    @property
    def steps_per_beat(self) -> int:
        """The grid, 1-4."""

    @property
    def register_low(self) -> int:
        """Lowest note of the improviser's register where the player is a tune."""


def imitation(pieces: Iterable[Piece], style: str, steps_per_beat: int) -> Imitation:
    """Give what the prior of a style imitates: chorales as duets; for the fiddle, tunes alone and danced duets too."""
    chorales, tunes = _by_kind(pieces)
    if style == CHORALE:
        parts = list(chorale_parts(chorales, style, steps_per_beat))
    else:
        parts = list(tune_parts(tunes, style, steps_per_beat, None))
        parts += chorale_parts(chorales, style, steps_per_beat, speed=DANCE_SPEED, casts=DUETS)
    observations, actions = prior_rows(parts, player_table(parts))
    kept = np.flatnonzero(actions < ACTION_COUNT)
    return Imitation(observations[kept], actions[kept])


def game_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of a style's games: chorale voices; for the fiddle, tunes and danced chorale voices."""
    chorales, tunes = _by_kind(pieces)
    style, grid = settings.style, settings.steps_per_beat
    if style == CHORALE:
        return playable(chorale_parts(chorales, style, grid))
    dances = chorale_parts(chorales, style, grid, speed=DANCE_SPEED, casts=DUETS[::3])
    return playable([*tune_parts(tunes, style, grid, settings.register_low), *dances])


def _by_kind(pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Give chorales and tunes."""
    listed = list(pieces)
    return [piece for piece in listed if piece.kind == "chorale"], [piece for piece in listed if piece.kind == "tune"]
