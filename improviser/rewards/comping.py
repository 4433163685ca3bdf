"""The rewards of chords below the player's tune.

`judge` works on any number of lanes. Each term and each component lies in [-1, 1]. Everything that is rewarded has a
counter-term, or a band that human chords stay in. In the table a dash stands for nothing.

| component | term | weight | rewards; punishes |
|---|---|---|---|
| harmony | fit | .25 | chords that contain the player's sounding notes; others, most on strong beats |
| harmony | chord | .40 | tones shared with the chord behind the player; few shared tones |
| harmony | invented | .15 | - ; another chord that shares fewer tones with the chord behind than the one before |
| harmony | scale | .10 | - ; tones outside the key that are not of the chord behind the player |
| harmony | clash | .10 | - ; a player's note a semitone above a chord tone, most on strong beats |
| coherence | meter | .25 | chords on strong positions; off the beat, and holding through a downbeat |
| coherence | density | .30 | - ; more or fewer chords in two bars than people play below as many notes |
| coherence | progression | .18 | usual successions of degrees; unusual ones, and chromatic roots |
| coherence | leading | .12 | another chord near the one before; distant chords |
| coherence | cadence | .15 | tonic or dominant at the end of four bars, tonic of eight; other chords |
| creativity | surprise | .40 | some unusual successions among many usual; the obvious and the far-fetched |
| creativity | novelty | .30 | - ; exact repetition for a whole lag (a beat, two, a bar, two bars) |
| creativity | variety | .15 | three to eight chords among the last eight; one or two that are not the chord behind |
| creativity | change | .15 | - ; striking again and again a chord that is not the one behind |

Sources: progression, the table of usual root progressions of W. Piston (1941), "Harmony". Leading,
`music.voice_leading` (Tymoczko 2006). Clash: the avoid notes of B. Nettles and R. Graf (1997), "The Chord
Scale Theory and Jazz Harmony". Surprise: the inverted U of D. E. Berlyne (1971), "Aesthetics and
Psychobiology".
Density: from one chord a bar, as in many songs, to the 90th percentile of the chorales' chords, as
`training.chorale_harmony` labels them, struck where the chord changes or a bar begins. The middle of surprise comes
from the same chords. Variety: a song of three chords is no fault.
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
    "fit": ("harmony", 0.25),
    "chord": ("harmony", 0.40),
    "invented": ("harmony", 0.15),
    "scale": ("harmony", 0.10),
    "clash": ("harmony", 0.10),
    "meter": ("coherence", 0.25),
    "density": ("coherence", 0.30),
    "progression": ("coherence", 0.18),
    "leading": ("coherence", 0.12),
    "cadence": ("coherence", 0.15),
    "surprise": ("creativity", 0.40),
    "novelty": ("creativity", 0.30),
    "variety": ("creativity", 0.15),
    "change": ("creativity", 0.15),
}
_AT: Final = {term: column for column, term in enumerate(TERMS)}
# The fewest and the most chords that people play in two bars of four beats: a pair for each density of the player
# (half the player's onsets). The first pair is wider, because it also holds without a player.
DENSITY_BANDS: Final = np.array([[2, 8], [2, 5], [2, 7], [2, 7], [2, 8], [2, 8], [2, 8], [2, 8], [2, 8]])
# Usual successions of degrees: for each degree those that follow usually, sometimes, and less often.
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
# Worth of a degree that follows usually, sometimes, less often, never; the last value is for the same root.
_FREQUENCY: Final = np.array([1.0, 0.8, 0.3, -0.6, 0.0], dtype=np.float32)
_SAME_ROOT: Final = 4
# How unusual each of these is, in thirds. _SURPRISE is the worth of their sum over the last seven successions, 0..21:
# an inverted U around the value of human chords.
_UNUSUAL: Final = np.array([0, 1, 2, 3, 0])
_SURPRISE: Final = np.clip(1.3 - ((np.arange(22) - 6) / 4) ** 2, -1.0, 1.0).astype(np.float32)
# The degree, 1..7, of each root above the tonic, 0 for none: [mode, root].
_DEGREES: Final = np.array([[1, 0, 2, 0, 3, 4, 0, 5, 0, 6, 0, 7], [1, 0, 2, 3, 0, 4, 0, 5, 6, 0, 7, 7]])
_LEVELS: Final = np.arange(5, dtype=np.float32) / 4
# Worth of a chord that contains none, and of one that contains all, of the sounding notes: [level, inside].
_FIT: Final = np.stack([-0.2 - 0.6 * _LEVELS, 0.5 + 0.5 * _LEVELS], axis=1)
_CLASH: Final = 0.3 + 0.7 * _LEVELS
# Fit to the meter; columns are onset, hold and rest: [level, column].
_METER_FIT: Final = np.array(
    [[-0.8, 0, 0], [-0.3, 0, 0], [0.4, 0, 0], [0.7, 0, 0], [1.0, -0.5, -0.2]], dtype=np.float32
)
# The weight of a chord by the steps since it was struck: 1 for two beats of sixteenths, then halved with each beat.
_WORTH: Final = np.float32(0.5) ** (np.maximum(np.arange(LONG_AGO + 1) - 7, 0) / 4).astype(np.float32)
# Worth by the number of different chords, 0..8, among the last eight.
_VARIETY: Final = np.array([0, -1, -0.6, 0.3, 0.7, 0.9, 1, 0.9, 0.7], dtype=np.float32)
# Worth by the number of repeated chords, 0..3, among the last four.
_RESTRUCK: Final = np.array([0, 0, -0.2, -0.7], dtype=np.float32)
# The number of columns of `moments`.
MOMENT: Final = 9


def moments(level: IntArray, sixteenth: IntArray, bar: IntArray, chord_bits: IntArray) -> FloatArray:
    """Return the weights and worths that depend on a step's place in the music, (steps, MOMENT).

    Args:
        level: (steps,) metrical strength in quarters, 0-4.
        sixteenth: (steps,) position in the bar; not used.
        bar: (steps,) number of the bar.
        chord_bits: (steps,) the implied chord; not used.

    Returns:
        Columns: worth of a chord that contains none and of one that contains all sounding notes; weight of a clash;
        worth of an onset, a hold and a rest; worth at a cadence of another chord, the dominant and the tonic.
    """
    del sixteenth, chord_bits
    strong = (_LEVELS[level] >= STRONG)[:, None]
    return np.concatenate([_FIT[level], _CLASH[level][:, None], _METER_FIT[level], _CLOSING[bar % 8] * strong], axis=1)


def judge(scene: Scene) -> FloatArray:
    """Return every term of the reward for the step in `scene`, (lanes, len(TERMS))."""
    terms = np.empty((len(scene.own.note), len(TERMS)), dtype=np.float32)
    # The sounding chord relative to the tonic. Where none sounds the value means nothing; `sounding` masks it.
    token = (scene.own.note - QUALITY_COUNT * scene.tonic) % CHORD_COUNT
    sounding = scene.own.note >= 0
    _harmony(scene, token, sounding, terms)
    _coherence(scene, token, sounding, terms)
    _creativity(scene, token, sounding, terms)
    return terms


def _harmony(scene: Scene, token: IntArray, sounding: BoolArray, out: FloatArray) -> None:
    """Write the five terms of harmony."""
    moment, bits, chord = scene.moment, scene.bits, CHORD_BITS[token]
    heard = sounding & (bits > 0)
    inside = _POPCOUNT[bits & chord] / np.maximum(_POPCOUNT[bits], 1)
    out[:, _AT["fit"]] = (moment[:, 0] + (moment[:, 1] - moment[:, 0]) * inside) * heard
    is_known = sounding & (scene.chord_bits > 0)
    shared = _shared(scene.chord_bits, chord)
    out[:, _AT["chord"]] = (2 * shared - 1) * is_known
    before = CHORD_BITS[(scene.own.pitches[:, -2] - QUALITY_COUNT * scene.tonic) % CHORD_COUNT]
    is_invented = (shared < _shared(scene.chord_bits, before)) & (scene.own.intervals[:, -1] != NO_INTERVAL)
    out[:, _AT["invented"]] = -_WORTH[scene.own.since] * (is_invented & is_known)
    out[:, _AT["scale"]] = _OUTSIDE[scene.mode, token] * (sounding & (scene.chord_bits != chord))
    out[:, _AT["clash"]] = (bits & _AVOIDED[token] > 0) * -moment[:, 2] * sounding


def _shared(chord_bits: IntArray, bits: IntArray) -> npt.NDArray[np.float64]:
    """Return the share of tones that two sets of pitch classes have in common, of the larger one's, (lanes,)."""
    found: npt.NDArray[np.float64] = _POPCOUNT[chord_bits & bits] / np.maximum(_POPCOUNT[chord_bits], _POPCOUNT[bits])
    return found


