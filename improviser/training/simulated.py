"""A simulated player that behaves as people do: it pauses, repeats, modulates, makes mistakes and plays late.

A changed part is heard as in live play. Its key is the one that the key tracker finds, with its confidence, and some
onsets are heard only after their step was decided.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.key_tracker import KeyTracker
from improviser.listening.observation import certainty
from improviser.midi.message import NoteOn
from improviser.music.pitch import OCTAVE
from improviser.training.part_edit import (
    part_messages,
    rearranged,
    transposed,
    with_late_notes,
    with_rest,
    with_wrong_notes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
) -> Iterator[Part]:
    """Yield the parts and, after a share of them, a version as a player might play it.

    Args:
        parts: The parts.
        share: Share of the parts with a player that get such a version.
        rng: Draws the behaviour.
        hidden: Share of its onsets that are heard only after their step was decided.
    """
    for part in parts:
        yield part
        if part.bits.any() and rng.random() < share:
            yield behave(part, rng, hidden)


def behave(part: Part, rng: np.random.Generator, hidden: float = UNHEARD_SHARE) -> Part:
    """Return a part as a player might play it and as it is heard; each behaviour has a probability of its own."""
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
    return with_unheard(as_heard(part), rng, hidden)


def as_heard(part: Part) -> Part:
    """Return the part with the key, and its certainty, that the key tracker finds in each step."""
    tracker = KeyTracker(meter_row=part.meter)
    keys, sure = part.keys.copy(), part.certainty.copy()
    struck = [(step, message.note) for step, message in part_messages(part) if isinstance(message, NoteOn)]
    for at, (step, note) in enumerate(struck):
        tracker.add_note(note, step / part.steps_per_beat)
        if at + 1 == len(struck) or struck[at + 1][0] > step:
            keys[int(step) :] = tracker.key.index
            sure[int(step) :] = certainty(tracker.confidence)
    return replace(part, keys=keys, certainty=sure)


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
