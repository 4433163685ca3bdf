"""Which parts of the corpus a style is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.role import COMPING, MELODY
from improviser.playing.actions import register_base
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
    comping_parts,
    tune_parts,
)
from improviser.training.prior import Imitation
from improviser.training.tables import player_table, prior_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from improviser.listening.line import Events
    from improviser.training.piece import Piece

# A dance goes twice as fast as a hymn: its duets are chorales with all durations halved.
DANCE_SPEED: Final = 2
# The dances' player and partner: above and below, near and far.
DANCES: Final = (((SOPRANO,), ALTO), ((SOPRANO,), BASS), ((ALTO,), SOPRANO), ((BASS,), TENOR))
# One tune in so many is also played without a player.
SOLO_SHARE: Final = 4
CHORALE: Final = "chorale"
# Above the chords: each voice of a chorale, and the upper three.
COMPED: Final = ((SOPRANO,), (ALTO,), (TENOR,), (BASS,), (SOPRANO, ALTO, TENOR))
COMPED_HELD_OUT: Final = ((SOPRANO,), (ALTO,))
# One tune in so many is played over chords, so that there are about as many as chorale voices.
COMPED_TUNES: Final = 2
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
        held_out: Players of the test split.
        people: What people play on the test split.
        learnt: Parts of the training split whose partners are the tunes learnt from; empty without tunes.
    """

    imitated: Callable[[Iterable[Piece], GameSettings], list[Part]]
    players: Callable[[Iterable[Piece], GameSettings], list[Part]]
    held_out: Callable[[Iterable[Piece], GameSettings], list[Part]]
    people: Callable[[Iterable[Piece], GameSettings], list[Part]]
    learnt: Callable[[Iterable[Piece], GameSettings], list[Part]]


def imitation(pieces: Iterable[Piece], settings: GameSettings) -> Imitation:
    """Give what the prior imitates."""
    parts = SOURCES[settings.role].imitated(pieces, settings)
    observations, actions = prior_rows(parts, player_table(parts))
    count = parts[0].role.action_count
    kept = np.flatnonzero(actions < count)
    return Imitation(observations[kept], actions[kept], count)


def game_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of games; among them are absent ones, so that the improviser can go on alone."""
    return playable(SOURCES[settings.role].players(pieces, settings))


def held_out_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the players of the test split; the improviser's register is the one it has on stage."""
    return SOURCES[settings.role].held_out(_of_split(pieces, "test"), settings)


def human_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give what people play on the test split."""
    return SOURCES[settings.role].people(_of_split(pieces, "test"), settings)


def training_lines(pieces: Iterable[Piece], settings: GameSettings) -> list[Events]:
    """Give the tunes that are learnt from, none for a role that plays none."""
    parts = SOURCES[settings.role].learnt(_of_split(pieces, "train"), settings)
    return [part.partner for part in parts]


def _imitated(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give chorales, each voice beside others and alone; for the fiddle, tunes alone and danced duets."""
    chorales, tunes = _by_kind(pieces)
    style, grid = settings.style, settings.steps_per_beat
    if style == CHORALE:
        return [*chorale_parts(chorales, style, grid), *_voices_alone(chorales, style, grid)]
    dances = chorale_parts(chorales, style, grid, speed=DANCE_SPEED, casts=DUETS)
    return [*tune_parts(tunes, style, grid, None), *dances]


def _players(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give chorale voices, present and absent; for the fiddle, tunes and danced chorale voices."""
    chorales, tunes = _by_kind(pieces)
    style, grid = settings.style, settings.steps_per_beat
    if style == CHORALE:
        return [*chorale_parts(chorales, style, grid), *_voices_alone(chorales, style, grid)]
    dances = chorale_parts(chorales, style, grid, speed=DANCE_SPEED, casts=DANCES)
    solos = tune_parts(tunes[::SOLO_SHARE], style, grid, None)
    return [*tune_parts(tunes, style, grid, settings.register_low), *solos, *dances]


def _held_out(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give sopranos, or the three upper voices; for the fiddle, tunes."""
    chorales, tunes = _by_kind(pieces)
    if settings.style == CHORALE:
        parts = chorale_parts(chorales, settings.style, settings.steps_per_beat, casts=HELD_OUT_CASTS)
        base = register_base(settings.register_low, 0)
        return [replace(part, own_base=base) for part in parts]
    return list(tune_parts(tunes, settings.style, settings.steps_per_beat, settings.register_low))


def _people(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give the chorales' partners; for the fiddle, the tunes."""
    chorales, tunes = _by_kind(pieces)
    if settings.style == CHORALE:
        return list(chorale_parts(chorales, settings.style, settings.steps_per_beat, casts=HELD_OUT_CASTS))
    return list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))


def _learnt(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Give chorale voices; for the fiddle, tunes and danced voices."""
    chorales, tunes = _by_kind(pieces)
    style, grid = settings.style, settings.steps_per_beat
    if style == CHORALE:
        return list(_voices_alone(chorales, style, grid))
    dances = chorale_parts(chorales, style, grid, speed=DANCE_SPEED, casts=SOLOS)
    return [*tune_parts(tunes, style, grid, None), *dances]


def _of_split(pieces: Iterable[Piece], split: str) -> list[Piece]:
    """Give the pieces of a split."""
    return [piece for piece in pieces if piece.split == split]


def _voices_alone(chorales: Iterable[Piece], style: str, steps_per_beat: int) -> Iterator[Part]:
    """Give each chorale voice without a player."""
    return map(alone, chorale_parts(chorales, style, steps_per_beat, casts=SOLOS))


def _by_kind(pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Give chorales and tunes."""
    listed = list(pieces)
    chorales = [piece for piece in listed if piece.kind == "chorale"]
    return chorales, [piece for piece in listed if piece.kind == "tune"]


def _comped(
    casts: Sequence[tuple[int, ...]], *, is_also_alone: bool = False, tune_share: int | None = None
) -> Callable[[Iterable[Piece], GameSettings], list[Part]]:
    """Give what gives parts over chords: chorales with the casts of player's voices.

    Args:
        casts: The player's voices, highest first.
        is_also_alone: Whether the chords are also there without a player.
        tune_share: One tune in so many is a player too, with no partner; None for none.
    """

    def parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
        """Give the parts."""
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