def _coherence(scene: Scene, token: IntArray, sounding: BoolArray, out: FloatArray) -> None:
    """Write the five terms of coherence, and surprise, which depends on the same roots."""
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


def _creativity(scene: Scene, token: IntArray, sounding: BoolArray, out: FloatArray) -> None:
    """Write the terms of creativity except surprise."""
    own = scene.own
    loops = (own.runs >= own.lags) & (own.since[:, None] < own.lags)
    np.negative(np.logical_or.reduce(loops, axis=1), out=out[:, _AT["novelty"]], dtype=np.float32)
    ordered = np.sort(own.pitches, axis=1)
    different = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    worth = _WORTH[own.since] * sounding
    # Where the chord behind stays, to stay on it is no fault.
    is_true = CHORD_BITS[token] == scene.chord_bits
    variety = np.maximum(_VARIETY[different], np.where(is_true, 0, -1))
    out[:, _AT["variety"]] = variety * worth * (own.pitches[:, 0] >= 0)
    restruck = _RESTRUCK[np.count_nonzero(own.intervals[:, -3:] == 0, axis=1)]
    out[:, _AT["change"]] = np.where(is_true, 0, restruck) * worth


_POPCOUNT: Final = np.array([bits.bit_count() for bits in range(ALL_PITCH_CLASSES + 1)], dtype=np.int64)
# The pitch classes a semitone above a chord's tones that are not in the chord: [chord].
_AVOIDED: Final = rotate(CHORD_BITS, np.array(OCTAVE - 1)) & ~CHORD_BITS
# Minus half the number of tones outside the scale, at least -1: [mode, chord].
_OUTSIDE: Final = -np.minimum(_POPCOUNT[CHORD_BITS[None, :CHORD_COUNT] & ~SCALE_BITS[:, None]] / 2, 1.0)
# The major and minor triads on the tonic; the major triad and the seventh chord on the dominant.
_TONICS: Final = (0, 1)
_DOMINANTS: Final = (7 * QUALITY_COUNT, 7 * QUALITY_COUNT + 4)
# The column of _CLOSING for each chord: 0 another chord, 1 dominant, 2 tonic.
_CLOSES: Final = np.select(
    [np.isin(np.arange(CHORD_COUNT), _TONICS), np.isin(np.arange(CHORD_COUNT), _DOMINANTS)], [2, 1]
)
# Worth of another chord, the dominant and the tonic on strong beats, for each of eight bars.
_CLOSING: Final = np.zeros((8, 3), dtype=np.float32)
_CLOSING[3], _CLOSING[7] = (-0.4, 0.7, 0.7), (-0.7, -0.3, 1.0)


