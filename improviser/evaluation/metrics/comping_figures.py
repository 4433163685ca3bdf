"""The figures of chords below the player's tune; figures that need a tune of the improviser are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from improviser.evaluation.metrics.diversity import (
    bar_correlation,
    bars_repeated,
    density,
    onsets_per_bar,
    vendi_score,
)
from improviser.evaluation.metrics.harmony_figures import STRONG_LEVEL, chord_tones
from improviser.evaluation.metrics.played import (
    Figures,
    IntRow,
    Performance,
    percent,
    whole_bars,
)
from improviser.evaluation.metrics.rules import repetition_figures
from improviser.listening.line import REST, sounding_notes
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, QUALITY_COUNT
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_BITS
from improviser.music.voice_leading import MOVEMENT

# Two chords with this many tones in common count as the same, apart from a seventh.
ALIKE: Final = 2
TONIC, DOMINANT = 0, 7


def comping_figures(performance: Performance) -> Figures:
    """Return every figure of chords by name; shares in percent, nan where there is nothing to count."""
    return _company(performance) | _harmony(performance) | _rhythm(performance)


def _company(performance: Performance) -> Figures:
    """Return how the chords go with the player: note in chord, agreement, density."""
    bits = CHORD_BITS[sounding_notes(performance.events)]
    top, theirs = sounding_notes(performance.player), performance.bits
    counted, inside = chord_tones(top, bits)
    in_bar = np.arange(len(top)) % performance.bar_steps * SIXTEENTHS_PER_BEAT // performance.steps_per_beat
    strong = LEVELS[performance.meter, in_bar] >= STRONG_LEVEL
    both = (bits > 0) & (performance.chord_bits > 0)
    ours, heard = (whole_bars(row, performance.bar_steps) for row in (performance.events, performance.player))
    return {
        "note in chord %": percent(inside[counted]),
        "strong-beat note in chord %": percent(inside[counted & strong]),
        "agrees with implied chord %": percent(_popcount(bits & performance.chord_bits)[both] >= ALIKE),
        "unsupported %": percent((bits == 0)[theirs > 0]),
        "density correlation": bar_correlation(density(ours), density(heard)),
    }


def _harmony(performance: Performance) -> Figures:
    """Return figures of the chords played and of their succession."""
    struck = performance.events[performance.events >= 0].astype(np.int64)
    changed = struck[np.append(True, struck[1:] != struck[:-1])] if len(struck) else struck
    motion = np.diff(changed // QUALITY_COUNT) % OCTAVE
    outside = CHORD_BITS[struck] & ~SCALE_BITS[performance.mode]
    bars = len(whole_bars(performance.events, performance.bar_steps))
    return {
        "chords out of key %": percent(outside > 0),
        "starts with tonic %": percent(struck[:1] // QUALITY_COUNT == TONIC),
        "bars 4 and 8 close %": percent(_closes(performance)),
        "chord changes per bar": len(motion) / bars if bars else float("nan"),
        "changes to the right root %": _right_changes(performance),
        "distinct chords": float(len(np.unique(struck))),
        "restruck %": percent(struck[1:] == struck[:-1]),
        "fourths up or down %": percent(np.isin(motion, (5, 7))),
        "movement semitones": float(MOVEMENT[changed[:-1], changed[1:]].mean()) if len(motion) else float("nan"),
    }


def _right_changes(performance: Performance) -> float:
    """Return the share of changes to a chord of the root that is behind; nan if roots are not known."""
    if performance.chord_root is None:
        return float("nan")
    at = np.flatnonzero(performance.events >= 0)
    roots, behind = performance.events[at] // QUALITY_COUNT, performance.chord_root[at]
    is_counted = np.append(True, np.diff(performance.events[at]) != 0)[: len(at)] & (performance.chord_bits[at] > 0)
    return percent((roots == behind)[is_counted])


def _rhythm(performance: Performance) -> Figures:
    """Return how often chords are struck, and how much is repeated."""
    events, bar_steps = performance.events, performance.bar_steps
    roots = np.where(events >= 0, events // QUALITY_COUNT, events).astype(np.int16)
    level = LEVELS[
        performance.meter,
        np.flatnonzero(events >= 0) % bar_steps * SIXTEENTHS_PER_BEAT // performance.steps_per_beat,
    ]
    return {
        "onsets per bar": onsets_per_bar(events, bar_steps),
        "onsets on the beat %": percent(level >= STRONG_LEVEL - 1),
        "rest %": percent(events == REST),
        "bars repeated %": bars_repeated(events, bar_steps),
        "Vendi": vendi_score(replace(performance, events=roots)),
    } | repetition_figures(events)


def _closes(performance: Performance) -> list[bool]:
    """Return whether each fourth bar ends on tonic or dominant, and each eighth bar on the tonic."""
    sounding = sounding_notes(performance.events)
    ends = range(4 * performance.bar_steps, len(sounding) + 1, 4 * performance.bar_steps)
    roots = [(number, _root(sounding[end - 1])) for number, end in enumerate(ends)]
    return [root == TONIC or (number % 2 == 0 and root == DOMINANT) for number, root in roots]


def _root(chord: np.int64) -> int:
    """Return a chord's root, -1 for no chord."""
    return int(chord) // QUALITY_COUNT if chord >= 0 else -1


def _popcount(bits: IntRow) -> IntRow:
    """Return the size of each set."""
    sizes: IntRow = ((bits[:, None] >> np.arange(OCTAVE)) & 1).sum(axis=1)
    return sizes
