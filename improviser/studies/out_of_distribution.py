"""Out-of-distribution players, in styles that the corpus does not contain: the case for online training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine.role import ROLES
from improviser.listening.line import HOLD, REST, SILENT
from improviser.listening.observation import STYLES
from improviser.listening.player import player_base
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import pitch_class_bits
from improviser.playing.actions import register_base
from improviser.training.grid import Part, in_known_key
from improviser.training.key_by_ear import with_heard_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from improviser.training.material import GameSettings

# A chord or note: the beats until the next one begins, the beats that it is held, its notes.
Strike = tuple[float, float, tuple[int, ...]]
_LOW_C: Final = 48
_FOUR_FOUR: Final = Meter(4, 4)


def _drone(rng: np.random.Generator) -> Iterator[Strike]:
    """Yield notes held for two bars each: C, D, F or G."""
    while True:
        yield 8.0, 8.0, (_LOW_C + int(rng.choice((0, 2, 5, 7))),)


def _planing(rng: np.random.Generator) -> Iterator[Strike]:
    """Yield a major triad every half bar, on C, E flat, F, A flat or B flat, in random order."""
    while True:
        root = _LOW_C + int(rng.choice((0, 3, 5, 8, 10)))
        yield 2.0, 1.5, (root, root + 4, root + 7)


OUT_OF_DISTRIBUTION_PLAYERS: Final[dict[str, Callable[[np.random.Generator], Iterator[Strike]]]] = {
    "drone": _drone,
    "planing": _planing,
}


def out_of_distribution_part(kind: str, game: GameSettings, beats: int, rng: np.random.Generator) -> Part:
    """Return what an out-of-distribution player plays, as it is heard: its key is the one that is heard.

    Args:
        kind: One of OUT_OF_DISTRIBUTION_PLAYERS.
        game: Style, grid, register and role of the improviser.
        beats: Length in beats, in 4/4.
        rng: Draws what is played.
    """
    steps = beats * game.steps_per_beat
    events = np.full(steps, REST, dtype=np.int16)
    bits, bass = np.zeros(steps, dtype=np.int64), np.full(steps, SILENT, dtype=np.int64)
    start = 0
    for after, held, notes in OUT_OF_DISTRIBUTION_PLAYERS[kind](rng):
        if start >= steps:
            break
        end = start + round(held * game.steps_per_beat)
        events[start:end], events[start] = HOLD, max(notes)
        bits[start:end], bass[start:end] = pitch_class_bits(notes), min(notes)
        start += round(after * game.steps_per_beat)
    (part,) = with_heard_keys(
        [
            Part(
                name=kind,
                style=STYLES.index(game.style),
                mode=0,
                meter=METERS.index(_FOUR_FOUR),
                steps_per_beat=game.steps_per_beat,
                player=events,
                bits=bits,
                bass=bass,
                partner=np.full(steps, REST, dtype=np.int16),
                player_base=player_base(float(events[events >= 0].mean()), 0),
                own_base=register_base(game.register_low, 0),
                role=ROLES[game.role],
                **in_known_key(0, steps),
            )
        ]
    )
    return part
