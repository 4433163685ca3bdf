"""The rewards of chords below the player's tune.

`judge` works on any number of lanes. Each term lies in [-1, 1] and so does each component; whatever is
rewarded has a counter-term, or a band that people's chords stay in.

| component | term | weight | rewards, and punishes |
|---|---|---|---|
| harmony | fit | .40 | chords that hold what the player sounds; others, most on strong beats |
| harmony | chord | .25 | tones shared with the chord that the player implies; few of them |
| harmony | scale | .20 | - ; tones outside the key |
| harmony | clash | .15 | - ; the player a semitone above a chord tone, most on strong beats |
| coherence | meter | .25 | chords on strong positions; off the beat, and holding through a downbeat |
| coherence | density | .30 | - ; more or fewer chords in two bars than people strike below as many notes |
| coherence | progression | .18 | usual successions of degrees; unusual ones, and chromatic roots |
| coherence | leading | .12 | chords near the one before, but another; far ones |
| coherence | cadence | .15 | tonic or dominant at the end of four bars, tonic of eight; other chords |
| creativity | surprise | .35 | some unusual successions among many usual; the obvious and the far-fetched |
| creativity | novelty | .30 | - ; exact repetition for a whole lag (a beat, two, a bar, two bars) |
| creativity | variety | .20 | five to eight chords among the last eight; one to three |
| creativity | change | .15 | - ; striking the same chord again and again |

Sources: progression, the table of usual root progressions of W. Piston (1941), "Harmony". Leading,
`music.voice_leading` (Tymoczko 2006). Clash: the avoid notes of B. Nettles and R. Graf (1997), "The Chord
Scale Theory and Jazz Harmony". Surprise: the inverted U of D. E. Berlyne (1971), "Aesthetics and
Psychobiology".
Density: 10th to 90th percentile of the chords of the chorales, struck where they change or a bar begins, as
`training.harmony` labels them; variety and the middle of surprise are theirs too.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, LONG_AGO, NO_INTERVAL, NONE, WINDOW
from improviser.music.accent import STRONG
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, QUALITY_COUNT
from improviser.music.pitch import ALL_PITCH_CLASSES, OCTAVE, rotate
from improviser.music.scale import SCALE_BITS
from improviser.music.voice_leading import MOVEMENT
from improviser.rewards.scene import Rewards, Scene

if TYPE_CHECKING:
    from improviser.music.pitch import IntArray
    from improviser.rewards.scene import FloatArray

BoolArray = npt.NDArray[np.bool_]

TERMS: Final = {
    "fit": ("harmony", 0.40),
    "chord": ("harmony", 0.25),
    "scale": ("harmony", 0.20),
    "clash": ("harmony", 0.15),
    "meter": ("coherence", 0.25),
    "density": ("coherence", 0.30),
    "progression": ("coherence", 0.18),
    "leading": ("coherence", 0.12),
    "cadence": ("coherence", 0.15),
    "surprise": ("creativity", 0.35),
    "novelty": ("creativity", 0.30),
    "variety": ("creativity", 0.20),
    "change": ("creativity", 0.15),
}
_AT: Final = {term: column for column, term in enumerate(TERMS)}
# Chords in two bars of four beats, the fewest and the most that people strike: a pair for each density of the
# player's (half its onsets); the first is also that of no player, and wider.
DENSITY_BANDS: Final = np.array([[4, 8], [2, 5], [4, 7], [5, 7], [5, 8], [6, 8], [6, 8], [6, 8], [6, 8]])
# Usual successions of degrees: after each, what follows usually, sometimes, and less often.
# Source: W. Piston (1941), "Harmony", table of usual root progressions.
PROGRESSIONS: Final = {
    1: ((4, 5), (6,), (2, 3)),
    2: ((5,), (4, 6), (1, 3)),
    3: ((6,), (4,), (1, 2, 5)),
    4: ((5,), (1, 2), (3, 6)),
    5: ((1,), (4, 6), (2, 3)),
    6: ((2, 5), (3, 4), (1,)),
    7: ((1, 3), (6,), (2, 4, 5)),
}
# Worth of what follows usually, sometimes, less often, never.
_FREQUENCY: Final = np.array([1.0, 0.8, 0.3, -0.6, 0.0], dtype=np.float32)
_SAME_ROOT: Final = 4
# How unusual each is, in thirds; and the worth of their sum over the last seven successions, 0..21: an
# inverted U around what people's chords come to.
_UNUSUAL: Final = np.array([0, 1, 2, 3, 0])
_SURPRISE: Final = np.clip(1.3 - ((np.arange(22) - 6) / 4) ** 2, -1.0, 1.0).astype(np.float32)
# The degree, 1..7, that each root above the tonic is of, 0 for none: [mode, root].
_DEGREES: Final = np.array([[1, 0, 2, 0, 3, 4, 0, 5, 0, 6, 0, 7], [1, 0, 2, 3, 0, 4, 0, 5, 6, 0, 7, 7]])
_LEVELS: Final = np.arange(5, dtype=np.float32) / 4
# Worth of fitting nothing and all of what sounds: [level, inside].
_FIT: Final = np.stack([-0.2 - 0.6 * _LEVELS, 0.5 + 0.5 * _LEVELS], axis=1)
_CLASH: Final = 0.3 + 0.7 * _LEVELS
# Fit to the meter: [level, onset, hold or rest].
_METER_FIT: Final = np.array(
    [[-0.8, 0, 0], [-0.3, 0, 0], [0.4, 0, 0], [0.7, 0, 0], [1.0, -0.5, -0.2]], dtype=np.float32
)
# What a chord still counts so many steps after it was struck: all for two beats of sixteenths, then halved
# each beat.
_WORTH: Final = np.float32(0.5) ** (np.maximum(np.arange(LONG_AGO + 1) - 7, 0) / 4).astype(np.float32)
# Worth of so many different chords, 0..8, among the last eight.
_VARIETY: Final = np.array([0, -1, -0.9, -0.5, 0.2, 0.8, 1, 1, 0.8], dtype=np.float32)
# Worth of so many restruck chords, 0..3, among the last four.
_RESTRUCK: Final = np.array([0, 0, -0.6, -1], dtype=np.float32)
# The columns of `moments`.
MOMENT: Final = 9


def moments(level: IntArray, sixteenth: IntArray, bar: IntArray, chord_bits: IntArray) -> FloatArray:
    """Return what a step's place makes of whatever is played then, (steps, MOMENT).

    Args:
        level: (steps,) metrical strength in quarters, 0-4.
        sixteenth: (steps,) position in the bar; it makes no difference here.
        bar: (steps,) number of the bar.
        chord_bits: (steps,) the implied chord; nor does this.

    Returns:
        Columns: worth of a chord that fits nothing and one that fits all, of a clash, of an onset, a hold and
        a rest, and of another chord, the dominant and the tonic.
    """
    del sixteenth, chord_bits
    strong = (_LEVELS[level] >= STRONG)[:, None]
    return np.concatenate([_FIT[level], _CLASH[level][:, None], _METER_FIT[level], _CLOSING[bar % 8] * strong], axis=1)


def judge(scene: Scene) -> FloatArray:
    """Return every term, (lanes, len(TERMS)), of the step that `scene` shows."""
    terms = np.empty((len(scene.own.note), len(TERMS)), dtype=np.float32)
    # The chord that sounds, relative to the tonic; any where none does, for then `sounding` tells so.
    token = (scene.own.note - QUALITY_COUNT * scene.tonic) % CHORD_COUNT
    sounding = scene.own.note >= 0
    _harmony(scene, token, sounding, terms)
    _coherence(scene, token, sounding, terms)
    _creativity(scene, sounding, terms)
    return terms


def _harmony(scene: Scene, token: IntArray, sounding: BoolArray, out: FloatArray) -> None:
    """Write the four terms of harmony."""
    moment, bits, chord = scene.moment, scene.bits, CHORD_BITS[token]
    heard = sounding & (bits > 0)
    inside = _POPCOUNT[bits & chord] / np.maximum(_POPCOUNT[bits], 1)
    out[:, _AT["fit"]] = (moment[:, 0] + (moment[:, 1] - moment[:, 0]) * inside) * heard
    shared = _POPCOUNT[scene.chord_bits & chord] / np.maximum(_POPCOUNT[scene.chord_bits], _POPCOUNT[chord])
    out[:, _AT["chord"]] = (2 * shared - 1) * (sounding & (scene.chord_bits > 0))
    out[:, _AT["scale"]] = _OUTSIDE[scene.mode, token] * sounding
    out[:, _AT["clash"]] = (bits & _AVOIDED[token] > 0) * -moment[:, 2] * sounding


def _coherence(scene: Scene, token: IntArray, sounding: BoolArray, out: FloatArray) -> None:
    """Write the five terms of coherence, and surprise, which is read off the same roots."""
    own, moment = scene.own, scene.moment
    newest, started = own.events[:, -1], own.events[:, 0] != NONE
    out[:, _AT["meter"]] = np.where(newest >= 0, moment[:, 3], np.where(newest == HOLD, moment[:, 4], moment[:, 5]))
    out[:, _AT["density"]] = _DENSITY_FIT[scene.player_density, started.view(np.int8), own.count]
    chords = (own.pitches - QUALITY_COUNT * scene.tonic[:, None]) % CHORD_COUNT
    roots = chords // QUALITY_COUNT
    ranks = _RANK[scene.mode[:, None], roots[:, :-1], roots[:, 1:]]
    worth = _WORTH[own.since] * (sounding & (own.intervals[:, -1] != NO_INTERVAL))
    out[:, _AT["progression"]] = _FREQUENCY[ranks[:, -1]] * worth
    out[:, _AT["leading"]] = _NEARNESS[chords[:, -2], token] * worth
    closing = 6 + _CLOSES[token]
    out[:, _AT["cadence"]] = moment[np.arange(len(token)), closing] * sounding
    out[:, _AT["surprise"]] = _SURPRISE[_UNUSUAL[ranks].sum(axis=1)] * worth * (own.pitches[:, 0] >= 0)


def _creativity(scene: Scene, sounding: BoolArray, out: FloatArray) -> None:
    """Write the terms of creativity but for surprise."""
    own = scene.own
    loops = (own.runs >= own.lags) & (own.since[:, None] < own.lags)
    np.negative(np.logical_or.reduce(loops, axis=1), out=out[:, _AT["novelty"]], dtype=np.float32)
    ordered = np.sort(own.pitches, axis=1)
    different = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    worth = _WORTH[own.since] * sounding
    out[:, _AT["variety"]] = _VARIETY[different] * worth * (own.pitches[:, 0] >= 0)
    out[:, _AT["change"]] = _RESTRUCK[np.count_nonzero(own.intervals[:, -3:] == 0, axis=1)] * worth


_POPCOUNT: Final = np.array([bits.bit_count() for bits in range(ALL_PITCH_CLASSES + 1)], dtype=np.int64)
# The notes a semitone above a chord's tones that are none of its tones: [chord].
_AVOIDED: Final = rotate(CHORD_BITS, np.array(OCTAVE - 1)) & ~CHORD_BITS
# Half the tones outside of the scale, at most all that a term can be: [mode, chord].
_OUTSIDE: Final = -np.minimum(_POPCOUNT[CHORD_BITS[None, :CHORD_COUNT] & ~SCALE_BITS[:, None]] / 2, 1.0)
# Major and minor triads on the tonic; the triad and seventh on the dominant.
_TONICS: Final = (0, 1)
_DOMINANTS: Final = (7 * QUALITY_COUNT, 7 * QUALITY_COUNT + 4)
# Which of the columns of closing a chord belongs to: another, dominant, tonic: [chord].
_CLOSES: Final = np.select(
    [np.isin(np.arange(CHORD_COUNT), _TONICS), np.isin(np.arange(CHORD_COUNT), _DOMINANTS)], [2, 1]
)
# Worth of another chord, the dominant and the tonic on the strong beats of each bar of eight.
_CLOSING: Final = np.zeros((8, 3), dtype=np.float32)
_CLOSING[3], _CLOSING[7] = (-0.4, 0.7, 0.7), (-0.7, -0.3, 1.0)


def _rank_table() -> npt.NDArray[np.int64]:
    """Return how far down Piston's table roots stand, (modes, 12, 12), by the root before: 0..3, 4 for none."""
    table = np.full((len(_DEGREES), OCTAVE, OCTAVE), _SAME_ROOT)
    for mode, before, root in product(range(len(_DEGREES)), range(OCTAVE), range(OCTAVE)):
        if before != root:
            table[mode, before, root] = _rank(int(_DEGREES[mode, before]), int(_DEGREES[mode, root]))
    return table


