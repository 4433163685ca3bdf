"""A simulated player that behaves as people do: it pauses, repeats, modulates, makes mistakes and plays late.

A changed part is heard as in live play: its key is the one that is heard, with its confidence, and some onsets are
heard only after their step was decided.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.music.pitch import OCTAVE
from improviser.training.key_by_ear import with_heard_keys
from improviser.training.part_edit import (
    rearranged,
    transposed,
    with_late_notes,
    with_rest,
    with_wrong_notes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from improviser.training.grid import Part

# The share of parts in which a player does each of these.
REPEATS, MODULATES, SLIPS, DRAGS, PAUSES = 0.4, 0.4, 0.5, 0.4, 0.4
# The most bars that are repeated, and the most bars of a pause.
PHRASE_BARS: Final = 2
PAUSE_BARS: Final = 3
# The largest share of notes that are wrong, and of notes that are a step late.
WRONG_SHARE: Final = 0.1
LATE_SHARE: Final = 0.2
# The share of onsets that are heard only after their step was decided.
UNHEARD_SHARE: Final = 0.15


def simulated(
    parts: Iterable[Part], share: float, rng: np.random.Generator, hidden: float = UNHEARD_SHARE
) -> list[Part]:
    """Return the parts and, after a share of them, a version as a player might play it and as it is heard.

    Args:
        parts: The parts.
        share: Share of the parts with a player that get such a version.
        rng: Draws the behaviour.
        hidden: Share of its onsets that are heard only after their step was decided.
    """
    listed, is_plain = [], []
    for part in parts:
        listed.append(part)
        is_plain.append(True)
        if part.bits.any() and rng.random() < share:
            listed.append(with_unheard(behave(part, rng), rng, hidden))
            is_plain.append(False)
    heard = iter(with_heard_keys([part for part, plain in zip(listed, is_plain, strict=True) if not plain]))
    return [part if plain else next(heard) for part, plain in zip(listed, is_plain, strict=True)]


def behave(part: Part, rng: np.random.Generator) -> Part:
    """Return a part as a player might play it; each behaviour has a probability of its own."""
    if rng.random() < REPEATS:
        part = rearranged(part, _with_repeat(part, rng))
    if rng.random() < MODULATES:
        part = transposed(part, _bar_line(part, rng), int(rng.integers(-OCTAVE // 2, OCTAVE // 2)))
    if rng.random() < SLIPS:
        part = with_wrong_notes(part, 0, float(rng.uniform(0, WRONG_SHARE)), rng)
    if rng.random() < DRAGS:
        part = with_late_notes(part, float(rng.uniform(0, LATE_SHARE)), rng)
    if rng.random() < PAUSES:
        part = with_rest(part, _bar_line(part, rng), int(rng.integers(1, PAUSE_BARS + 1)))
    return part


def with_unheard(part: Part, rng: np.random.Generator, hidden: float = UNHEARD_SHARE) -> Part:
    """Return the part with a share `hidden` of its onsets heard only after their step was decided."""
    is_late = (part.player >= 0) & (rng.random(len(part.player)) < hidden)
    return replace(part, is_late=is_late)


def _with_repeat(part: Part, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the numbers of the steps of a part in which one phrase is repeated."""
    end = _bar_line(part, rng)
    phrase = min(end, int(rng.integers(1, PHRASE_BARS + 1)) * part.bar_steps)
    steps = np.arange(len(part.player))
    return np.concatenate([steps[:end], steps[end - phrase : end], steps[end:]])[: len(steps)]


def _bar_line(part: Part, rng: np.random.Generator) -> int:
    """Return the step of a random bar line inside a part of at least two bars."""
    bars = len(part.player) // part.bar_steps
    return int(rng.integers(1, bars)) * part.bar_steps
