"""The parts of the corpus that each style is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.role import BASS as BASS_ROLE
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
    UNKNOWN,
    Casts,
    Part,
    alone,
    chorale_parts,
    comping_parts,
    tune_parts,
    with_chart,
)
from improviser.training.prior import Imitation
from improviser.training.simulated import UNHEARD_SHARE, with_unheard
from improviser.training.written_parts import written_bass, written_comping, written_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from improviser.corpus.piece import Piece
    from improviser.listening.line import Events

# The casts of the dances: the partner is above or below the player, near or far.
DANCES: Final[Casts] = (((SOPRANO,), ALTO), ((SOPRANO,), BASS), ((ALTO,), SOPRANO), ((BASS,), TENOR))
# Every SOLO_SHARE-th tune is also played without a player.
SOLO_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """How a style uses the corpus. Pieces of named parts are used by all styles, where there are any.

    Attributes:
        imitated: The speeds of the chorales that the prior imitates. At 2 all durations are halved: a dance goes twice
            as fast as a hymn.
        played: The speeds of the chorales that are players in the environment.
        has_tunes: Whether the style also uses the tunes, and only those chorale casts that dances need.
        folders: The collections of pieces with named parts that the style uses instead; folders of `--corpora`.
    """

    imitated: tuple[float, ...] = ()
    played: tuple[float, ...] = ()
    has_tunes: bool = False
    folders: tuple[str, ...] = ()


# Keyed by the names in STYLES.
USAGES: Final = {
    "chorale": Usage((1,), (1,)),
    "fiddle": Usage((2,), (2,), has_tunes=True),
    "minimal": Usage((0.5,), (0.5, 1)),
    "free": Usage((1, 2), (1, 2), has_tunes=True),
    "pop": Usage(folders=("pop909", "openewld")),
    "jazz": Usage(folders=("weimar",)),
    "lied": Usage(folders=("lieder",)),
}
# Where the sets of a style are not there, as where a jam learns, chorales and tunes stand in for them.
_STAND_IN: Final = Usage((1,), (1,), has_tunes=True)
# About so many steps a network learns from at most: random parts of a larger corpus. To hear more takes time, and
# training draws 500,000 transitions and three million examples in all.
MOST_STEPS: Final = 1_200_000
# The voices that play above the chords: each voice of a chorale, and the upper three together.
COMPED: Final = ((SOPRANO,), (ALTO,), (TENOR,), (BASS,), (SOPRANO, ALTO, TENOR))
COMPED_HELD_OUT: Final = ((SOPRANO,), (ALTO,))
# The voices that play above a bass.
BASSED: Final[Casts] = (((SOPRANO,), BASS), ((ALTO,), BASS), ((SOPRANO, ALTO, TENOR), BASS))
# Every CHARTED-th part with chords is also played by a chart, and every CHARTED-th of these without its player.
CHARTED: Final = 3
# Every COMPED_TUNES-th tune is played over chords, so that there are about as many tunes as chorale voices.
COMPED_TUNES: Final = 2
# The soprano with the bass, the tenor and the alto as partner, and the upper three voices with the bass.
HELD_OUT_CASTS: Final[Casts] = (
    ((SOPRANO,), BASS),
    ((SOPRANO,), TENOR),
    ((SOPRANO,), ALTO),
    ((SOPRANO, ALTO, TENOR), BASS),
)


@dataclass(frozen=True, slots=True)
class GameSettings:
    """The settings that decide which environments are played.

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
    """Where a role's parts come from; each function makes parts from pieces, as the settings say.

    Attributes:
        imitated: Parts whose partners the prior imitates.
        players: Parts whose players play in the environment.
        held_out: Parts for the held-out pieces, with their players.
        people: Parts with the human partners of the held-out pieces.
        learnt: Parts whose partners are the tunes learned from; empty for a role that plays no tunes.
    """

    imitated: Callable[[Iterable[Piece], GameSettings], list[Part]]
    players: Callable[[Iterable[Piece], GameSettings], list[Part]]
    held_out: Callable[[Iterable[Piece], GameSettings], list[Part]]
    people: Callable[[Iterable[Piece], GameSettings], list[Part]]
    learnt: Callable[[Iterable[Piece], GameSettings], list[Part]]


def imitation(
    pieces: Iterable[Piece],
    settings: GameSettings,
    rng: np.random.Generator | None = None,
    hidden: float = UNHEARD_SHARE,
) -> Imitation:
    """Return the data that the prior imitates.

    Args:
        pieces: The corpus.
        settings: Style, grid, register and role.
        rng: Draws the onsets that are heard only after their step was decided. With None all are heard in time.
        hidden: Share of these onsets.
    """
    parts = SOURCES[settings.role].imitated(pieces, settings)
    if rng is not None:
        parts = [with_unheard(part, rng, hidden) for part in some_of(parts, MOST_STEPS, rng)]
    observations, actions = prior_rows(parts, player_table(parts))
    count = parts[0].role.action_count
    kept = np.flatnonzero(actions < count)
    return Imitation(observations[kept], actions[kept], count)


