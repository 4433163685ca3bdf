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
    TRIOS,
    Casts,
    Part,
    alone,
    chorale_parts,
    tune_parts,
)
from improviser.training.prior import Imitation
from improviser.training.simulated import with_unheard
from improviser.training.tables import player_table, prior_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from improviser.listening.line import Events
    from improviser.training.piece import Piece

# The dances' player and partner: above and below, near and far.
DANCES: Final[Casts] = (((SOPRANO,), ALTO), ((SOPRANO,), BASS), ((ALTO,), SOPRANO), ((BASS,), TENOR))
# One tune in so many is also played without a player.
SOLO_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """What a style makes of the corpus.

    Attributes:
        imitated: How fast the chorales go whose voices it imitates: at 2 all durations are halved, for a
            dance goes twice as fast as a hymn.
        played: How fast they go in its games.
        has_tunes: Whether it takes the tunes too, and of the chorales what dances need.
    """

    imitated: tuple[float, ...]
    played: tuple[float, ...]
    has_tunes: bool


# By the names in STYLES.
USAGES: Final = {
    "chorale": Usage((1,), (1,), has_tunes=False),
    "fiddle": Usage((2,), (2,), has_tunes=True),
    "minimal": Usage((0.5,), (0.5, 1), has_tunes=False),
    "free": Usage((1, 2), (1, 2), has_tunes=True),
}
# With the soprano alone: bass, tenor, alto; and the bass with the three others.
HELD_OUT_CASTS: Final[Casts] = (
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


def imitation(
    pieces: Iterable[Piece], style: str, steps_per_beat: int, rng: np.random.Generator | None = None
) -> Imitation:
    """Give what the prior of a style imitates: each voice of a chorale beside others; lines and tunes alone.

    Args:
        pieces: The corpus.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        rng: Draws what is heard only after its step was decided; None hears all in time.
    """
    chorales, tunes = _by_kind(pieces)
    usage = USAGES[style]
    if usage.has_tunes:
        parts = list(tune_parts(tunes, style, steps_per_beat, None))
        casts = DUETS
    else:
        parts = list(_voices_alone(chorales, style, steps_per_beat, usage.imitated))
        casts = DUETS + TRIOS
    parts += _at_speeds(chorales, style, steps_per_beat, usage.imitated, casts)
    if rng is not None:
        parts = [with_unheard(part, rng) for part in parts]
    observations, actions = prior_rows(parts, player_table(parts))
    kept = np.flatnonzero(actions < ACTION_COUNT)
    return Imitation(observations[kept], actions[kept])


def game_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of a style's games: chorale voices, and tunes.

    Among them are absent ones, so that the improviser can go on alone.
    """
    chorales, tunes = _by_kind(pieces)
    style, grid, usage = settings.style, settings.steps_per_beat, USAGES[settings.style]
    if usage.has_tunes:
        parts = list(tune_parts(tunes, style, grid, settings.register_low))
        parts += tune_parts(tunes[::SOLO_SHARE], style, grid, None)
        casts = DANCES
    else:
        parts = list(_voices_alone(chorales, style, grid, usage.played))
        casts = DUETS + TRIOS
    return playable([*parts, *_at_speeds(chorales, style, grid, usage.played, casts)])


def held_out_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of the test split: sopranos, or the three upper voices; for dances, tunes.

    The improviser's register is the one it has on stage.
    """
    chorales, tunes = _by_kind(piece for piece in pieces if piece.split == "test")
    if USAGES[settings.style].has_tunes:
        return list(tune_parts(tunes, settings.style, settings.steps_per_beat, settings.register_low))
    parts = chorale_parts(chorales, settings.style, settings.steps_per_beat, casts=HELD_OUT_CASTS)
    base = register_base(settings.register_low, 0)
    return [replace(part, own_base=base) for part in parts]


def human_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give what people play on the test split: the chorales' partners; for dances, the tunes."""
    chorales, tunes = _by_kind(piece for piece in pieces if piece.split == "test")
    if USAGES[settings.style].has_tunes:
        return list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))
    return list(chorale_parts(chorales, settings.style, settings.steps_per_beat, casts=HELD_OUT_CASTS))


def training_lines(pieces: Iterable[Piece], settings: GameSettings) -> list[Events]:
    """Give the lines that a style learns from: chorale voices, and tunes."""
    chorales, tunes = _by_kind(piece for piece in pieces if piece.split == "train")
    style, grid, usage = settings.style, settings.steps_per_beat, USAGES[settings.style]
    parts = list(_voices_alone(chorales, style, grid, usage.imitated))
    if usage.has_tunes:
        parts += tune_parts(tunes, style, grid, None)
    return [part.partner for part in parts]


def _at_speeds(
    chorales: Iterable[Piece],
    style: str,
    steps_per_beat: int,
    speeds: Iterable[float],
    casts: Casts,
) -> Iterator[Part]:
    """Give the chorales' parts at each speed."""
    for speed in speeds:
        yield from chorale_parts(chorales, style, steps_per_beat, speed=speed, casts=casts)


def _voices_alone(
    chorales: Iterable[Piece], style: str, steps_per_beat: int, speeds: Iterable[float]
) -> Iterator[Part]:
    """Give each chorale voice without a player."""
    return map(alone, _at_speeds(chorales, style, steps_per_beat, speeds, SOLOS))


def _by_kind(pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Give chorales and tunes."""
    listed = list(pieces)
    chorales = [piece for piece in listed if piece.kind == "chorale"]
    return chorales, [piece for piece in listed if piece.kind == "tune"]
