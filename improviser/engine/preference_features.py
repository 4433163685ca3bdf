"""Preference features: what a player may like or dislike in an action. A preference is a weight for each feature.

In the code a preference feature is called a trait. Features are computed from observations alone, so that stored
observations can be judged by any preference later. Each lies in [-1, 1]. A hold has no feature at all; a rest has only
the feature "rest".

| a tune's | of an onset | with more of it | with less |
|---|---|---|---|
| onset | 1 | busier | sparser |
| rest | (of a rest) 1 | more rests | fewer rests |
| leap | 0 up to a whole tone from the last note, 1 from an octave on | more leaping | less leaping |
| rising | 1 above the last note, -1 below it | rising | falling |
| high | from -1 at the bottom of the register to 1 at its top | higher | lower |
| colour | 1 outside the implied chord | more colour notes | more chord tones |
| outside | 1 outside the scale | more foreign notes | fewer foreign notes |
| repeat | 1 if it repeats the last note | more repeated notes | fewer repeated notes |
| echo | 1 if it continues like a turn of the player's, upright or inverted | more echo | less echo |
| offbeat | 1 between eighths, 0.5 on weak eighths, 0 on beats | more syncopation | a straighter rhythm |

| a comping's | of a chord | with more of it | with less |
|---|---|---|---|
| onset | 1 | busier | sparser |
| rest | (of a rest) 1 | more rests | fewer rests |
| fit | 1 if it contains the player's top note | chords that hold your note | chords beside your note |
| colour | 1 for all chords except major and minor triads | richer chords | plainer chords |
| outside | 1 if the root is outside the scale | more foreign chords | fewer foreign chords |
| repeat | 1 if it repeats the last chord | more repeated chords | fewer repeated chords |
| offbeat | as above | more syncopation | a straighter rhythm |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import RANGE
from improviser.listening.observation import COLUMNS
from improviser.listening.own_chords import CHORD_COLUMNS
from improviser.music.accent import BEAT_LEVEL, LEVELS
from improviser.music.chord import CHORD_BITS, QUALITY_COUNT
from improviser.music.meter import PLAIN
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_BITS
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, REST_ACTION
from improviser.playing.chords import CHORD_ACTION_COUNT

if TYPE_CHECKING:
    from collections.abc import Callable

FloatArray = npt.NDArray[np.float32]
Rows = npt.NDArray[np.uint8]
# The smallest preference that is put into words, as a share of a clear one; and the most phrases.
WORTH_A_WORD: Final = 0.1
WORDS_MAX: Final = 4
# A weight up to this counts as none.
NOTHING: Final = 1.5e-6
# Intervals in semitones: from _WIDE on a leap counts in full; up to _STEP an interval is no leap.
_WIDE, _STEP = 12, 2


@dataclass(frozen=True, slots=True)
class PreferenceFeatures:
    """The preference features of a role's actions.

    Attributes:
        words: For each feature, in the order of the last axis of `of`: the words for more and for less of it.
        of: Returns the features, (n, actions, features), of each action in n observations, (n, columns).
    """

    words: dict[str, tuple[str, str]]
    of: Callable[[Rows], FloatArray]

    def of_one(self, observation: Rows) -> FloatArray:
        """Return the features of each action, (actions, features), in one observation, (columns,)."""
        traits: FloatArray = self.of(observation[None])[0]
        return traits

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in order."""
        return tuple(self.words)

    @property
    def worth(self) -> FloatArray:
        """What a clear preference for each feature adds to the values of decisions, (features,)."""
        return np.array([_WORTH.get(name, _CLEAR) for name in self.words], dtype=np.float32)

    def describe(self, taste: FloatArray) -> str:
        """Return preferences, (features,), in words, at most WORDS_MAX, strongest first; empty if there are none."""
        clear = taste / self.worth
        order = np.argsort(-np.abs(clear), kind="stable")[:WORDS_MAX]
        pairs = list(self.words.values())
        return ", ".join(pairs[k][int(clear[k] < 0)] for k in order if abs(clear[k]) >= WORTH_A_WORD)

    def to_dict(self, taste: FloatArray) -> dict[str, float]:
        """Return preferences by the names of the features, without those that count as none."""
        return {name: float(weight) for name, weight in zip(self.names, taste, strict=True) if abs(weight) > NOTHING}


_ONSETS: Final = np.arange(RANGE)
_NOTHING: Final = RANGE


