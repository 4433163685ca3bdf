"""Which parts of the corpus a style is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.role import COMPING, MELODY
from improviser.playing.actions import register_base
from improviser.training.env import playable
from improviser.training.features import player_table, prior_rows
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
    comping_parts,
    tune_parts,
)
from improviser.training.prior import Imitation
from improviser.training.simulated import with_unheard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from improviser.corpus.piece import Piece
    from improviser.listening.line import Events

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
# Above the chords: each voice of a chorale, and the upper three.
COMPED: Final = ((SOPRANO,), (ALTO,), (TENOR,), (BASS,), (SOPRANO, ALTO, TENOR))
COMPED_HELD_OUT: Final = ((SOPRANO,), (ALTO,))
# One tune in so many is played over chords, so that there are about as many as chorale voices.
COMPED_TUNES: Final = 2
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
        role: One of engine.role.ROLES.
    """

    style: str
    steps_per_beat: int = 4
    register_low: int = 60
    role: str = MELODY.name


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a role's parts come from; each gives parts of pieces, as the settings say.

    Attributes:
        imitated: Parts whose partners the prior imitates.
        players: Players of games.
        held_out: Players of what is held out.
        people: What people play there.
        learnt: Parts of the training split whose partners are the tunes learnt from; empty without tunes.
    """

    imitated: Callable[[Iterable[Piece], GameSettings], list[Part]]
    players: Callable[[Iterable[Piece], GameSettings], list[Part]]
    held_out: Callable[[Iterable[Piece], GameSettings], list[Part]]
    people: Callable[[Iterable[Piece], GameSettings], list[Part]]
    learnt: Callable[[Iterable[Piece], GameSettings], list[Part]]


def imitation(pieces: Iterable[Piece], settings: GameSettings, rng: np.random.Generator | None = None) -> Imitation:
    """Return what the prior imitates.

    Args:
        pieces: The corpus.
        settings: Of the games.
        rng: Draws what is heard only after its step was decided; None hears all in time.
    """
    parts = SOURCES[settings.role].imitated(pieces, settings)
    if rng is not None:
        parts = [with_unheard(part, rng) for part in parts]
    observations, actions = prior_rows(parts, player_table(parts))
    count = parts[0].role.action_count
    kept = np.flatnonzero(actions < count)
    return Imitation(observations[kept], actions[kept], count)


def game_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return the players of games; among them are absent ones, so that the improviser can go on alone."""
    return playable(SOURCES[settings.role].players(pieces, settings))


def held_out_parts(pieces: Iterable[Piece], settings: GameSettings, split: str = "test") -> list[Part]:
    """Return the players of a split; the improviser's register is the one it has on stage."""
    return SOURCES[settings.role].held_out(_of_split(pieces, split), settings)


def human_parts(pieces: Iterable[Piece], settings: GameSettings, split: str = "test") -> list[Part]:
    """Return what people play on a split."""
    return SOURCES[settings.role].people(_of_split(pieces, split), settings)


def training_lines(pieces: Iterable[Piece], settings: GameSettings) -> list[Events]:
    """Return the tunes that are learnt from, none for a role that plays none."""
    parts = SOURCES[settings.role].learnt(_of_split(pieces, "train"), settings)
    return [part.partner for part in parts]


