"""The rewards of a melody beside the player's.

`judge` works on any number of lanes. Each term and each component lies in [-1, 1]. Everything that is rewarded has a
counter-term. In the table a dash stands for nothing.

| component | term | weight | rewards; punishes |
|---|---|---|---|
| harmony | consonance | .05 | consonance with the player's sounding notes, most on strong beats; dissonance |
| harmony | chord | .50 | likely tones of the chord; unlikely ones, most on strong beats |
| harmony | scale | .04 | - ; tones outside the key that are not of the chord |
| harmony | clash | .04 | - ; minor seconds and ninths and major sevenths on strong beats |
| harmony | doubling | .15 | - ; the pitch class that the player's top voice sounds |
| harmony | parallels | .22 | - ; parallel unisons, fifths and octaves with the player's top voice |
| coherence | proximity | .18 | small melodic steps, not the same note again; wide leaps |
| coherence | reversal | .10 | turning back after a leap; leaping on |
| coherence | meter | .22 | onsets on strong positions; off the beat, and holding through a downbeat |
| coherence | density | .12 | - ; more or fewer onsets in two bars than people play beside as many |
| coherence | cadence | .14 | stable tones at the end of four and eight bars; unstable ones |
| coherence | motif | .06 | repeating the rhythm of the bar before with other notes; leaving it |
| coherence | opening | .12 | the tonic or the chord on the first beat of two bars; other tones there |
| coherence | spacing | .06 | - ; a note within a third of the player's top voice, or far from it |
| creativity | surprise | .20 | melodies about as surprising as people's; the obvious and the random |
| creativity | novelty | .40 | - ; exact repetition for a whole lag (a beat, two, a bar, two bars) |
| creativity | variety | .20 | four to six pitch classes in the last eight onsets; one or two |
| creativity | echo | .20 | repeating a turn of the player's, transposed or inverted; - |

Sources: consonance, `music.consonance` (Huron 1994). Proximity and reversal: E. G. Schellenberg (1997),
"Simplifying the implication-realization model of melodic expectancy", Music Perception 14(3). Surprise: the
inverted U of D. E. Berlyne (1971), "Aesthetics and Psychobiology", over `music.expectation` (Pearce 2005). Its bands
go from the 10th to the 90th percentile of the mean of seven intervals in the training corpus. Spacing: of the
intervals between two voices in the training corpus, 97 % are within its limits. Parallels, leaps, cadence:
common-practice counterpoint (J. J. Fux 1725). Density bands: onsets of the human partner in the training corpus, for
each density of the player. They go from the 10th to the 90th percentile for chorales. For dances they go from the
10th percentile to the median, because the dances' partners are chorales at double speed. The bands of the styles
minimal and free give these styles their character; they are set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import (
    HOLD,
    INTERVAL_ROWS,
    LONG_AGO,
    NO_INTERVAL,
    NONE,
    WINDOW,
    interval_rows,
    turns,
)
from improviser.music.accent import STRONG
from improviser.music.consonance import interval_consonance
from improviser.music.expectation import interval_surprisal
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.music.pitch import ALL_PITCH_CLASSES, NOTE_MAX, OCTAVE, IntArray, rotate
from improviser.music.scale import SCALE_BITS, STABLE_BITS, Mode
from improviser.rewards.scene import FloatArray, Rewards, Scene

# term -> (component, weight); the order is that of the columns of `judge`.
TERMS: Final = {
    "consonance": ("harmony", 0.05),
    "chord": ("harmony", 0.50),
    "scale": ("harmony", 0.04),
    "clash": ("harmony", 0.04),
    "doubling": ("harmony", 0.15),
    "parallels": ("harmony", 0.22),
    "proximity": ("coherence", 0.18),
    "reversal": ("coherence", 0.10),
    "meter": ("coherence", 0.22),
    "density": ("coherence", 0.12),
    "cadence": ("coherence", 0.14),
    "motif": ("coherence", 0.06),
    "opening": ("coherence", 0.12),
    "spacing": ("coherence", 0.06),
    "surprise": ("creativity", 0.20),
    "novelty": ("creativity", 0.40),
    "variety": ("creativity", 0.20),
    "echo": ("creativity", 0.20),
}
_AT: Final = {term: column for column, term in enumerate(TERMS)}
# The fewest and the most onsets in two bars of four beats: a row for each style of listening.observation.STYLES, in
# it a pair for each density of the player (half the player's onsets). The first pair is for no player; in dances it
# comes from the tunes. Some pairs are set by hand: the chorales' second, equal to the third (people: 2-6, beside a
# voice of long notes), and the dances' second to fourth, whose 14 to 217 windows are too few (people: 11, 10-12.5,
# 6-7). Source of the others: tests/unit/rewards/test_density_bands.py; of pop, jazz and lied: studies.style_bands,
# from the 10th to the 90th percentile. Where the upper end of a band of surprise is 4, that was 4.9: it is set by hand.
DENSITY_BANDS: Final = np.array(
    [
        [[6, 11], [4, 9], [4, 9], [6, 10], [7, 11], [7, 12], [7, 12], [7, 13], [7, 14]],
        [[11, 15], [6, 8], [6, 8], [6, 8], [8, 10], [10, 13], [11, 14], [12, 16], [14, 18]],
        [[2, 4]] * 9,
        [[6, 16]] * 9,
        [[0, 17], [3, 10], [3, 12], [0, 12], [0, 12], [0, 12], [0, 13], [0, 14], [0, 17]],
        [[2, 15], [5, 18], [7, 22], [8, 24], [8, 24], [8, 24], [8, 24], [8, 24], [8, 24]],
        [[4, 21], [3, 17], [3, 17], [4, 18], [4, 17], [4, 20], [4, 20], [3, 22], [2, 16]],
    ],
    dtype=np.float32,
)
# For each style: a row of music.expectation.CORPORA, and the lowest and the highest mean surprisal in nats.
SURPRISE_BANDS: Final = (
    (0, 1.40, 2.69),
    (1, 1.41, 2.50),
    (0, 1.40, 2.69),
    (1, 2.20, 3.40),
    (1, 1.56, 3.25),
    (1, 2.01, 4.00),
    (1, 1.74, 4.00),
)


def moments(level: IntArray, sixteenth: IntArray, bar: IntArray, chord_bits: IntArray) -> FloatArray:
    """Return the weights and worths that depend on a step's place and chord, (steps, MOMENT).

    Args:
        level: (steps,) metrical strength in quarters, 0-4.
        sixteenth: (steps,) position in the bar, 0-15.
        bar: (steps,) number of the bar.
        chord_bits: (steps,) the implied chord, 0 where none.

    Returns:
        Columns: weight of consonance; weight of a clash; worth of a tone outside and inside the chord; of an onset,
        a hold and a rest; of an unstable and a stable tone at a cadence; and whether a phrase opens.
    """
    strong = _STRONG[level][:, None]
    chord = _CHORD_FIT[level] * (chord_bits > 0)[:, None]
    opens = ((sixteenth < SIXTEENTHS_PER_BEAT) & (bar % _OPENING_BARS == 0))[:, None]
    closing = _CLOSING[bar % 8] * strong
    columns = [_EMPHASIS[level][:, None], strong, chord, _METER_FIT[level], closing, opens]
    return np.concatenate(columns, axis=1, dtype=np.float32)


def stepwise_harmony(notes: list[int]) -> float:
    """Return the share of melodic steps of at most two semitones, in [0, 1]; 0 for fewer than two notes.

    `H = #{t: |n_t+1 - n_t| <= 2} / (N - 1)` for notes n_1 to n_N.
    """
    if len(notes) < 2:  # noqa: PLR2004 - one note makes no step
        return 0.0
    steps = np.abs(np.diff(notes))
    return float(np.count_nonzero(steps <= 2) / len(steps))  # noqa: PLR2004 - the bound in the formula


def judge(scene: Scene) -> FloatArray:
    """Return every term of the reward for the step in `scene`, (lanes, len(TERMS))."""
    own = scene.own
    sounding = own.note >= 0
    degree = (own.note - scene.tonic) % OCTAVE
    in_chord = (scene.chord_bits >> degree) & 1
    stale = np.maximum(own.since - np.minimum(scene.player_held, _PATIENCE), 0)
    step = _Step(own.events[:, -1] >= 0, sounding, degree, in_chord, _WORTH[stale] * sounding)
    terms = np.empty((len(own.note), len(TERMS)), dtype=np.float32)
    _harmony(scene, step, terms)
    _coherence(scene, step, terms)
    _creativity(scene, step, terms)
    return terms


@dataclass(slots=True)
class _Step:
    """The values of a step that several terms need; arrays are (lanes,).

    `degree` is the sounding note in semitones above the tonic. `in_chord` is 1 if the chord contains it, else 0.
    `worth` is the weight of the sounding note: 1 for a beat, then less and less. A note earns its melodic worth in
    each step in which it sounds. So many short notes earn no more than a few long ones, and staying on a good note
    earns nothing in the end. While the player holds a note, ours does not age for up to _PATIENCE steps: where the
    player rests on a note, improviser may rest too.
    """

    onset: npt.NDArray[np.bool_]
    sounding: npt.NDArray[np.bool_]
    degree: IntArray
    in_chord: IntArray
    worth: FloatArray


def _harmony(scene: Scene, step: _Step, out: FloatArray) -> None:
    """Write the six terms of harmony."""
    own, moment = scene.own, scene.moment
    below = own.note < scene.player_note
    vertical = _VERTICAL[below.view(np.int8), rotate(scene.bits, step.degree)]
    vertical *= step.sounding[:, None]
    vertical *= moment[:, :2]
    out[:, _AT["consonance"]] = vertical[:, 0]
    chance = np.take_along_axis(scene.chord_tones, step.degree[:, None], axis=1)[:, 0]
    out[:, _AT["chord"]] = (moment[:, 2] + chance * (moment[:, 3] - moment[:, 2])) * step.worth
    out[:, _AT["scale"]] = _OUTSIDE[scene.mode, step.degree] * (1 - step.in_chord) * step.worth
    out[:, _AT["clash"]] = vertical[:, 1]
    now, then = own.note - scene.player_note, own.before - scene.player_before
    doubles = (now % OCTAVE == 0) & (scene.player_note >= 0)
    np.negative(doubles * step.worth, out=out[:, _AT["doubling"]], dtype=np.float32)
    moved = step.onset & (scene.player_note != scene.player_before) & (own.note != own.before)
    both = (np.minimum(own.before, scene.player_before) >= 0) & (scene.player_note >= 0)
    np.negative(moved & both & _OCTAVES[now - then] & _PERFECT[now], out=out[:, _AT["parallels"]], dtype=np.float32)


def _coherence(scene: Scene, step: _Step, out: FloatArray) -> None:
    """Write the eight terms of coherence."""
    own, moment = scene.own, scene.moment
    rows = interval_rows(own.intervals[:, -2:])
    melody = _MELODY[rows[:, 0], rows[:, 1]]
    melody *= step.worth[:, None]
    out[:, [_AT["proximity"], _AT["reversal"]]] = melody
    newest = own.events[:, -1]
    moves = scene.player_held < SIXTEENTHS_PER_BEAT
    struck = np.minimum(moment[:, 4], moves)
    out[:, _AT["meter"]] = np.where(step.onset, struck, np.where(newest == HOLD, moment[:, 5], moment[:, 6]))
    started = own.events[:, 0] != NONE
    out[:, _AT["density"]] = _DENSITY_FIT[scene.style, scene.player_density, started.view(np.int8), own.count]
    is_stable = _STABLE[scene.mode, step.degree]
    out[:, _AT["cadence"]] = np.where(is_stable, moment[:, 8], moment[:, 7]) * step.sounding
    bar_ago = own.lagged[:, _BAR_LAG]
    same_rhythm = _MOTIF_FIT[(bar_ago >= 0).view(np.int8), step.onset.view(np.int8)]
    out[:, _AT["motif"]] = same_rhythm * ((bar_ago != newest) & started & moves) * _MOTIF_SHARE[own.count]
    out[:, _AT["opening"]] = _OPENING[step.in_chord, step.degree] * (step.sounding * moment[:, 9])
    is_beside = step.sounding & (scene.player_note >= 0)
    out[:, _AT["spacing"]] = _SPACING[own.note - scene.player_note] * is_beside


def _creativity(scene: Scene, step: _Step, out: FloatArray) -> None:
    """Write the four terms of creativity."""
    own = scene.own
    out[:, _AT["surprise"]] = _surprise(scene) * step.worth
    loops = (own.runs >= own.lags) & (own.since[:, None] < own.lags)
    np.negative(np.logical_or.reduce(loops, axis=1), out=out[:, _AT["novelty"]], dtype=np.float32)
    classes = _POPCOUNT[np.bitwise_or.reduce(own.classes, axis=1)]
    out[:, _AT["variety"]] = _VARIETY[classes] * step.worth * (own.classes[:, 0] > 0)
    turn = turns(own.intervals[:, -2:])
    upright = np.logical_or.reduce(scene.player_turns == turn, axis=1)
    inverted = np.logical_or.reduce(scene.player_turns == -turn, axis=1)
    turning = (own.intervals[:, -1] != 0) & (own.intervals[:, -2] != NO_INTERVAL)
    out[:, _AT["echo"]] = np.maximum(upright, 0.7 * inverted) * turning * step.worth


def _surprise(scene: Scene) -> FloatArray:
    """Return how well the last intervals' mean surprisal fits the style's band, (lanes,); 0 without intervals."""
    own = scene.own
    first = (len(Mode) * scene.style + scene.mode) * _SURPRISAL_NOTES + OCTAVE - scene.tonic
    at = (first.astype(np.int16)[:, None] + own.pitches[:, :-1]) * np.int16(INTERVAL_ROWS)
    at += interval_rows(own.intervals[:, 1:])
    nats = np.add.reduce(_SURPRISAL.take(at), axis=1)
    count = np.add.reduce(own.intervals[:, 1:] != NO_INTERVAL, axis=1)
    band = _BANDS.take(scene.style, axis=0)
    outside = np.abs(nats / np.maximum(count, 1) - band[:, 0]) - band[:, 1]
    fit: FloatArray = _SURPRISING * np.minimum(np.maximum(outside, 0) - _TOLERANCE, _TOLERANCE)
    fit *= count > 0
    return fit


_NONE: Final = INTERVAL_ROWS - 1
_BAR_LAG: Final = 2
_LEAP: Final = 6
# No difference between two intervals is larger.
_WIDEST: Final = 2 * (NOTE_MAX + 1)

# Tables below with five rows are indexed by metrical level (strength in quarters, 0-4).
_LEVELS: Final = np.arange(5, dtype=np.float32) / 4
# Weight of a consonance.
_EMPHASIS: Final = 0.4 + 0.6 * _LEVELS
# The weight of a note by the steps since its onset: 1 for a beat of sixteenths, then halved with each beat.
_WORTH: Final = np.float32(0.5) ** (np.maximum(np.arange(LONG_AGO + 1) - 3, 0) / 4).astype(np.float32)
# For up to this many steps in which the player holds a note, our note does not age.
_PATIENCE: Final = 8
# Worth of a tone outside and inside the chord: [level, inside].
_CHORD_FIT: Final = np.stack([-0.2 - 0.6 * _LEVELS, 0.5 + 0.5 * _LEVELS], axis=1)
# 1 on the strong levels.
_STRONG: Final = (_LEVELS >= STRONG).astype(np.float32)
# Fit to the meter; columns are onset, hold and rest: [level, column]. Human onsets earn almost nothing on average. So
# the positions of the onsets count, not their number.
_METER_FIT: Final = np.array([[-0.8, 0, 0], [-0.3, 0, 0], [0.1, 0, 0], [0.2, 0, 0], [0.4, -0.4, 0]], dtype=np.float32)
# _STABLE: whether a degree is stable. _OUTSIDE: -1 if it is outside the scale, else 0. Both: [mode, degree].
_STABLE: Final = (STABLE_BITS[:, None] >> np.arange(OCTAVE)) & 1 > 0
_OUTSIDE: Final = (((SCALE_BITS[:, None] >> np.arange(OCTAVE)) & 1) - 1).astype(np.int8)
# Worth of an unstable and a stable tone on strong beats, for each of eight bars: [bar, stable].
_CLOSING: Final = np.zeros((8, 2), dtype=np.float32)
_CLOSING[3], _CLOSING[7] = (-0.6, 0.6), (-1.0, 1.0)
# The distance from the band in nats at which the worth of surprise has fallen from 1 to 0.
_TOLERANCE: Final = np.float32(0.5)
_SURPRISING: Final = -1 / _TOLERANCE
_SURPRISAL_NOTES: Final = OCTAVE + NOTE_MAX + 1
# The number of columns of `moments`.
MOMENT: Final = 10
# The number of bars between openings of a phrase.
_OPENING_BARS: Final = 2
# Worth of no onset and of an onset, if the bar before had no onset or another note there: [had, has].
_MOTIF_FIT: Final = np.array([[0.0, -0.5], [-0.5, 1.0]], dtype=np.float32)
# Above this many onsets in two bars, the worth of each onset's rhythm falls, so that the sum stays the same.
_MOTIF_ONSETS: Final = 8
_MOTIF_SHARE: Final = (_MOTIF_ONSETS / np.maximum(np.arange(WINDOW + 1), _MOTIF_ONSETS)).astype(np.float32)
# Worth of 0..12 distinct pitch classes among eight onsets.
_VARIETY: Final = np.array([0, -1, -0.7, 0, 0.8, 1, 0.8, 0.2, -0.5, -1, -1, -1, -1], dtype=np.float32)
# Every interval between two notes or silences. A negative interval is its own index, counted from the end.
_INTERVALS: Final = np.concatenate([np.arange(_WIDEST + 1), np.arange(-_WIDEST, 0)])
# _PERFECT: whether an interval is a unison, octave or fifth. _OCTAVES: whether it is a unison or octave.
_PERFECT: Final = np.isin(np.abs(_INTERVALS) % OCTAVE, (0, 7))
_OCTAVES: Final = _INTERVALS % OCTAVE == 0
# -1 if two voices are less than a third apart, or more than two octaves and a third.
_SPACING: Final = -((np.abs(_INTERVALS) < 3) | (np.abs(_INTERVALS) > 28)).astype(np.int8)  # noqa: PLR2004
# Worth of opening a phrase outside and inside the chord, by degree.
_OPENING: Final = np.array([[1] + 11 * [-1], 12 * [1]], dtype=np.int8)
_POPCOUNT: Final = np.array([bits.bit_count() for bits in range(ALL_PITCH_CLASSES + 1)], dtype=np.int64)


def _vertical_table() -> FloatArray:
    """Return consonance and clash, (2, 4096, 2), of a note of pitch class 0 with a set of pitch classes.

    Row 0 is for a note above the others, row 1 for one below them: fourths and fifths change places. Consonance is
    the mean of two values: the mean interval and the worst interval. So one clash in a rich chord still counts.
    """
    consonance = interval_consonance()
    sets = np.arange(ALL_PITCH_CLASSES + 1)
    members = (sets[:, None] >> np.arange(OCTAVE)) & 1 > 0
    size = np.maximum(members.sum(axis=1), 1)
    table = np.zeros((2, len(sets), 2), dtype=np.float32)
    for row, upwards in enumerate((-1, 1)):
        values = np.where(members, consonance[upwards * np.arange(OCTAVE) % OCTAVE], 0.0)
        worst = np.where(members, values, np.inf).min(axis=1, initial=np.inf, where=members)
        table[row, :, 0] = (values.sum(axis=1) / size + np.where(sets > 0, worst, 0.0)) / 2
    table[:, :, 1] = -(sets & 0b1000_0000_0010 > 0).astype(np.float32)
    return table


def _density_table() -> FloatArray:
    """Return the fit of each number of onsets to the player's density, (styles, 9, 2, WINDOW + 1).

    Index 0 of the third axis is for a window that begins before the music: there, few onsets are not too few.
    """
    onsets = np.arange(WINDOW + 1)
    fewest, most = DENSITY_BANDS[:, :, :1, None], DENSITY_BANDS[:, :, 1:, None]
    started = np.array([0, 1])[:, None]
    outside = np.maximum(np.maximum((fewest - onsets) * started, onsets - most), 0.0)
    table: FloatArray = -np.minimum(outside * 0.25, 1.0).astype(np.float32)
    return table


def _proximity(size: int) -> float:
    """Return the pitch-proximity term of an interval of `size` semitones: seconds are best, leaps worst.

    The same note again is no step: it earns nothing.
    """
    return 0.0 if size == 0 else 1.0 if size <= 2 else max(-1.0, 1.0 - (size - 2) * 0.11)  # noqa: PLR2004


def _reversal(previous: int, interval: int) -> float:
    """Return the pitch-reversal term: after an interval of more than six semitones the line should turn.

    It is 1 for a turn with a smaller interval, 0.5 for any other turn or a repetition, and -1 for going on in the
    same direction. The other half of the model, a return to the note before last, is left out: it would reward
    oscillating between two notes.
    """
    if abs(previous) <= _LEAP:
        return 0.0
    if previous * interval > 0:
        return -1.0
    return 1.0 if 0 < abs(interval) < abs(previous) else 0.5


def _melody_table() -> FloatArray:
    """Return proximity and reversal, (26, 26, 2), by rows of the previous interval and the interval: 0..24, 25 none."""
    table = np.zeros((_NONE + 1, _NONE + 1, 2), dtype=np.float32)
    for i in range(_NONE + 1):
        previous = 0 if i == _NONE else i - OCTAVE
        for j in range(_NONE):
            interval = j - OCTAVE
            table[i, j] = _proximity(abs(interval)), _reversal(previous, interval)
    return table


def _surprisal_table() -> FloatArray:
    """Return the surprisal of each interval in nats, 0 for no interval, as (styles x modes x notes x 26,).

    The notes are counted above the tonic, from an octave below it on.
    """
    known = interval_surprisal()[[row for row, _, _ in SURPRISE_BANDS]]
    by_note = known[:, :, np.arange(_SURPRISAL_NOTES) % OCTAVE]
    return np.pad(by_note, [(0, 0)] * 3 + [(0, 1)]).ravel()


_VERTICAL: Final = _vertical_table()
_DENSITY_FIT: Final = _density_table()
_MELODY: Final = _melody_table()
_SURPRISAL: Final = _surprisal_table()
# The middle of each style's band, and half its width.
_BANDS: Final = np.array(
    [((most + fewest) / 2, (most - fewest) / 2) for _, fewest, most in SURPRISE_BANDS], dtype=np.float32
)

MELODY: Final = Rewards(TERMS, MOMENT, moments, judge)
component_weights: Final = MELODY.component_weights