def _between(value: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]) -> FloatArray:
    """Return a value of the interval from the last note, (RANGE + 1, actions); 0 if there was no last note."""
    table = np.zeros((RANGE + 1, ACTION_COUNT), dtype=np.float32)
    table[:RANGE, FIRST_ONSET:] = value(_ONSETS[None, :] - _ONSETS[:, None])
    return table


def _of_onsets(values: npt.NDArray[np.generic]) -> FloatArray:
    """Return values of onsets, (..., RANGE), as values of actions, (..., actions)."""
    table = np.zeros((*values.shape[:-1], ACTION_COUNT), dtype=np.float32)
    table[..., FIRST_ONSET:] = values
    return table


def _of(action: int, actions: int) -> FloatArray:
    """Return the feature of one action alone, (actions,): 1 for it, else 0."""
    ones: FloatArray = np.eye(actions, dtype=np.float32)[action]
    return ones


def _outside_chords() -> npt.NDArray[np.bool_]:
    """Return whether each note is outside each chord, (13 roots, 10 qualities, RANGE); False for no chord."""
    table = np.zeros((OCTAVE + 1, QUALITY_COUNT + 1, RANGE), dtype=np.bool_)
    bits = CHORD_BITS[:-1].reshape(OCTAVE, QUALITY_COUNT)
    table[:OCTAVE, :QUALITY_COUNT] = (bits[:, :, None] >> (_ONSETS % OCTAVE)) & 1 == 0
    return table


_LEAP: Final = _between(lambda interval: np.clip((np.abs(interval) - _STEP) / (_WIDE - _STEP), 0, 1))
_RISING: Final = _between(lambda interval: np.sign(interval).astype(np.float64))
_REPEAT: Final = _between(lambda interval: (interval == 0).astype(np.float64))
_HIGH: Final = _of_onsets((_ONSETS - (RANGE - 1) / 2) / ((RANGE - 1) / 2))
_COLOUR: Final = _of_onsets(_outside_chords())
_FOREIGN: Final = _of_onsets((SCALE_BITS[:, None] >> (_ONSETS % OCTAVE)) & 1 == 0)
_IS_ONSET: Final = (np.arange(ACTION_COUNT) >= FIRST_ONSET).astype(np.float32)
_IS_REST: Final = _of(REST_ACTION, ACTION_COUNT)
# [row of PLAIN, sixteenth]
_OFFBEAT: Final = np.clip(1 - LEVELS[: len(PLAIN), :16] / BEAT_LEVEL, 0, 1).astype(np.float32)


def _tune(observations: Rows) -> FloatArray:
    """Return the features of a tune's actions, (n, actions, features)."""
    seen = {name: observations[:, columns] for name, columns in COLUMNS.items()}
    last = seen["own_pitches"][:, -1]
    offbeat = _OFFBEAT[seen["meter"][:, 0], seen["sixteenth"][:, 0]]
    shape = len(observations), ACTION_COUNT
    columns = (
        np.broadcast_to(_IS_ONSET, shape),
        np.broadcast_to(_IS_REST, shape),
        _LEAP[last],
        _RISING[last],
        np.broadcast_to(_HIGH, shape),
        _COLOUR[seen["chord_root"][:, 0], seen["chord_quality"][:, 0]],
        _FOREIGN[seen["mode"][:, 0]],
        _REPEAT[last],
        _echo(seen["player_pitches"], seen["own_interval"][:, 0], last),
        _IS_ONSET * offbeat[:, None],
    )
    return np.stack(columns, axis=2)


def _echo(player: Rows, own_interval: Rows, last: Rows) -> FloatArray:
    """Return 1 for notes that continue like a turn of the player's, else 0, (n, actions).

    Args:
        player: (n, 8) the player's last onsets, 37 where none.
        own_interval: (n,) our last interval from -12 on, 25 where none.
        last: (n,) our last note, 37 where none.
    """
    pitches = player.astype(np.int16)
    steps = np.diff(pitches, axis=1)
    known = (pitches[:, :-2] < _NOTHING) & (pitches[:, 1:-1] < _NOTHING) & (pitches[:, 2:] < _NOTHING)
    ours = own_interval.astype(np.int16)[:, None] - OCTAVE
    moving = known & (ours != 0) & (ours <= OCTAVE) & (last[:, None] < _NOTHING)
    goals = np.concatenate(
        [
            np.where(moving & (steps[:, :-1] == ours), steps[:, 1:], 0),
            np.where(moving & (steps[:, :-1] == -ours), -steps[:, 1:], 0),
        ],
        axis=1,
    )
    wanted = last[:, None] + goals
    echoes = np.zeros((len(player), ACTION_COUNT), dtype=np.float32)
    lane, place = np.nonzero((goals != 0) & (wanted >= 0) & (wanted < RANGE))
    echoes[lane, FIRST_ONSET + wanted[lane, place]] = 1.0
    return echoes