def game_parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return the parts for the environment; some have no player, so that the improviser learns to play alone."""
    return playable(SOURCES[settings.role].players(pieces, settings))


def some_of(parts: Sequence[Part], steps: int, rng: np.random.Generator) -> list[Part]:
    """Return random ones of the parts, in their order, with about `steps` steps in all; all where there are fewer."""
    order = rng.permutation(len(parts))
    before = np.cumsum([0, *(len(parts[index].player) for index in order)])[:-1]
    return [parts[index] for index in np.sort(order[before < steps])]


def held_out_parts(pieces: Iterable[Piece], settings: GameSettings, split: str = "test") -> list[Part]:
    """Return the parts of a split with their players; the improviser's register is the one of live play."""
    return SOURCES[settings.role].held_out(_of_split(pieces, split), settings)


def human_parts(pieces: Iterable[Piece], settings: GameSettings, split: str = "test") -> list[Part]:
    """Return the parts of a split with their human partners."""
    return SOURCES[settings.role].people(_of_split(pieces, split), settings)


def training_lines(pieces: Iterable[Piece], settings: GameSettings) -> list[Events]:
    """Return the tunes of the training split that are learned from; none for a role that plays no tunes."""
    parts = SOURCES[settings.role].learnt(_of_split(pieces, "train"), settings)
    return [part.partner for part in parts]