def _rank(before: int, degree: int) -> int:
    """Return how far down Piston's table a degree stands after another: 0..2, and 3 where it does not."""
    follows = PROGRESSIONS.get(before, ())
    return next((rank for rank, degrees in enumerate(follows) if degree in degrees), 3)


def _density_table() -> FloatArray:
    """Return the fit of so many chords beside the player's density, (9, 2, WINDOW + 1).

    The second axis's 0 is for a window that began before the music: what it holds is not yet too little.
    """
    onsets = np.arange(WINDOW + 1)
    fewest, most = DENSITY_BANDS[:, :1, None], DENSITY_BANDS[:, 1:, None]
    started = np.array([0, 1])[:, None]
    outside = np.maximum(np.maximum((fewest - onsets) * started, onsets - most), 0)
    table: FloatArray = -np.minimum(outside * 0.3, 1.0).astype(np.float32)
    return table


_RANK: Final = _rank_table()
_DENSITY_FIT: Final = _density_table()
# Worth of the movement to a chord from the one before; people's is 0.9 semitones a tone on average.
_NEARNESS: Final = np.interp(MOVEMENT, (0.3, 0.6, 1.0, 1.3, 1.7), (0.0, 1.0, 1.0, 0.0, -1.0)).astype(np.float32)

COMPING: Final = Rewards(TERMS, MOMENT, moments, judge)