_CHORDS: Final = np.arange(CHORD_ACTION_COUNT - FIRST_ONSET)
_ROOTS, _QUALITIES = np.divmod(_CHORDS, QUALITY_COUNT)
# Major and minor triads are the first two qualities.
_PLAIN_QUALITIES: Final = 2


def _of_chords(values: npt.NDArray[np.generic]) -> FloatArray:
    """Return values of chords, (..., chords), as values of actions, (..., actions)."""
    table = np.zeros((*values.shape[:-1], CHORD_ACTION_COUNT), dtype=np.float32)
    table[..., FIRST_ONSET:] = values
    return table


# [pitch class above the tonic, 12 for none]
_HOLDS: Final = _of_chords(
    np.concatenate([(CHORD_BITS[:-1] >> np.arange(OCTAVE)[:, None]) & 1, np.zeros((1, len(_CHORDS)))])
)
_RICH: Final = _of_chords(_QUALITIES >= _PLAIN_QUALITIES)
_FOREIGN_ROOT: Final = _of_chords((SCALE_BITS[:, None] >> _ROOTS) & 1 == 0)
# [the last chord, CHORD_COUNT for none]
_SAME: Final = _of_chords(np.concatenate([np.eye(len(_CHORDS)), np.zeros((1, len(_CHORDS)))]))
_IS_CHORD: Final = _of_chords(np.ones(len(_CHORDS)))
_IS_CHORD_REST: Final = _of(REST_ACTION, CHORD_ACTION_COUNT)


def _comping(observations: Rows) -> FloatArray:
    """Return the features of a comping's actions, (n, actions, features)."""
    seen = {name: observations[:, columns] for name, columns in CHORD_COLUMNS.items()}
    top = seen["player_pitches"][:, -1]
    offbeat = _OFFBEAT[seen["meter"][:, 0], seen["sixteenth"][:, 0]]
    shape = len(observations), CHORD_ACTION_COUNT
    columns = (
        np.broadcast_to(_IS_CHORD, shape),
        np.broadcast_to(_IS_CHORD_REST, shape),
        _HOLDS[np.where(top < _NOTHING, top % OCTAVE, OCTAVE)],
        np.broadcast_to(_RICH, shape),
        _FOREIGN_ROOT[seen["mode"][:, 0]],
        _SAME[seen["own_chords"][:, -1]],
        _IS_CHORD * offbeat[:, None],
    )
    return np.stack(columns, axis=2)


# Values that move the measures of `bench taste` by about half (tried: 0.2 to 2). Some features need more: the pace,
# because it depends on many notes; the height, because neighbouring notes differ little; and the colour, because
# chord tones are well rewarded.
_CLEAR, _CLEAR_PACE, _CLEAR_HEIGHT, _CLEAR_COLOUR = 0.7, 1.8, 1.8, 1.0
_WORTH: Final = {
    "onset": _CLEAR_PACE,
    "rest": _CLEAR_PACE,
    "high": _CLEAR_HEIGHT,
    "colour": _CLEAR_COLOUR,
}


TUNE_TRAITS: Final = PreferenceFeatures(
    {
        "onset": ("busier", "sparser"),
        "rest": ("more rests", "fewer rests"),
        "leap": ("more leaping", "less leaping"),
        "rising": ("rising", "falling"),
        "high": ("higher", "lower"),
        "colour": ("more colour notes", "more chord tones"),
        "outside": ("more foreign notes", "fewer foreign notes"),
        "repeat": ("more repeated notes", "fewer repeated notes"),
        "echo": ("more echo", "less echo"),
        "offbeat": ("more syncopation", "a straighter rhythm"),
    },
    _tune,
)
COMPING_TRAITS: Final = PreferenceFeatures(
    {
        "onset": ("busier", "sparser"),
        "rest": ("more rests", "fewer rests"),
        "fit": ("chords that hold your note", "chords beside your note"),
        "colour": ("richer chords", "plainer chords"),
        "outside": ("more foreign chords", "fewer foreign chords"),
        "repeat": ("more repeated chords", "fewer repeated chords"),
        "offbeat": ("more syncopation", "a straighter rhythm"),
    },
    _comping,
)
