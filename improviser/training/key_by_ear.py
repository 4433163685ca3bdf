"""The keys of players as they are heard in a jam, step by step, in place of those that are written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from improviser.listening.heard_key import HeardKey
from improviser.listening.observation import certainty
from improviser.listening.player import Player
from improviser.music.accent import LEVELS
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.training.features import by_length, grid_of, stack_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.training.grid import Part


def with_heard_keys(parts: Sequence[Part]) -> list[Part]:
    """Return the parts, in their order, with the key, and its certainty, that is known before each step."""
    found = list(parts)
    for chosen in by_length(np.array([len(part.player) for part in parts], dtype=np.int64)):
        for index, part in zip(chosen.tolist(), _heard([parts[index] for index in chosen]), strict=True):
            found[index] = part
    return found


def _heard(parts: list[Part]) -> list[Part]:
    """Return parts of similar length, each heard in one lane of a player."""
    events, bits, bass, _, _, given = stack_parts(parts)
    beat_steps, bar_steps = grid_of(parts)
    meters = np.array([part.meter for part in parts])
    keys, sure = np.zeros(events.shape, dtype=np.int64), np.zeros(events.shape, dtype=np.int64)
    player, heard = Player(beat_steps, bar_steps), [HeardKey() for _ in parts]
    for step in range(events.shape[1]):
        keys[:, step] = [one.key.index for one in heard]
        sure[:, step] = [certainty(one.confidence) for one in heard]
        level = LEVELS[meters, step % bar_steps * SIXTEENTHS_PER_BEAT // beat_steps]
        player.push(events[:, step], bits[:, step], bass[:, step], level, given[:, step])
        for lane in np.flatnonzero(player.bits):
            heard[lane].follow(player.key_chances[lane])
    ends = [len(part.player) for part in parts]
    return [
        replace(part, keys=keys[lane, :end], certainty=sure[lane, :end])
        for lane, (part, end) in enumerate(zip(parts, ends, strict=True))
    ]