def _rank_table() -> npt.NDArray[np.int64]:
    """Return the rank of each root after each root in Piston's table, (modes, 12, 12): 0..3, 4 for the same root."""
    table = np.full((len(_DEGREES), OCTAVE, OCTAVE), _SAME_ROOT)
    for mode, before, root in product(range(len(_DEGREES)), range(OCTAVE), range(OCTAVE)):
        if before != root:
            table[mode, before, root] = _rank(int(_DEGREES[mode, before]), int(_DEGREES[mode, root]))
    return table


def _rank(before: int, degree: int) -> int:
    """Return the rank of a degree after another in Piston's table: 0..2, or 3 if it is not listed."""
    follows = PROGRESSIONS.get(before, ())
    return next((rank for rank, degrees in enumerate(follows) if degree in degrees), 3)


def _density_table() -> FloatArray:
    """Return the fit of each number of chords to the player's density, (9, 2, WINDOW + 1).

    Index 0 of the second axis is for a window that begins before the music: there, few chords are not too few.
    """
    onsets = np.arange(WINDOW + 1)
    fewest, most = DENSITY_BANDS[:, :1, None], DENSITY_BANDS[:, 1:, None]
    started = np.array([0, 1])[:, None]
    outside = np.maximum(np.maximum((fewest - onsets) * started, onsets - most), 0)
    table: FloatArray = -np.minimum(outside * 0.3, 1.0).astype(np.float32)
    return table


_RANK: Final = _rank_table()
_DENSITY_FIT: Final = _density_table()
# Worth of the movement from the previous chord to a chord; human chords move 0.9 semitones per tone on average.
_NEARNESS: Final = np.interp(MOVEMENT, (0.3, 0.6, 1.0, 1.3, 1.7), (0.0, 1.0, 1.0, 0.0, -1.0)).astype(np.float32)

COMPING: Final = Rewards(TERMS, MOMENT, moments, judge)