def _imitated(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return each voice of a chorale beside others, and lines and tunes alone."""
    chorales, tunes = _by_kind(pieces)
    usage = USAGES[settings.style]
    if usage.has_tunes:
        parts = list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))
        casts = DUETS
    else:
        parts = list(_voices_alone(chorales, settings, usage.imitated))
        casts = DUETS + TRIOS
    return [*parts, *_at_speeds(chorales, settings, usage.imitated, casts)]


def _players(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return chorale voices, present and absent; tunes, and of the chorales what dances need."""
    chorales, tunes = _by_kind(pieces)
    style, grid, usage = settings.style, settings.steps_per_beat, USAGES[settings.style]
    if usage.has_tunes:
        parts = list(tune_parts(tunes, style, grid, settings.register_low))
        parts += tune_parts(tunes[::SOLO_SHARE], style, grid, None)
        casts = DANCES
    else:
        parts = list(_voices_alone(chorales, settings, usage.played))
        casts = DUETS + TRIOS
    return [*parts, *_at_speeds(chorales, settings, usage.played, casts)]


def _held_out(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return sopranos, or the three upper voices; for dances, tunes."""
    chorales, tunes = _by_kind(pieces)
    if USAGES[settings.style].has_tunes:
        return list(tune_parts(tunes, settings.style, settings.steps_per_beat, settings.register_low))
    base = register_base(settings.register_low, 0)
    parts = _at_speeds(chorales, settings, (1,), HELD_OUT_CASTS)
    return [replace(part, own_base=base) for part in parts]


def _people(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return the chorales' partners; for dances, the tunes."""
    chorales, tunes = _by_kind(pieces)
    if USAGES[settings.style].has_tunes:
        return list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))
    return list(_at_speeds(chorales, settings, (1,), HELD_OUT_CASTS))


def _learnt(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return chorale voices, and tunes."""
    chorales, tunes = _by_kind(pieces)
    usage = USAGES[settings.style]
    parts = list(_voices_alone(chorales, settings, usage.imitated))
    if usage.has_tunes:
        parts += tune_parts(tunes, settings.style, settings.steps_per_beat, None)
    return parts


def _of_split(pieces: Iterable[Piece], split: str) -> list[Piece]:
    """Return the pieces of a split."""
    return [piece for piece in pieces if piece.split == split]


def _at_speeds(
    chorales: Iterable[Piece], settings: GameSettings, speeds: Iterable[float], casts: Casts
) -> Iterator[Part]:
    """Return the chorales' parts at each speed."""
    for speed in speeds:
        yield from chorale_parts(chorales, settings.style, settings.steps_per_beat, speed=speed, casts=casts)


def _voices_alone(chorales: Iterable[Piece], settings: GameSettings, speeds: Iterable[float]) -> Iterator[Part]:
    """Return each chorale voice without a player."""
    return map(alone, _at_speeds(chorales, settings, speeds, SOLOS))


def _by_kind(pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return chorales and tunes."""
    listed = list(pieces)
    chorales = [piece for piece in listed if piece.kind == "chorale"]
    return chorales, [piece for piece in listed if piece.kind == "tune"]


def _comped(
    casts: Sequence[tuple[int, ...]], *, is_also_alone: bool = False, tune_share: int | None = None
) -> Callable[[Iterable[Piece], GameSettings], list[Part]]:
    """Return what gives parts over chords: chorales with the casts of player's voices.

    Args:
        casts: The player's voices, highest first.
        is_also_alone: Whether the chords are also there without a player.
        tune_share: One tune in so many is a player too, with no partner; None for none.
    """

    def parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
        """Return the parts."""
        chorales, tunes = _by_kind(pieces)
        style, grid, low = settings.style, settings.steps_per_beat, settings.register_low
        chords = list(comping_parts(chorales, style, grid, low, casts))
        solos = map(alone, comping_parts(chorales, style, grid, low, casts[:1])) if is_also_alone else ()
        chosen = tunes[::tune_share] if tune_share is not None else ()
        comped = (replace(part, role=COMPING) for part in tune_parts(chosen, style, grid, low))
        return [*chords, *solos, *comped]

    return parts


SOURCES: Final = {
    MELODY.name: Sources(_imitated, _players, _held_out, _people, _learnt),
    COMPING.name: Sources(
        imitated=_comped(COMPED, is_also_alone=True),
        players=_comped(COMPED, is_also_alone=True, tune_share=COMPED_TUNES),
        held_out=_comped(COMPED_HELD_OUT),
        people=_comped(COMPED_HELD_OUT),
        learnt=lambda _pieces, _settings: [],
    ),
}
