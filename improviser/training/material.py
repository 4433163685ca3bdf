"""Which parts of the corpus a style is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.playing.actions import ACTION_COUNT, register_base
from improviser.training.env import playable
from improviser.training.grid import (
    ALTO,
    BASS,
    DUETS,
    SOLOS,
    SOPRANO,
    TENOR,
    Part,
    alone,
    chorale_parts,
    tune_parts,
)
from improviser.training.prior import Imitation
from improviser.training.tables import player_table, prior_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from improviser.listening.line import Events
    from improviser.training.piece import Piece

# A dance goes twice as fast as a hymn: its duets are chorales with all durations halved.
DANCE_SPEED: Final = 2
# The dances' player and partner: above and below, near and far.
DANCES: Final = (((SOPRANO,), ALTO), ((SOPRANO,), BASS), ((ALTO,), SOPRANO), ((BASS,), TENOR))
# One tune in so many is also played without a player.
SOLO_SHARE: Final = 4
CHORALE: Final = "chorale"
# With the soprano alone: bass, tenor, alto; and the bass with the three others.
HELD_OUT_CASTS: Final = (
    ((SOPRANO,), BASS),
    ((SOPRANO,), TENOR),
    ((SOPRANO,), ALTO),
    ((SOPRANO, ALTO, TENOR), BASS),
)


@dataclass(frozen=True, slots=True)
class GameSettings:
    """What decides which games are played.

    Attributes:
        style: One of listening.observation.STYLES.
        steps_per_beat: The grid, 1-4.
        register_low: Lowest note of the improviser's register where the player is a tune.
    """

    style: str
    steps_per_beat: int = 4
    register_low: int = 60


def imitation(pieces: Iterable[Piece], style: str, steps_per_beat: int) -> Imitation:
    """Give what the prior of a style imitates.

    Chorales, each voice beside others and alone; for the fiddle, tunes alone and danced duets.
    """
    chorales, tunes = _by_kind(pieces)
    if style == CHORALE:
        parts = list(chorale_parts(chorales, style, steps_per_beat))
        parts += _voices_alone(chorales, style, steps_per_beat)
    else:
        parts = list(tune_parts(tunes, style, steps_per_beat, None))
        parts += chorale_parts(chorales, style, steps_per_beat, speed=DANCE_SPEED, casts=DUETS)
    observations, actions = prior_rows(parts, player_table(parts))
    kept = np.flatnonzero(actions < ACTION_COUNT)
    return Imitation(observations[kept], actions[kept])


def game_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of a style's games: chorale voices; for the fiddle, tunes and danced chorale voices.

    Among them are absent ones, so that the improviser can go on alone.
    """
    chorales, tunes = _by_kind(pieces)
    style, grid = settings.style, settings.steps_per_beat
    if style == CHORALE:
        return playable([*chorale_parts(chorales, style, grid), *_voices_alone(chorales, style, grid)])
    dances = chorale_parts(chorales, style, grid, speed=DANCE_SPEED, casts=DANCES)
    solos = tune_parts(tunes[::SOLO_SHARE], style, grid, None)
    return playable([*tune_parts(tunes, style, grid, settings.register_low), *solos, *dances])


def held_out_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of the test split: sopranos, or the three upper voices; for the fiddle, tunes.

    The improviser's register is the one it has on stage.
    """
    chorales, tunes = _by_kind(piece for piece in pieces if piece.split == "test")
    if settings.style == CHORALE:
        parts = chorale_parts(chorales, settings.style, settings.steps_per_beat, casts=HELD_OUT_CASTS)
        base = register_base(settings.register_low, 0)
        return [replace(part, own_base=base) for part in parts]
    return list(tune_parts(tunes, settings.style, settings.steps_per_beat, settings.register_low))


def human_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give what people play on the test split: the chorales' partners; for the fiddle, the tunes."""
    if settings.style == CHORALE:
        chorales, _ = _by_kind(piece for piece in pieces if piece.split == "test")
        return list(chorale_parts(chorales, settings.style, settings.steps_per_beat, casts=HELD_OUT_CASTS))
    tunes = (piece for piece in pieces if piece.split == "test" and piece.kind == "tune")
    return list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))


def training_lines(pieces: Iterable[Piece], settings: GameSettings) -> list[Events]:
    """Give the lines that a style learns from: chorale voices; for the fiddle, tunes and danced ones."""
    chorales, tunes = _by_kind(piece for piece in pieces if piece.split == "train")
    style, grid = settings.style, settings.steps_per_beat
    if style == CHORALE:
        parts = list(_voices_alone(chorales, style, grid))
    else:
        parts = [
            *tune_parts(tunes, style, grid, None),
            *chorale_parts(chorales, style, grid, speed=DANCE_SPEED, casts=SOLOS),
        ]
    return [part.partner for part in parts]


def _voices_alone(chorales: Iterable[Piece], style: str, steps_per_beat: int) -> Iterator[Part]:
    """Give each chorale voice without a player."""
    return map(alone, chorale_parts(chorales, style, steps_per_beat, casts=SOLOS))


def _by_kind(pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Give chorales and tunes."""
    listed = list(pieces)
    chorales = [piece for piece in listed if piece.kind == "chorale"]
    return chorales, [piece for piece in listed if piece.kind == "tune"]
