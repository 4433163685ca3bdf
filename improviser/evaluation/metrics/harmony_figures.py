"""How the improviser sounds together with the player: chord, consonance, voice leading."""

from __future__ import annotations

from typing import Final

import numpy as np

from improviser.evaluation.metrics.played import (
    BoolArray,
    Figures,
    IntRow,
    Performance,
    percent,
)
from improviser.listening.line import sounding_notes
from improviser.music.accent import LEVELS
from improviser.music.consonance import CONSONANT_INTERVALS
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE

# The metrical strength of beats 1 and 3, in quarters.
STRONG_LEVEL: Final = 3


def harmony_figures(performance: Performance) -> Figures:
    """Return the figures of sounding together: note in chord, consonance, parallels."""
    ours, top, theirs = (
        sounding_notes(performance.events),
        sounding_notes(performance.player),
        performance.bits,
    )
    consonant = _consonant(ours, top, theirs)
    strong = _is_strong(performance)
    counted, in_chord = chord_tones(ours, performance.chord_bits)
    return {
        "note in chord %": percent(in_chord[counted]),
        "consonant %": percent(consonant[theirs > 0]),
        "dissonant %": percent(((ours >= 0) & ~consonant)[theirs > 0]),
        "unsupported %": percent((ours < 0)[theirs > 0]),
        "strong-beat consonance %": percent(consonant[(theirs > 0) & strong]),
        "parallels per 100 notes": _parallels(ours, top, int(np.sum(performance.events >= 0))),
    }


def bass_figures(performance: Performance) -> Figures:
    """Return how much of the time on strong beats with a chord the root sounds; nan if roots are not known."""
    if performance.chord_root is None:
        return {"root on strong beats %": float("nan")}
    ours = sounding_notes(performance.events)
    counted = _is_strong(performance) & (performance.chord_bits > 0)
    return {"root on strong beats %": percent(((ours >= 0) & (ours % OCTAVE == performance.chord_root))[counted])}


def _is_strong(performance: Performance) -> BoolArray:
    """Return which steps are strong beats, (steps,)."""
    in_bar = np.arange(len(performance.events)) % performance.bar_steps
    sixteenth = in_bar * SIXTEENTHS_PER_BEAT // performance.steps_per_beat
    is_strong: BoolArray = LEVELS[performance.meter, sixteenth] >= STRONG_LEVEL
    return is_strong


def chord_tones(notes: IntRow, chord_bits: IntRow) -> tuple[BoolArray, BoolArray]:
    """Return where a note (-1 for none) meets a chord, and where it is one of its tones, (steps,) each.

    Source: "note in chord" of Y. Wu et al. (2024), "Adaptive Accompaniment with ReaLchords".
    """
    counted = (notes >= 0) & (chord_bits > 0)
    return counted, counted & ((chord_bits >> np.maximum(notes, 0) % OCTAVE) & 1 > 0)


def _consonant(ours: IntRow, top: IntRow, theirs: IntRow) -> BoolArray:
    """Return whether each step's note is consonant with any of `theirs`; intervals count from the lower voice up."""
    up = np.where(ours < top, -1, 1)
    found = np.zeros(len(ours), dtype=np.bool_)
    for interval in CONSONANT_INTERVALS:
        found |= (theirs >> (ours - up * interval) % OCTAVE) & 1 > 0
    return found & (ours >= 0)


def _parallels(ours: IntRow, top: IntRow, onsets: int) -> float:
    """Return parallel fifths, unisons and octaves with the player's top voice, per 100 of the improviser's onsets."""
    interval = np.where((ours >= 0) & (top >= 0), np.abs(ours - top) % OCTAVE, -1)
    moved = (ours[1:] != ours[:-1]) & (top[1:] != top[:-1])
    same = (interval[1:] == interval[:-1]) & np.isin(interval[1:], (0, 7))
    is_told = onsets > 0 and bool((top >= 0).any())
    return 100 * float(np.sum(moved & same)) / onsets if is_told else float("nan")
