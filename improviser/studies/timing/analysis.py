"""Figures of what a probe received: how far onsets are off their grid, and which notes are missing or stuck."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from improviser.performer.stats import quantiles_ms
from improviser.studies.timing.probe import TICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from improviser.studies.timing.probe import Note

_KIND, _NOTE_ON = 4, 0x9
_CHANNELS: Final = 16
# An onset is early by at most this share of a step; one that is further off counts as a late onset of the step before.
_EARLY: Final = 0.25
# The first notes are skipped: they come while caches are cold and the graph is changing.
_WARM_UP: Final = 8


@dataclass(frozen=True, slots=True)
class ProbedNotes:
    """The notes received from one sender.

    Attributes:
        notes: Note-ons that were measured.
        missing: Note-ons that were sent but not received.
        doubled: Note-ons that were received too often.
        stuck: Notes without a note-off.
        off_ms: How far onsets are off the grid: p50, p99, p99.9, max.
    """

    notes: int
    missing: int
    doubled: int
    stuck: int
    off_ms: dict[str, float]


def judge_grid(notes: Sequence[Note], step_s: float, sent: Sequence[int] | None, *, by_frame: bool) -> ProbedNotes:
    """Measure notes, or ticks, against a grid.

    The step of the grid is the nominal one, so that drift counts. The start of the grid follows from the notes.

    Args:
        notes: Note-ons and note-offs, or ticks, as the probe recorded them.
        step_s: Step of the grid.
        sent: The note-ons that the sender reported; None where it sends one on each step.
        by_frame: Whether to use JACK's frame times or the machine's clock.
    """
    ons = [note for note in notes if note[3] >> _KIND == _NOTE_ON or note[3] == TICK]
    times_s = [note[1] if by_frame else note[2] for note in ons]
    places, off_s = _on_grid(times_s, step_s, gapless=sent is None)
    if sent is None:
        counts = Counter(places)
        missing = max(places, default=0) - min(places, default=0) + bool(places) - len(counts)
        doubled = sum(counts.values()) - len(counts)
    else:
        told, came = Counter(sent), Counter(note[4] for note in ons)
        missing, doubled = (told - came).total(), (came - told).total()
    return ProbedNotes(
        notes=len(off_s[_WARM_UP:]),
        missing=missing,
        doubled=doubled,
        stuck=_stuck(notes),
        off_ms=quantiles_ms(off_s[_WARM_UP:]),
    )


def judge_reactions(keys: Iterable[Note], answers: Sequence[Note]) -> dict[str, float]:
    """Return the time in ms from each key's note-on to the same note-on that follows: p50, p99, p99.9, max.

    Times are JACK's frame times. The result is empty where no note-on was answered.
    """
    waiting = [note for note in answers if note[3] >> _KIND == _NOTE_ON]
    spans_s: list[float] = []
    for key in (note for note in keys if note[3] >> _KIND == _NOTE_ON):
        while waiting and waiting[0][1] < key[1]:
            waiting.pop(0)
        if waiting and waiting[0][3:] == key[3:]:
            spans_s.append(waiting.pop(0)[1] - key[1])
    return quantiles_ms(spans_s)


def of_channel(notes: Iterable[Note], channel: int) -> list[Note]:
    """Return the notes of a channel 0-15."""
    return [note for note in notes if note[3] != TICK and note[3] % _CHANNELS == channel]


def of_clock(notes: Iterable[Note]) -> list[Note]:
    """Return the ticks."""
    return [note for note in notes if note[3] == TICK]


def _on_grid(times_s: Sequence[float], step_s: float, *, gapless: bool) -> tuple[list[int], list[float]]:
    """Return the steps of the best-fitting grid for these times, and how far off each time is.

    If there should be one on each step (`gapless`), those that come after a stall are late, see _in_order.
    """
    if not times_s:
        return [], []
    first_s = times_s[0]
    phase_s = statistics.median((at_s - first_s + step_s / 2) % step_s - step_s / 2 for at_s in times_s)
    places = [math.floor((at_s - first_s - phase_s) / step_s + _EARLY) for at_s in times_s]
    places = _in_order(places) if gapless else places
    off_s = [at_s - first_s - place * step_s for at_s, place in zip(times_s, places, strict=True)]
    centre_s = statistics.median(off_s)
    return places, [off - centre_s for off in off_s]


def _in_order(places: Sequence[int]) -> list[int]:
    """Return ascending places with surplus ones moved to the empty places right before them.

    After a stall of several steps, several messages come at once. They are late, not missing and doubled. A doubled
    message in the first place cannot be told from a first one that is late; anywhere else it stays doubled.
    """
    moved: list[int] = []
    free = places[0]
    empty = list(range(free - len(places), free))
    for place, same in groupby(places):
        count = len(list(same))
        empty += range(free, place)
        late = [empty.pop() for _ in range(min(count - 1, len(empty)))]
        moved += [*late, *[place] * (count - len(late))]
        free = place + 1
        if count == 1:
            empty.clear()  # the stall is over
    return sorted(moved)


def _stuck(notes: Sequence[Note]) -> int:
    """Return how many notes still sound at the end."""
    sounding: set[tuple[int, int]] = set()
    for _, _, _, status, note in notes:
        key = (status % _CHANNELS, note)
        if status >> _KIND == _NOTE_ON:
            sounding.add(key)
        elif status != TICK:
            sounding.discard(key)
    return len(sounding)