def _imitated(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return each chorale voice beside others; and tunes, or else chorale voices, alone."""
    chorales, tunes, written = _by_kind(pieces)
    usage = _usage(settings, written)
    named = list(written_parts(written, settings.style, settings.steps_per_beat, None, has_solos=True))
    named += _charted(named)
    if usage.folders:
        return named
    if usage.has_tunes:
        parts = list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))
        casts = DUETS
    else:
        parts = list(_voices_alone(chorales, settings, usage.imitated))
        casts = DUETS + TRIOS
    voices = list(_at_speeds(chorales, settings, usage.imitated, casts))
    return [*parts, *voices, *_charted(voices), *named]


def _players(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return chorale voices with and without a player; or tunes, and the chorale casts that dances need."""
    chorales, tunes, written = _by_kind(pieces)
    style, grid, usage = settings.style, settings.steps_per_beat, _usage(settings, written)
    named = list(written_parts(written, style, grid, settings.register_low))
    named += [*map(alone, named[:: 2 * SOLO_SHARE]), *_charted(named)]
    if usage.folders:
        return named
    if usage.has_tunes:
        parts = list(tune_parts(tunes, style, grid, settings.register_low))
        parts += tune_parts(tunes[::SOLO_SHARE], style, grid, None)
        casts = DANCES
    else:
        parts = list(_voices_alone(chorales, settings, usage.played))
        casts = DUETS + TRIOS
    voices = list(_at_speeds(chorales, settings, usage.played, casts))
    return [*parts, *voices, *_charted(voices), *named]


def _held_out(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return sopranos, and the upper three voices; for dances, tunes."""
    chorales, tunes, written = _by_kind(pieces)
    usage = _usage(settings, written)
    if usage.folders:
        return list(written_parts(written, settings.style, settings.steps_per_beat, settings.register_low))
    if usage.has_tunes:
        return list(tune_parts(tunes, settings.style, settings.steps_per_beat, settings.register_low))
    base = register_base(settings.register_low, 0)
    parts = _at_speeds(chorales, settings, (1,), HELD_OUT_CASTS)
    return [replace(part, own_base=base) for part in parts]


def _people(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return the chorales' partners; for dances, the tunes."""
    chorales, tunes, written = _by_kind(pieces)
    usage = _usage(settings, written)
    if usage.folders:
        return list(written_parts(written, settings.style, settings.steps_per_beat, None))
    if usage.has_tunes:
        return list(tune_parts(tunes, settings.style, settings.steps_per_beat, None))
    return list(_at_speeds(chorales, settings, (1,), HELD_OUT_CASTS))


def _learnt(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
    """Return chorale voices and, for dances, also tunes."""
    chorales, tunes, written = _by_kind(pieces)
    usage = _usage(settings, written)
    if usage.folders:
        return list(written_parts(written, settings.style, settings.steps_per_beat, None))
    parts = list(_voices_alone(chorales, settings, usage.imitated))
    if usage.has_tunes:
        parts += tune_parts(tunes, settings.style, settings.steps_per_beat, None)
    return parts


def _usage(settings: GameSettings, written: Sequence[Piece]) -> Usage:
    """Return how the style uses the corpus, where these pieces of named parts are there."""
    usage = USAGES[settings.style]
    return _STAND_IN if usage.folders and not written else usage


def _of_split(pieces: Iterable[Piece], split: str) -> list[Piece]:
    """Return the pieces of a split."""
    return [piece for piece in pieces if piece.split == split]


def _at_speeds(
    chorales: Iterable[Piece], settings: GameSettings, speeds: Iterable[float], casts: Casts
) -> Iterator[Part]:
    """Yield the chorales' parts at each speed."""
    for speed in speeds:
        yield from chorale_parts(chorales, settings.style, settings.steps_per_beat, speed=speed, casts=casts)


def _voices_alone(chorales: Iterable[Piece], settings: GameSettings, speeds: Iterable[float]) -> Iterator[Part]:
    """Return each chorale voice without a player."""
    return map(alone, _at_speeds(chorales, settings, speeds, SOLOS))


def _by_kind(pieces: Iterable[Piece]) -> tuple[list[Piece], list[Piece], list[Piece]]:
    """Return the chorales, the tunes, and the pieces of named parts."""
    listed = list(pieces)
    chorales, tunes = ([piece for piece in listed if piece.kind == kind] for kind in ("chorale", "tune"))
    return chorales, tunes, [piece for piece in listed if piece.parts]


def _comped(
    casts: Sequence[tuple[int, ...]], *, is_also_alone: bool = False, tune_share: int | None = None
) -> Callable[[Iterable[Piece], GameSettings], list[Part]]:
    """Return a function that makes parts with chords, from chorales with these casts of the player's voices.

    Args:
        casts: The player's voices, highest first.
        is_also_alone: Whether to add the chords without a player.
        tune_share: Every tune_share-th tune is also a player, without a partner; None for no tunes.
    """

    def parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
        """Return the parts with chords, then those without a player, then the tunes."""
        chorales, tunes, written = _by_kind(pieces)
        style, grid, low = settings.style, settings.steps_per_beat, settings.register_low
        comped = list(written_comping(written, style, grid, low))
        comped += [*_charted(comped), *map(alone, comped[:: 2 * SOLO_SHARE])] if is_also_alone else ()
        if _usage(settings, written).folders:
            return comped
        chords = list(comping_parts(chorales, style, grid, low, casts))
        solos = map(alone, comping_parts(chorales, style, grid, low, casts[:1])) if is_also_alone else ()
        by_chart = [*_charted(chords), *map(alone, chords[:: 2 * SOLO_SHARE])] if is_also_alone else ()
        chosen = tunes[::tune_share] if tune_share is not None else ()
        below = (replace(part, role=COMPING) for part in tune_parts(chosen, style, grid, low))
        return [*chords, *solos, *by_chart, *below, *comped]

    return parts


def _charted(parts: Sequence[Part]) -> list[Part]:
    """Return some of the parts with chords by a chart, and some of these without their player."""
    known = [part for part in parts if (part.chords != UNKNOWN).any()]
    by_chart = [with_chart(part) for part in known[::CHARTED]]
    return [*by_chart, *map(alone, by_chart[::CHARTED])]


def _bassed(
    *, is_also_alone: bool = False, tune_share: int | None = None
) -> Callable[[Iterable[Piece], GameSettings], list[Part]]:
    """Return a function that makes parts with a bass line, as `_comped` does with chords."""

    def parts(pieces: Iterable[Piece], settings: GameSettings) -> list[Part]:
        """Return the parts with a bass, then by a chart and without a player, then the tunes."""
        chorales, tunes, written = _by_kind(pieces)
        style, grid, low = settings.style, settings.steps_per_beat, settings.register_low
        found = list(written_bass(written, style, grid, low))
        if not _usage(settings, written).folders:
            chorale = chorale_parts(chorales, style, grid, casts=BASSED)
            found += [replace(part, role=BASS_ROLE, own_base=register_base(low, 0)) for part in chorale]
            chosen = tunes[::tune_share] if tune_share is not None else ()
            found += [replace(part, role=BASS_ROLE) for part in tune_parts(chosen, style, grid, low)]
        return [*found, *_charted(found), *map(alone, found[:: 2 * SOLO_SHARE])] if is_also_alone else found

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
    BASS_ROLE.name: Sources(
        imitated=_bassed(is_also_alone=True),
        players=_bassed(is_also_alone=True, tune_share=COMPED_TUNES),
        held_out=_bassed(),
        people=_bassed(),
        learnt=lambda _pieces, _settings: [],
    ),
}
